//! A fixed value up to a threshold.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x where it is above `threshold`, `value` elsewhere. The slope at the threshold is 0.
///
/// ```
/// use wengert_nn::{Layer, Params, Threshold};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Threshold { threshold: 1.0, value: 20.0 }.forward(cx, &Var::from([0.5, 3.0])));
/// assert_eq!(y.value().to_vec(), [20.0, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// What x has to be above.
    pub threshold: f64,
    /// What stands for the others.
    pub value: f64,
}

impl<T: Float> Layer<T> for Threshold {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Threshold").leave(&[], x.threshold(self.threshold, self.value))
    }
}

#[derive(Clone)]
pub(super) struct Formula {
    pub(super) threshold: f64,
    pub(super) value: f64,
}

impl Formula {
    /// `below` up to the threshold, `above` behind it and for NaN.
    #[inline(always)]
    fn choose<A: Real>(&self, x: &A, below: A, above: A) -> A {
        let inside = -x.clone() + self.threshold;
        inside.select_positive(below.clone(), inside.select_zero(below, above))
    }
}

impl Elementwise for Formula {
    const NAME: &'static str = "threshold";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("threshold", self.threshold);
        attributes.set("value", self.value);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        self.choose(&x, x.constant(self.value), x.clone())
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        self.choose(&x, x.constant(0.0), x.constant(1.0))
    }
    code_compiled_here!(Formula);
}
