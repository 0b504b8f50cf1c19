//! Layer normalisation.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::params::{ParamId, Scope};

/// (x − mean) / √(variance + ε) · weight + bias over the last axes of x (Ba, Kiros and Hinton, "Layer normalization",
/// 2016).
///
/// Parameters as in PyTorch: `weight`, all 1 at the start, and `bias`, all 0, both of the shape of the axes that are
/// normalised. ε is 10⁻⁵.
///
/// ```
/// use wengert_nn::{Layer, LayerNorm, Params};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let norm = LayerNorm::new(params.at("norm"), 2);
/// let y = params.infer(|cx| norm.forward(cx, &Var::from([[3.0, 1.0], [-5.0, 5.0]])));
/// assert!((y.value().to_vec()[0] - 1.0).abs() < 1e-5);
/// ```
#[doc(alias = "nn.LayerNorm")]
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Option<ParamId>,
    bias: Option<ParamId>,
    features: Shape,
    epsilon: f64,
}

impl LayerNorm {
    /// With weight and bias, over the last axis or axes of these lengths.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, features: impl Into<Shape>) -> Self {
        LayerNorm::builder(features).build(p)
    }

    /// With options.
    ///
    /// ```
    /// use wengert_nn::{LayerNorm, Params};
    /// let mut params: Params = Params::seeded(0);
    /// LayerNorm::builder(384).epsilon(1e-12).no_bias().build(params.at("norm"));
    /// assert_eq!(params.len(), 384);
    /// ```
    pub fn builder(features: impl Into<Shape>) -> LayerNormBuilder {
        LayerNormBuilder { features: features.into(), epsilon: 1e-5, weight: true, bias: true }
    }

    /// The weight, if there is one.
    pub fn weight(&self) -> Option<ParamId> {
        self.weight
    }

    /// The bias, if there is one.
    pub fn bias(&self) -> Option<ParamId> {
        self.bias
    }
}

/// The options of a [`LayerNorm`] layer.
#[derive(Clone, Debug)]
pub struct LayerNormBuilder {
    features: Shape,
    epsilon: f64,
    weight: bool,
    bias: bool,
}

impl LayerNormBuilder {
    /// What is added to the variance. Default 10⁻⁵; files of BERT want 10⁻¹².
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
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
    #[doc(alias = "elementwise_affine")]
    #[must_use]
    pub fn no_affine(mut self) -> Self {
        (self.weight, self.bias) = (false, false);
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If ε is negative or no number, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> LayerNorm {
        let LayerNormBuilder { features, epsilon, weight, bias } = self;
        assert!(epsilon >= 0.0, "layer_norm: ε is {epsilon}, which is not 0 or more");
        let weight = p.optional("weight", &features, weight.then_some(Init::Ones));
        let bias = p.optional("bias", &features, bias.then_some(Init::Zeros));
        LayerNorm { weight, bias, features, epsilon }
    }
}

impl<T: Float> Layer<T> for LayerNorm {
    /// # Panics
    /// If the last axes of `x` are not those of the layer, or it belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (shape, features) = (x.shape(), &self.features);
        assert!(
            shape.ends_with(features),
            "layer_norm: the input has shape {shape}, but the layer normalises axes of shape {features}"
        );
        let weight = match self.weight {
            Some(id) => cx.param_of("layer_norm", id),
            None => Var::ones(features),
        };
        let bias = match self.bias {
            Some(id) => cx.param_of("layer_norm", id),
            None => Var::zeros(features),
        };
        cx.trace("LayerNorm", &[self.weight, self.bias], x.layer_norm(&weight, &bias, self.epsilon))
    }
}
