//! The exponential linear unit.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x where it is positive, `alpha`·(eˣ − 1) elsewhere (Clevert, Unterthiner & Hochreiter, "Fast and accurate deep network
/// learning by exponential linear units", 2016). The default `alpha` is 1; for others the slope jumps at 0, where
/// it is `alpha`.
///
/// ```
/// use wengert_nn::{Layer, Params, Elu};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Elu { alpha: 0.5 }.forward(cx, &Var::from([3.0, f64::NEG_INFINITY])));
/// assert_eq!(y.value().to_vec(), [3.0, -0.5]);
/// ```
#[doc(alias = "ELU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// Minus the limit for x → −∞.
    pub alpha: f64,
}

impl Default for Elu {
    fn default() -> Self {
        Elu { alpha: 1.0 }
    }
}

impl<T: Float> Layer<T> for Elu {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Elu").leave(&[], x.elu(self.alpha))
    }
}

#[derive(Clone)]
pub(super) struct Formula {
    pub(super) alpha: f64,
}

impl Elementwise for Formula {
    const NAME: &'static str = "elu";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("alpha", self.alpha);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        value(x, [1.0, self.alpha, 1.0])
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        self.times_df(x.constant(1.0), x, y)
    }
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, _: A) -> A {
        times_slope(v, x, [1.0, self.alpha, 1.0])
    }
    code_compiled_here!(Formula);
}

/// slope·x where x is positive, alpha·(e^(rate·x) − 1) elsewhere.
#[inline(always)]
pub(super) fn value<A: Real>(x: A, [slope, alpha, rate]: [f64; 3]) -> A {
    x.clone().select_positive(x.clone() * slope, (negative_part(x) * rate).exp_m1() * alpha)
}

#[inline(always)]
pub(super) fn times_slope<A: Real>(v: A, x: A, [slope, alpha, rate]: [f64; 3]) -> A {
    if alpha == 0.0 {
        return x.select_positive(v * slope, x.constant(0.0));
    }
    let curved = v.clone() * ((negative_part(x.clone()) * rate).exp() * (alpha * rate));
    // At 0 the slope is that of the curved piece, without its curvature.
    x.select_zero(v.clone() * (alpha * rate), x.select_positive(v * slope, curved))
}

/// min(x, 0), so that the branch that is not taken does not overflow; NaN for NaN.
#[inline(always)]
fn negative_part<A: Real>(x: A) -> A {
    x.clamp(f64::NEG_INFINITY, 0.0)
}
