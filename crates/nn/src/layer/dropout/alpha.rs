//! Dropout that keeps mean and variance.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::probability;
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::layer::activation::selu;

/// In training, gives every element with probability p the value −λα that [`Selu`](crate::Selu) tends to, and maps all
/// by the scale and the shift that keep mean 0 and variance 1; otherwise the identity (Klambauer et al.,
/// "Self-normalizing neural networks", 2017). With p = 1 all become 0.
///
/// ```
/// use wengert_nn::{AlphaDropout, Layer, Mode, Params};
/// use wengert_tape::Var;
/// use wengert_tensor::{Tensor, random::Generator};
/// let params: Params<f64> = Params::seeded(0);
/// let x = Var::from(Tensor::normal([10_000], 0.0, 1.0, &mut Generator::seeded(0)));
/// let y = params.infer_in(Mode::Train, |cx| AlphaDropout::new(0.3).forward(cx, &x));
/// assert!(y.mean().item().abs() < 0.05 && (y.var().item() - 1.0).abs() < 0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlphaDropout {
    p: f64,
}

/// [`AlphaDropout`] of whole channels of inputs `[batch, channels, …]`.
///
/// ```
/// use wengert_nn::{FeatureAlphaDropout, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let x = Var::ones([2, 3, 4]);
/// let y = params.infer(|cx| FeatureAlphaDropout::new(0.5).forward(cx, &x));
/// assert_eq!(y.value(), x.value());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureAlphaDropout {
    p: f64,
}

impl AlphaDropout {
    /// Dropout with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f64) -> Self {
        AlphaDropout { p: probability("alpha_dropout", p) }
    }
}

impl FeatureAlphaDropout {
    /// Dropout of channels with probability `p`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn new(p: f64) -> Self {
        FeatureAlphaDropout { p: probability("feature_alpha_dropout", p) }
    }
}

/// The same elements as dropout of these axes with this key, but another value for them.
fn dropped<T: Float>(cx: &Ctx<T>, x: &Var<T>, p: f64, shared: &[usize]) -> Var<T> {
    if !cx.is_training() || p == 0.0 {
        return x.clone();
    }
    let key = cx.key();
    let kept = x.dropout_shared(p, shared, &key);
    if p == 1.0 {
        return kept;
    }
    let limit = selu::SCALE * selu::ALPHA;
    let scale = 1.0 / ((1.0 - p) * (1.0 + p * limit * limit)).sqrt();
    // 1/(1 − p) where an element is kept.
    let factors = Var::ones(x.shape()).dropout_shared(p, shared, &key);
    (kept + factors * limit) * (scale * (1.0 - p)) - limit * scale * (1.0 - p)
}

impl<T: Float> Layer<T> for AlphaDropout {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("AlphaDropout").leave(&[], dropped(cx, x, self.p, &[]))
    }
}

impl<T: Float> Layer<T> for FeatureAlphaDropout {
    /// # Panics
    /// If the input has no channels.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        assert!(x.rank() >= 2, "feature_alpha_dropout: an input of shape {} has no channels", x.shape());
        let behind: Vec<usize> = (2..x.rank()).collect();
        cx.enter("FeatureAlphaDropout").leave(&[], dropped(cx, x, self.p, &behind))
    }
}
