//! Layers one after the other.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::Scope;

/// Layers applied one after the other: the first from any input, the others from variables to variables. Where more than
/// the first input is of another type, [`Chain`](crate::Chain) holds two layers by their types.
///
/// Its layers are called through a table of functions, which does not pass on the caller's line: where one of them panics,
/// the line is the layer's own, and the message names the layer by its parameter.
///
/// ```
/// use wengert_nn::{Layer, Linear, Params, Relu, Sequential};
/// use wengert_tape::Var;
///
/// let mut params: Params = Params::seeded(0);
/// let model = Sequential::builder(params.at("net"))
///     .with(|p| Linear::new(p, 784, 128))
///     .then(Relu)
///     .with(|p| Linear::new(p, 128, 10))
///     .build();
/// let logits = params.infer(|cx| model.forward(cx, &Var::zeros([2, 784])));
/// assert_eq!(logits.shape(), &[2, 10]);
/// assert!(params.id("net.0.weight").is_some() && params.id("net.2.bias").is_some());
/// ```
#[doc(alias = "nn.Sequential")]
pub struct Sequential<T: Float = f32, X: ?Sized = Var<T>> {
    /// Passes variables on, where all layers are in the rest.
    first: Box<dyn Layer<T, X>>,
    rest: Vec<Box<dyn Layer<T>>>,
    len: usize,
}

impl<T: Float> Sequential<T> {
    /// These layers, whose parameters have already been made.
    pub fn new(layers: Vec<Box<dyn Layer<T>>>) -> Self {
        Sequential { first: Box::new(Start), len: layers.len(), rest: layers }
    }

    /// Makes layers whose parameters are named by the layers' positions, as in PyTorch: `0.weight`, `2.bias`.
    pub fn builder(p: Scope<'_, T>) -> SequentialBuilder<'_, T> {
        SequentialBuilder { scope: p, first: Box::new(Start), rest: Vec::new(), len: 0 }
    }
}

impl<T: Float, X: ?Sized> Sequential<T, X> {
    /// Like [`builder`](Sequential::builder), with a first layer whose input is of any type.
    ///
    /// ```
    /// use wengert_nn::{Ctx, Init, Layer, Linear, ParamId, Params, Scope, Sequential, Tanh};
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    ///
    /// /// A learned vector for each word.
    /// struct Words(ParamId);
    ///
    /// impl Layer<f32, Tensor<u32>> for Words {
    ///     fn forward(&self, cx: &Ctx, words: &Tensor<u32>) -> Var {
    ///         cx.param(self.0).index_select(0, words)
    ///     }
    /// }
    ///
    /// let mut params: Params = Params::seeded(0);
    /// let words = |mut p: Scope| Words(p.param("weight", [100, 8], Init::xavier_normal()));
    /// let model = Sequential::starting(params.at("net"), words).then(Tanh).with(|p| Linear::new(p, 8, 2)).build();
    /// let scores = params.infer(|cx| model.forward(cx, &Tensor::from([3, 3, 14])));
    /// assert_eq!(scores.shape(), &[3, 2]);
    /// assert!(params.id("net.0.weight").is_some() && params.id("net.2.bias").is_some());
    /// ```
    ///
    /// # Panics
    /// If there are already parameters of those names.
    #[track_caller]
    pub fn starting<'a, L: Layer<T, X> + 'static>(
        mut p: Scope<'a, T>,
        layer: impl FnOnce(Scope<'_, T>) -> L,
    ) -> SequentialBuilder<'a, T, X> {
        let first = Box::new(layer(p.at("0")));
        SequentialBuilder { scope: p, first, rest: Vec::new(), len: 1 }
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A [`Sequential`] being built.
pub struct SequentialBuilder<'a, T: Float = f32, X: ?Sized = Var<T>> {
    scope: Scope<'a, T>,
    first: Box<dyn Layer<T, X>>,
    rest: Vec<Box<dyn Layer<T>>>,
    len: usize,
}

impl<T: Float, X: ?Sized> SequentialBuilder<'_, T, X> {
    /// Appends a layer that makes its parameters in the place it is given.
    ///
    /// # Panics
    /// If there are already parameters of those names.
    #[must_use]
    #[track_caller]
    pub fn with<L: Layer<T> + 'static>(mut self, layer: impl FnOnce(Scope<'_, T>) -> L) -> Self {
        let layer = layer(self.scope.at(self.len.to_string()));
        self.then(layer)
    }

    /// Appends a layer without parameters of its own.
    #[must_use]
    pub fn then(mut self, layer: impl Layer<T> + 'static) -> Self {
        self.rest.push(Box::new(layer));
        self.len += 1;
        self
    }

    /// The layers so far.
    pub fn build(self) -> Sequential<T, X> {
        Sequential { first: self.first, rest: self.rest, len: self.len }
    }
}

impl<T: Float, X: ?Sized> Layer<T, X> for Sequential<T, X> {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &X) -> Var<T> {
        let mut y = self.first.forward(cx, x);
        for layer in &self.rest {
            y = layer.forward(cx, &y);
        }
        y
    }
}

/// What is before the first layer.
struct Start;

impl<T: Float> Layer<T> for Start {
    fn forward(&self, _: &Ctx<T>, x: &Var<T>) -> Var<T> {
        x.clone()
    }
}
