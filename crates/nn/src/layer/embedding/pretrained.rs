//! Tables that are there already.

use wengert_tensor::{Float, Tensor};

use super::{Embedding, EmbeddingBuilder};
use crate::init::Init;
use crate::params::Scope;

impl Embedding {
    /// A table of given vectors `[tokens, width]`, which stay as they are: the parameter is frozen, as by
    /// [`Params::freeze`](crate::Params::freeze), and can be [unfrozen](crate::Params::unfreeze).
    ///
    /// ```
    /// use wengert_nn::{Embedding, Layer, Params};
    /// use wengert_tensor::Tensor;
    /// let vectors = Tensor::from([[0.5f32, 1.5], [2.5, 3.5]]);
    /// let mut params: Params = Params::seeded(0);
    /// let words = Embedding::from_pretrained(params.at("words"), &vectors);
    /// let y = params.infer(|cx| words.forward(cx, &Tensor::from([1u32])));
    /// assert_eq!(y.value().to_vec(), [2.5, 3.5]);
    /// params.values_mut().fill(0.0);
    /// assert_eq!(params.get("words.weight").unwrap(), [0.5, 1.5, 2.5, 3.5]);
    /// params.unfreeze("words.weight");
    /// ```
    ///
    /// # Panics
    /// If the vectors are no matrix, or the place already has a `weight`.
    #[track_caller]
    pub fn from_pretrained<T: Float>(p: Scope<'_, T>, vectors: &Tensor<T>) -> Self {
        let shape = vectors.shape();
        assert!(shape.len() == 2, "embedding: vectors of shape {shape}, not [tokens, width]");
        Embedding::builder(shape[0], shape[1]).build_from(p, vectors)
    }
}

impl EmbeddingBuilder {
    /// Makes a table of given vectors, frozen: see [`Embedding::from_pretrained`]. The row of the padding is given, too.
    ///
    /// # Panics
    /// If the vectors do not have the shape of the table, or where [`build`](EmbeddingBuilder::build) does.
    ///
    /// ```
    /// use wengert_nn::{Embedding, Layer, Params};
    /// use wengert_tensor::Tensor;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let vectors = Tensor::from([[0.5f64, 1.5], [2.5, 3.5]]);
    /// let words = Embedding::builder(2, 2).max_norm(10.0).build_from(params.root(), &vectors);
    /// let y = params.infer(|cx| words.forward(cx, &Tensor::from([0u32])));
    /// assert_eq!(y.value().to_vec(), [0.5, 1.5]);
    /// ```
    #[track_caller]
    pub fn build_from<T: Float>(self, mut p: Scope<'_, T>, vectors: &Tensor<T>) -> Embedding {
        let [tokens, width] = self.size;
        assert!(
            vectors.shape()[..] == self.size,
            "embedding: vectors of shape {} for a table of {tokens} tokens and width {width}",
            vectors.shape()
        );
        let (padding, limit) = (super::padding_token(tokens, self.padding), self.limit());
        let weight = p.param("weight", self.size, Init::Zeros);
        p.write(weight, |values| values.copy_from_slice(&vectors.to_vec()));
        p.freeze(weight);
        Embedding { weight, padding, limit }
    }
}
