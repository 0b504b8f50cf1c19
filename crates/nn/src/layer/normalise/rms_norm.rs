//! Root-mean-square normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::{Gain, check_last_axes, checked_epsilon};
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// x / √(mean of x² + ε) · weight, with the mean over the last axes (Zhang and Sennrich, "Root mean square layer
/// normalization", 2019).
///
/// Its parameter is `weight`, of the shape of those axes, ones at the start, as in PyTorch.
///
/// ```
/// use wengert_nn::{Layer, Params, RmsNorm};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let norm = RmsNorm::new(params.at("norm"), 2);
/// let y = params.infer(|cx| norm.forward(cx, &Var::from([[1.0, -7.0]])));
/// assert!((y - Var::from([[0.2, -1.4]])).abs().max().item() < 1e-12);
/// ```
#[doc(alias = "nn.RMSNorm")]
#[doc(alias = "RMSNorm")]
#[derive(Clone, Debug)]
pub struct RmsNorm {
    gain: Gain,
    epsilon: Option<f64>,
}

impl RmsNorm {
    /// A layer with weight for the last axes, of that shape; a number stands for one axis. ε is the precision of the
    /// element type: 1.2·10⁻⁷ for `f32`, 2.2·10⁻¹⁶ for `f64`.
    ///
    /// # Panics
    /// If the shape has no axes, or the place already has a `weight`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, shape: impl Into<Shape>) -> Self {
        RmsNorm::builder(shape).build(p)
    }

    /// A layer with options.
    #[doc(alias = "normalized_shape")]
    pub fn builder(shape: impl Into<Shape>) -> RmsNormBuilder {
        RmsNormBuilder { shape: shape.into(), epsilon: None, weight: true }
    }

    /// The factor, of the shape of the last axes.
    pub fn weight(&self) -> Option<ParamId> {
        self.gain.weight
    }
}

/// The options of an [`RmsNorm`].
#[derive(Clone, Debug)]
pub struct RmsNormBuilder {
    shape: Shape,
    epsilon: Option<f64>,
    weight: bool,
}

impl RmsNormBuilder {
    /// ε. Default: the precision of the element type.
    #[must_use]
    pub fn eps(mut self, epsilon: f64) -> Self {
        self.epsilon = Some(epsilon);
        self
    }

    /// No weight.
    ///
    /// ```
    /// use wengert_nn::{Params, RmsNorm};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// RmsNorm::builder([4]).no_affine().build(params.root());
    /// assert!(params.values().is_empty());
    /// ```
    #[doc(alias = "elementwise_affine")]
    #[must_use]
    pub fn no_affine(mut self) -> Self {
        self.weight = false;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the shape has no axes, ε is negative or NaN, or the place already has a `weight`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> RmsNorm {
        assert!(!self.shape.is_empty(), "rms_norm: there are no axes to normalise over");
        // Not by `map`: a closure would lose the caller's line.
        if let Some(epsilon) = self.epsilon {
            checked_epsilon("rms_norm", epsilon);
        }
        RmsNorm { gain: Gain::make(&mut p, &self.shape, self.weight, false), epsilon: self.epsilon }
    }
}

impl<T: Float> Layer<T> for RmsNorm {
    /// # Panics
    /// If the last axes of `x` have another shape, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        check_last_axes("rms_norm", x.shape(), &self.gain.shape);
        let (weight, _) = self.gain.get("rms_norm", cx);
        let epsilon = self.epsilon.unwrap_or(T::EPSILON.to_f64());
        cx.enter("RmsNorm").leave(&self.gain.ids(), x.rms_norm(&weight, epsilon))
    }
}
