//! Activations that take small x to 0.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x where |x| > `lambda`, 0 elsewhere. The slope at ±`lambda` is 0.
///
/// ```
/// use wengert_nn::{Layer, Params, Hardshrink};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Hardshrink { lambda: 0.5 }.forward(cx, &Var::from([-2.0, 0.25, 1.0])));
/// assert_eq!(y.value().to_vec(), [-2.0, 0.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardshrink {
    /// Up to where it is 0. Default 0.5.
    #[doc(alias = "lambd")]
    pub lambda: f64,
}

/// x moved towards 0 by `lambda`, and 0 where |x| ≤ `lambda`. The slope at ±`lambda` is 0.
///
/// ```
/// use wengert_nn::{Layer, Params, Softshrink};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Softshrink { lambda: 0.5 }.forward(cx, &Var::from([-2.0, 0.25, 1.0])));
/// assert_eq!(y.value().to_vec(), [-1.5, 0.0, 0.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softshrink {
    /// Up to where it is 0. Default 0.5.
    #[doc(alias = "lambd")]
    pub lambda: f64,
}

impl Default for Hardshrink {
    fn default() -> Self {
        Hardshrink { lambda: 0.5 }
    }
}

impl Default for Softshrink {
    fn default() -> Self {
        Softshrink { lambda: 0.5 }
    }
}

impl<T: Float> Layer<T> for Hardshrink {
    /// # Panics
    /// If `lambda` is negative or NaN.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Hardshrink").leave(&[], x.hardshrink(self.lambda))
    }
}

impl<T: Float> Layer<T> for Softshrink {
    /// # Panics
    /// If `lambda` is negative or NaN.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Softshrink").leave(&[], x.softshrink(self.lambda))
    }
}

#[derive(Clone)]
pub(super) struct Hard {
    pub(super) lambda: f64,
}

#[derive(Clone)]
pub(super) struct Soft {
    pub(super) lambda: f64,
}

/// 0 where |x| ≤ λ, 1 elsewhere, also for NaN.
#[inline(always)]
fn slope<A: Real>(x: &A, lambda: f64) -> A {
    let (zero, one) = (x.constant(0.0), x.constant(1.0));
    let inside = -x.abs() + lambda;
    inside.select_positive(zero.clone(), inside.select_zero(zero, one))
}

impl Elementwise for Hard {
    const NAME: &'static str = "hardshrink";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("lambda", self.lambda);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        slope(&x, self.lambda).select_zero(x.constant(0.0), x)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        slope(&x, self.lambda)
    }
    code_compiled_here!(Hard);
}

impl Elementwise for Soft {
    const NAME: &'static str = "softshrink";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("lambda", self.lambda);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clone() - x.clamp(-self.lambda, self.lambda)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        slope(&x, self.lambda)
    }
    code_compiled_here!(Soft);
}
