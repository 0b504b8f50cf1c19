//! Layers one after the other.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;
use crate::params::Scope;

/// Layers applied one after the other.
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
pub struct Sequential<T: Float = f32> {
    layers: Vec<Box<dyn Layer<T>>>,
}

impl<T: Float> Sequential<T> {
    /// These layers, whose parameters have already been made.
    pub fn new(layers: Vec<Box<dyn Layer<T>>>) -> Self {
        Sequential { layers }
    }

    /// Makes layers whose parameters are named by the layers' positions, as in PyTorch: `0.weight`, `2.bias`.
    pub fn builder(p: Scope<'_, T>) -> SequentialBuilder<'_, T> {
        SequentialBuilder { scope: p, layers: Vec::new() }
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

/// A [`Sequential`] being built.
pub struct SequentialBuilder<'a, T: Float = f32> {
    scope: Scope<'a, T>,
    layers: Vec<Box<dyn Layer<T>>>,
}

impl<T: Float> SequentialBuilder<'_, T> {
    /// Appends a layer that makes its parameters in the place it is given.
    ///
    /// # Panics
    /// If there are already parameters of those names.
    #[must_use]
    #[track_caller]
    pub fn with<L: Layer<T> + 'static>(mut self, layer: impl FnOnce(Scope<'_, T>) -> L) -> Self {
        let name = self.layers.len().to_string();
        self.layers.push(Box::new(layer(self.scope.at(&name))));
        self
    }

    /// Appends a layer without parameters of its own.
    #[must_use]
    pub fn then(mut self, layer: impl Layer<T> + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers so far.
    pub fn build(self) -> Sequential<T> {
        Sequential { layers: self.layers }
    }
}

impl<T: Float> Layer<T> for Sequential<T> {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let mut y = x.clone();
        for layer in &self.layers {
            y = layer.forward(cx, &y);
        }
        y
    }
}
