//! Layer normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::{Gain, check_last_axes, checked_epsilon};
use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// (x − mean) / √(variance + ε) · weight + bias, with the mean and the variance over the last axes (Ba, Kiros and Hinton,
/// "Layer normalization", 2016).
///
/// Parameters as in PyTorch: `weight`, ones at the start, and `bias`, zeros, of the shape of those axes.
///
/// ```
/// use wengert_nn::{Layer, LayerNorm, Params};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let norm = LayerNorm::new(params.at("norm"), 4);
/// let of_bert = LayerNorm::builder([3, 4]).eps(1e-12).build(params.at("images"));
/// let x = Var::from([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 7.0, 7.0], [5.0, 6.0, 7.0, 8.0]]);
/// let (rows, all) = params.infer(|cx| (norm.forward(cx, &x), of_bert.forward(cx, &x)));
/// assert!(rows.mean_axes(1, false).abs().max().item() < 1e-12 && all.mean().abs().item() < 1e-12);
/// ```
#[doc(alias = "nn.LayerNorm")]
#[derive(Clone, Debug)]
pub struct LayerNorm {
    gain: Gain,
    epsilon: f64,
}

impl LayerNorm {
    /// A layer with weight, bias and ε = 10⁻⁵ for the last axes, of that shape; a number stands for one axis.
    ///
    /// # Panics
    /// If the shape has no axes, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, shape: impl Into<Shape>) -> Self {
        LayerNorm::builder(shape).build(p)
    }

    /// A layer with options.
    #[doc(alias = "normalized_shape")]
    pub fn builder(shape: impl Into<Shape>) -> LayerNormBuilder {
        LayerNormBuilder { shape: shape.into(), epsilon: 1e-5, weight: true, bias: true }
    }

    /// The factor, of the shape of the last axes.
    pub fn weight(&self) -> Option<ParamId> {
        self.gain.weight
    }

    /// The shift, of the shape of the last axes.
    pub fn bias(&self) -> Option<ParamId> {
        self.gain.bias
    }
}

/// The options of a [`LayerNorm`].
#[derive(Clone, Debug)]
pub struct LayerNormBuilder {
    shape: Shape,
    epsilon: f64,
    weight: bool,
    bias: bool,
}

impl LayerNormBuilder {
    /// ε. Default 10⁻⁵.
    #[must_use]
    pub fn eps(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// No bias.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// Neither weight nor bias.
    ///
    /// ```
    /// use wengert_nn::{Layer, LayerNorm, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let norm = LayerNorm::builder([2]).no_affine().build(params.root());
    /// let y = params.infer(|cx| norm.forward(cx, &Var::from([[1.0, 3.0]])));
    /// assert!((y.value().at([0, 1]) - 1.0).abs() < 1e-4 && params.values().is_empty());
    /// ```
    #[doc(alias = "elementwise_affine")]
    #[must_use]
    pub fn no_affine(mut self) -> Self {
        (self.weight, self.bias) = (false, false);
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the shape has no axes, ε is negative or NaN, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> LayerNorm {
        assert!(!self.shape.is_empty(), "layer_norm: there are no axes to normalise over");
        let gain = Gain::make(&mut p, &self.shape, self.weight, self.bias);
        LayerNorm { gain, epsilon: checked_epsilon("layer_norm", self.epsilon) }
    }
}

impl<T: Float> Layer<T> for LayerNorm {
    /// # Panics
    /// If the last axes of `x` have another shape, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        check_last_axes("layer_norm", x.shape(), &self.gain.shape);
        let (weight, bias) = self.gain.get("layer_norm", cx);
        cx.enter("LayerNorm").leave(&self.gain.ids(), x.layer_norm(&weight, &bias, self.epsilon))
    }
}
