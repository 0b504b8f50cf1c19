//! The identity between two limits.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x limited to `low..=high`, by default ±1. The slope at the limits is 0, as in PyTorch, unlike that of
/// [`Var::clamp`].
///
/// ```
/// use wengert_nn::{Layer, Params, Hardtanh};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Hardtanh { low: 0.0, high: 6.0 }.forward(cx, &Var::from([-1.0, 2.0, 9.0])));
/// assert_eq!(y.value().to_vec(), [0.0, 2.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardtanh {
    /// The lower limit. Default −1.
    #[doc(alias = "min_val")]
    pub low: f64,
    /// The upper limit. Default 1.
    #[doc(alias = "max_val")]
    pub high: f64,
}

impl Default for Hardtanh {
    fn default() -> Self {
        Hardtanh { low: -1.0, high: 1.0 }
    }
}

impl<T: Float> Layer<T> for Hardtanh {
    /// # Panics
    /// If `low > high` or either is NaN.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Hardtanh").leave(&[], x.hardtanh(self.low, self.high))
    }
}

#[derive(Clone)]
pub(super) struct Formula {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Elementwise for Formula {
    const NAME: &'static str = "hardtanh";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("low", self.low);
        attributes.set("high", self.high);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clamp(self.low, self.high)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let (zero, one) = (x.constant(0.0), x.constant(1.0));
        let below = (x.clone() - self.low).select_positive(one, zero.clone());
        (-x + self.high).select_positive(below, zero)
    }
    code_compiled_here!(Formula);
}
