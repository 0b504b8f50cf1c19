//! Rounding.

use wengert_tensor::{Float, Shape, Tensor};

use crate::class::{Piecewise, piecewise};
use crate::op::rules_compiled_here;
use crate::var::Var;

/// To the next integer below, or to the nearest.
#[derive(Clone)]
enum Rounding {
    Floor,
    Nearest,
}

impl<T: Float> Piecewise<T> for Rounding {
    fn name(&self) -> &str {
        match self {
            Rounding::Floor => "floor",
            Rounding::Nearest => "round",
        }
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        match self {
            Rounding::Floor => inputs[0].floor(),
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
