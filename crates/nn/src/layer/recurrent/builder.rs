//! The options of recurrent layers.

use wengert_tensor::{Float, size};

use super::layer::Recurrent;
use super::unit::Unit;
use super::weights::{Sizes, Weights};
use crate::layer::dropout::probability;
use crate::params::Scope;

/// The options of a [`Recurrent`] layer.
#[derive(Clone, Debug)]
pub struct RecurrentBuilder<U> {
    pub(super) unit: U,
    pub(super) sizes: Sizes,
    pub(super) layers: usize,
    pub(super) bidirectional: bool,
    pub(super) batch_first: bool,
    pub(super) dropout: f64,
}

impl<U: Unit> RecurrentBuilder<U> {
    pub(super) fn new(input: usize, hidden: usize) -> Self {
        let sizes = Sizes { input, hidden, projection: None, bias: true };
        let unit = U::default();
        RecurrentBuilder { unit, sizes, layers: 1, bidirectional: false, batch_first: false, dropout: 0.0 }
    }

    /// Layers one on top of the other, each of which takes the output of the one below. Default 1.
    #[doc(alias = "num_layers")]
    #[must_use]
    pub fn layers(mut self, layers: usize) -> Self {
        self.layers = layers;
        self
    }

    /// Each layer reads the sequence in both directions; its output has those of both, one behind the other.
    #[must_use]
    pub fn bidirectional(mut self) -> Self {
        self.bidirectional = true;
        self
    }

    /// Dropout, in training, of the output of every layer but the last. Default 0.
    #[must_use]
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// Input and output `[batch, steps, …]` instead of `[steps, batch, …]`. States stay `[layers · directions, batch, …]`.
    ///
    /// ```
    /// use wengert_nn::{Gru, Layer, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let gru = Gru::builder(3, 5).layers(2).dropout(0.1).batch_first().build(params.root());
    /// let y = params.infer(|cx| gru.forward(cx, &Var::zeros([2, 7, 3])));
    /// assert_eq!(y.shape(), &[2, 7, 5]);
    /// ```
    #[must_use]
    pub fn batch_first(mut self) -> Self {
        self.batch_first = true;
        self
    }

    /// No biases.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.sizes.bias = false;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If there are no layers, the dropout is no probability, a projection is not smaller than the number of hidden units,
    /// the place already has parameters of those names, or they have too many elements.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> Recurrent<U> {
        let RecurrentBuilder { sizes, layers, dropout, .. } = self;
        assert!(layers > 0, "{}: there are no layers", U::NAME);
        probability(U::NAME, dropout);
        if let Some(size) = sizes.projection {
            let hidden = sizes.hidden;
            assert!(
                0 < size && size < hidden,
                "{}: a projection to {size} of {hidden} hidden units",
                U::NAME
            );
        }
        let directions = if self.bidirectional { 2 } else { 1 };
        let mut weights = Vec::new();
        for layer in 0..layers {
            let below = size::product(U::NAME, &[directions, sizes.output()]);
            let input = if layer == 0 { sizes.input } else { below };
            for direction in ["", "_reverse"].into_iter().take(directions) {
                let suffix = format!("_l{layer}{direction}");
                weights.push(Weights::make::<U, T>(&mut p, Sizes { input, ..sizes }, &suffix));
            }
        }
        Recurrent { options: self, weights }
    }
}
