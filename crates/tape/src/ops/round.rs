//! Rounding.

use wengert_tensor::{Float, Shape, Tensor, compiled_here};

use crate::class::{Piecewise, piecewise};
use crate::op::rules_compiled_here;
use crate::var::Var;

/// To which integer.
#[derive(Clone)]
enum Rounding {
    Floor,
    Ceil,
    /// Towards 0.
    Trunc,
    Nearest,
}

/// The integer next to x towards 0; −0 for what rounds to 0 from below.
#[inline(always)]
pub(super) fn truncated<T: Float>(x: T) -> T {
    x.abs().floor().copysign(x)
}

impl<T: Float> Piecewise<T> for Rounding {
    fn name(&self) -> &str {
        match self {
            Rounding::Floor => "floor",
            Rounding::Ceil => "ceil",
            Rounding::Trunc => "trunc",
            Rounding::Nearest => "round",
        }
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn ceil<T: Float>(x: &Tensor<T>) -> Tensor<T> {
                x.map(|x: T| -(-x).floor())
            }
        }
        compiled_here! {
            fn trunc<T: Float>(x: &Tensor<T>) -> Tensor<T> {
                x.map(|x: T| truncated(x))
            }
        }
        match self {
            Rounding::Floor => inputs[0].floor(),
            Rounding::Ceil => ceil(inputs[0]),
            Rounding::Trunc => trunc(inputs[0]),
            Rounding::Nearest => inputs[0].round(),
        }
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Rounding in PiecewiseOp);
}

impl<T: Float> Var<T> {
    /// The largest integer not above x; the derivative is 0 everywhere.
    #[track_caller]
    pub fn floor(&self) -> Var<T> {
        piecewise(Rounding::Floor, &[self])
    }

    /// The smallest integer not below x; the derivative is 0 everywhere.
    #[track_caller]
    pub fn ceil(&self) -> Var<T> {
        piecewise(Rounding::Ceil, &[self])
    }

    /// The integer next to x towards 0; the derivative is 0 everywhere.
    #[doc(alias = "fix")]
    #[track_caller]
    pub fn trunc(&self) -> Var<T> {
        piecewise(Rounding::Trunc, &[self])
    }

    /// What [`trunc`](Var::trunc) cuts off, with the sign of x; the derivative is 1 everywhere.
    #[track_caller]
    pub fn frac(&self) -> Var<T> {
        self - self.trunc()
    }

    /// The nearest integer, halves to even; the derivative is 0 everywhere.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// // Straight through (Bengio, Léonard & Courville, 2013): the value is rounded, the derivative that of x.
    /// let f = |x: &Var<f64>| (x + (x.round() - x).stop_gradient()).sum();
    /// let x = Var::from([0.4, 1.7]);
    /// assert_eq!((f(&x).item(), grad(f, &x).value().to_vec()), (2.0, vec![1.0, 1.0]));
    /// ```
    #[track_caller]
    pub fn round(&self) -> Var<T> {
        piecewise(Rounding::Nearest, &[self])
    }
}
