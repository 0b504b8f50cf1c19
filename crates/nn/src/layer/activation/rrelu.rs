//! The rectifier with random slopes.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// x where it is positive; elsewhere x times a slope that is drawn for each element in training, uniformly between `low` and
/// `high`, and their mean in evaluation (Xu et al., "Empirical evaluation of rectified activations in convolutional
/// network", 2015).
///
/// ```
/// use wengert_nn::{Layer, Params, Rrelu};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let act = Rrelu { low: 0.1, high: 0.3 };
/// let y = params.infer(|cx| act.forward(cx, &Var::from([-10.0, 2.0])));
/// assert_eq!(y.value().to_vec(), [-2.0, 2.0]);
/// ```
#[doc(alias = "RReLU")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rrelu {
    /// The least slope. Default 1/8.
    #[doc(alias = "lower")]
    pub low: f64,
    /// The largest slope. Default 1/3.
    #[doc(alias = "upper")]
    pub high: f64,
}

impl Default for Rrelu {
    fn default() -> Self {
        Rrelu { low: 1.0 / 8.0, high: 1.0 / 3.0 }
    }
}

impl<T: Float> Layer<T> for Rrelu {
    /// # Panics
    /// If `low > high`, or either is not finite.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let layer = cx.enter("Rrelu");
        let y = if cx.is_training() {
            x.rrelu(self.low, self.high, cx.key())
        } else {
            x.leaky_relu(f64::midpoint(self.low, self.high))
        };
        layer.leave(&[], y)
    }
}
