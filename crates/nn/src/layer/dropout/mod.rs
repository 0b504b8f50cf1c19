//! Dropout.

mod alpha;
mod channels;
mod drop_path;

pub use alpha::{AlphaDropout, FeatureAlphaDropout};
pub use channels::{ChannelDropout, Dropout1d, Dropout2d, Dropout3d};
pub use drop_path::DropPath;

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// In training, makes every element 0 with probability p and divides the others by 1 − p; otherwise the identity
/// (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014).
///
/// ```
/// use wengert_nn::{Dropout, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let x = Var::ones([4]);
/// let y = params.infer(|cx| Dropout::new(0.5).forward(cx, &x));
/// assert_eq!(y.value(), x.value());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    p: f64,
}

impl Dropout {
    /// Dropout with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f64) -> Self {
        Dropout { p: probability("dropout", p) }
    }
}

/// The probability, if it is one.
#[track_caller]
pub(crate) fn probability(layer: &str, p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "{layer}: the probability {p} is not in [0, 1]");
    p
}

impl<T: Float> Layer<T> for Dropout {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        if !cx.is_training() || self.p == 0.0 {
            return cx.enter("Dropout").leave(&[], x.clone());
        }
        cx.enter("Dropout").leave(&[], x.dropout(self.p, cx.key()))
    }
}
