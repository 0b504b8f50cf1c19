//! The continuously differentiable exponential linear unit.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use super::elu::{times_slope, value};
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x where it is positive, `alpha`·(e^(x/`alpha`) − 1) elsewhere (Barron, "Continuously differentiable exponential linear
/// units", 2017). The default `alpha` is 1.
///
/// ```
/// use wengert_nn::{Layer, Params, Celu};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Celu { alpha: 2.0 }.forward(cx, &Var::from([3.0, f64::NEG_INFINITY])));
/// assert_eq!(y.value().to_vec(), [3.0, -2.0]);
/// ```
#[doc(alias = "CELU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    /// Minus the limit for x → −∞; not 0.
    pub alpha: f64,
}

impl Default for Celu {
    fn default() -> Self {
        Celu { alpha: 1.0 }
    }
}

impl<T: Float> Layer<T> for Celu {
    /// # Panics
    /// If `alpha` is 0.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Celu").leave(&[], x.celu(self.alpha))
    }
}

#[derive(Clone)]
pub(super) struct Formula {
    pub(super) alpha: f64,
}

impl Elementwise for Formula {
    const NAME: &'static str = "celu";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("alpha", self.alpha);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        value(x, [1.0, self.alpha, 1.0 / self.alpha])
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        self.times_df(x.constant(1.0), x, y)
    }
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, _: A) -> A {
        times_slope(v, x, [1.0, self.alpha, 1.0 / self.alpha])
    }
    code_compiled_here!(Formula);
}
