//! The fully connected layer.

pub(super) mod map;

pub(in crate::layer) use map::linear;
use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::observe::Affine;
use crate::params::{ParamId, Scope};

/// x·Wᵀ + b over the last axis of `[…, in_features]`.
///
/// Parameters as in PyTorch: `weight` of shape `[out_features, in_features]` and `bias` of shape `[out_features]`, both
/// uniform in ±1/√in_features at the start unless [`Linear::builder`] says otherwise.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let layer = Linear::new(params.at("hidden"), 784, 128);
/// let y = params.infer(|cx| layer.forward(cx, &Var::zeros([64, 784])));
/// assert_eq!(y.shape(), &[64, 128]);
/// ```
#[doc(alias = "nn.Linear")]
#[doc(alias = "Dense")]
#[derive(Clone, Debug)]
pub struct Linear {
    weight: ParamId,
    bias: Option<ParamId>,
    in_features: usize,
    out_features: usize,
}

impl Linear {
    /// A layer with bias and PyTorch's initial values.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, in_features: usize, out_features: usize) -> Self {
        Linear::builder(in_features, out_features).build(p)
    }

    /// A layer with options.
    ///
    /// ```
    /// use wengert_nn::{Init, Linear, Params};
    /// let mut params: Params = Params::seeded(0);
    /// Linear::builder(4, 3).weight(Init::xavier_uniform()).no_bias().build(params.at("out"));
    /// assert_eq!(params.len(), 12);
    /// ```
    pub fn builder(in_features: usize, out_features: usize) -> LinearBuilder {
        LinearBuilder {
            in_features,
            out_features,
            weight: Init::pytorch_weight(),
            bias: Some(Init::pytorch_bias(in_features)),
        }
    }

    /// The weight, of shape `[out_features, in_features]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The bias, of shape `[out_features]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.bias
    }
}

/// The options of a [`Linear`] layer.
#[derive(Clone, Debug)]
pub struct LinearBuilder {
    in_features: usize,
    out_features: usize,
    weight: Init,
    bias: Option<Init>,
}

impl LinearBuilder {
    /// How the weight starts.
    #[must_use]
    pub fn weight(mut self, init: Init) -> Self {
        self.weight = init;
        self
    }

    /// How the bias starts.
    #[must_use]
    pub fn bias(mut self, init: Init) -> Self {
        self.bias = Some(init);
        self
    }

    /// No bias.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.bias = None;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> Linear {
        let LinearBuilder { in_features, out_features, weight, bias } = self;
        let weight = p.param("weight", [out_features, in_features], weight);
        let bias = p.optional("bias", &[out_features], bias);
        Linear { weight, bias, in_features, out_features }
    }
}

impl<T: Float> Layer<T> for Linear {
    /// # Panics
    /// If the last axis of `x` is not `in_features` long, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (weight, bias) = cx.weight_and_bias("linear", self.weight, self.bias);
        assert!(
            x.shape().last() == Some(&self.in_features),
            "linear: the input has shape {}, but `{}` maps {} features to {}",
            x.shape(),
            cx.layout().entry("linear", self.weight).name,
            self.in_features,
            self.out_features
        );
        let layer = cx.enter("Linear");
        let y = linear(x, &weight, bias.as_ref());
        cx.affine(Affine { weight: self.weight, bias: self.bias, convolution: None }, x, &y);
        layer.leave(&[Some(self.weight), self.bias], y)
    }
}
