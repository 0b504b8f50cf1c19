//! The leaky rectifier.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x where it is positive, `slope`·x elsewhere (Maas, Hannun & Ng, "Rectifier nonlinearities improve neural network
/// acoustic models", 2013). The default slope is 0.01.
///
/// ```
/// use wengert_nn::{Layer, Params, LeakyRelu};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| LeakyRelu { slope: 0.5 }.forward(cx, &Var::from([-1.0, 2.0])));
/// assert_eq!(y.value().to_vec(), [-0.5, 2.0]);
/// ```
#[doc(alias = "LeakyReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope for negative x.
    pub slope: f64,
}

impl Default for LeakyRelu {
    fn default() -> Self {
        LeakyRelu { slope: 0.01 }
    }
}

impl<T: Float> Layer<T> for LeakyRelu {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("LeakyRelu").leave(&[], x.leaky_relu(self.slope))
    }
}

#[derive(Clone)]
pub(super) struct Formula {
    pub(super) slope: f64,
}

impl Elementwise for Formula {
    const NAME: &'static str = "leaky_relu";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("slope", self.slope);
    }
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clone().select_positive(x.clone(), x * self.slope)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.clone().select_positive(x.constant(1.0), x.constant(self.slope))
    }
    code_compiled_here!(Formula);
}
