//! Local response normalisation.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// x / (k + α/size · Σ x²)^β for inputs `[batch, channels, …]`, with the sum over a window of `size` channels round each
/// (Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012). The window
/// has size/2 channels before and (size − 1)/2 behind, those beyond the ends counting as 0; α is divided by the
/// size, as in PyTorch.
///
/// ```
/// use wengert_nn::{Layer, LocalResponseNorm, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let norm = LocalResponseNorm { alpha: 2.0, beta: 1.0, ..LocalResponseNorm::new(2) };
/// let y = params.infer(|cx| norm.forward(cx, &Var::from([[1.0, 2.0]])));
/// assert_eq!(y.value().to_vec(), [0.5, 1.0 / 3.0]);
/// ```
#[doc(alias = "nn.LocalResponseNorm")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalResponseNorm {
    /// Channels in the window.
    pub size: usize,
    /// α. Default 10⁻⁴.
    pub alpha: f64,
    /// β. Default 0.75.
    pub beta: f64,
    /// k. Default 1.
    pub k: f64,
}

impl LocalResponseNorm {
    /// A window of that size, and PyTorch's other settings.
    pub fn new(size: usize) -> Self {
        LocalResponseNorm { size, alpha: 1e-4, beta: 0.75, k: 1.0 }
    }
}

impl<T: Float> Layer<T> for LocalResponseNorm {
    /// # Panics
    /// If the input has no axis of channels, or the window has no size.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (size, shape) = (self.size, x.shape());
        assert!(shape.len() >= 2, "local_response_norm: an input of shape {shape} has no channels");
        assert!(size > 0, "local_response_norm: a window of no channels");
        let layer = cx.enter("LocalResponseNorm");
        let channels = shape[1];
        let zeros = |count: usize| {
            let axis = |(i, &length): (usize, &usize)| if i == 1 { count } else { length };
            Var::zeros(shape.iter().enumerate().map(axis).collect::<wengert_tensor::Shape>())
        };
        // Beyond the channels that there are, a window holds nothing but zeros.
        let (before, behind) = ((size / 2).min(channels), ((size - 1) / 2).min(channels));
        let over_windows = |x: &Var<T>, of: &dyn Fn(Var<T>) -> Var<T>, join: fn(Var<T>, Var<T>) -> Var<T>| {
            let padded = Var::cat(&[&zeros(before), x, &zeros(behind)], 1);
            let window = |at: usize| of(padded.slice_axis(1, at..at + channels));
            (1..=before + behind).fold(window(0), |joined, at| join(joined, window(at)))
        };
        let part = self.alpha / size as f64;
        let largest = over_windows(&x.stop_gradient().abs(), &|x| x, |a, b| a.maximum(&b));
        let logarithm =
            logarithm_of_unit(&(largest * part.abs().sqrt()).clamp(self.k.abs().sqrt(), f64::INFINITY));
        let inverse = (-&logarithm).exp2();
        // u²(k/u² + Σ(x/u)²) is k + Σx², whose squares may be out of range. So may u^−2β, while its product with x is not.
        let sum = over_windows(x, &|x| (x * &inverse).square(), |a, b| a + b);
        let root = (logarithm * -self.beta).exp2();
        let y = x * &root * &root * (sum * part + &inverse * self.k * &inverse).powf(-self.beta);
        layer.leave(&[], y)
    }
}

/// The logarithm of a power of two near `size`, a constant, and 0 where the squares of squares have room. With β = ¾ the powers
/// are exact.
fn logarithm_of_unit<T: Float>(size: &Var<T>) -> Var<T> {
    let room = T::MAX.to_f64().powf(0.25);
    let logarithm = (size.clamp(T::MIN_POSITIVE.to_f64(), T::MAX.to_f64()).log2() * 0.25).floor() * 4.0;
    let near = logarithm.abs().le(room.log2());
    logarithm.stop_gradient().masked_fill(near, 0.0)
}
