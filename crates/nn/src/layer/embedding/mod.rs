//! Learned vectors for tokens.

mod bag;
mod pretrained;

pub use bag::{BagMode, EmbeddingBag, EmbeddingBagBuilder};

use wengert_tape::{Index, Var};
use wengert_tensor::{Float, Tensor};

use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::Layer;
use crate::params::{ParamId, Params, Scope};

/// A learned vector for each token: `[…]` of `u32` to `[…, width]`.
///
/// One parameter as in PyTorch, `weight` of shape `[tokens, width]`, normally distributed with mean 0 and deviation 1 at the
/// start. The row of a [padding](EmbeddingBuilder::padding) token is 0 at the start and gets no gradient.
///
/// ```
/// use wengert_nn::{Embedding, Layer, Params};
/// use wengert_tensor::Tensor;
/// let mut params: Params = Params::seeded(0);
/// let words = Embedding::builder(100, 8).padding(-1).build(params.at("words"));
/// let y = params.infer(|cx| words.forward(cx, &Tensor::from([[3u32, 14], [3, 99]])));
/// assert_eq!(y.shape(), &[2, 2, 8]);
/// assert_eq!(y.select(0, 1).select(0, 1).value().to_vec(), [0.0; 8]);
/// ```
#[doc(alias = "nn.Embedding")]
#[derive(Clone, Debug)]
pub struct Embedding {
    weight: ParamId,
    padding: Option<usize>,
    limit: Option<Limit>,
}

/// The largest norm that a row may have.
#[derive(Clone, Copy, Debug)]
struct Limit {
    norm: f64,
    /// Which norm.
    p: f64,
}

impl Embedding {
    /// A table without padding, normally distributed.
    ///
    /// # Panics
    /// If the place already has a `weight`, or it has too many elements.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, tokens: usize, width: usize) -> Self {
        Embedding::builder(tokens, width).build(p)
    }

    /// A table with options.
    pub fn builder(tokens: usize, width: usize) -> EmbeddingBuilder {
        let weight = Init::Normal { mean: 0.0, std: 1.0 };
        EmbeddingBuilder { size: [tokens, width], weight, padding: None, max_norm: None, norm_type: 2.0 }
    }

    /// The table, of shape `[tokens, width]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The token that stands for padding.
    pub fn padding(&self) -> Option<usize> {
        self.padding
    }

    /// Scales the rows whose norm is larger than [`max_norm`](EmbeddingBuilder::max_norm) down to it. A step of projected
    /// gradient descent: to be called behind the optimiser's. (PyTorch does so inside of the forward pass, to the rows that it
    /// reads; here a forward pass changes nothing.) Without a limit it does nothing.
    ///
    /// ```
    /// use wengert_nn::{Embedding, Params};
    /// let mut params: Params = Params::seeded(0);
    /// let words = Embedding::builder(10, 3).max_norm(0.5).build(params.root());
    /// words.project(&mut params);
    /// assert!(params.values().chunks(3).all(|row| row.iter().map(|x| x * x).sum::<f32>() <= 0.250_001));
    /// ```
    ///
    /// # Panics
    /// If the layer belongs to another `Params`.
    #[track_caller]
    pub fn project<T: Float>(&self, params: &mut Params<T>) {
        let width = params.shape(self.weight)[1];
        let Some(Limit { norm: limit, p }) = self.limit else { return };
        for row in params.slice_mut(self.weight).chunks_exact_mut(width.max(1)) {
            let norm = norm(row, p);
            if norm > limit {
                row.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() * (limit / norm)));
            }
        }
    }

    #[track_caller]
    fn rows<T: Float>(&self, cx: &Ctx<T>, tokens: impl Into<Index<T>>) -> Var<T> {
        cx.param_of("embedding", self.weight).embedding(tokens, self.padding)
    }
}

/// (Σ |x|ᵖ)^(1/p), without overflow on the way; the largest |x| for p = ∞.
fn norm<T: Float>(row: &[T], p: f64) -> f64 {
    let largest = row.iter().fold(0.0f64, |largest, x| largest.max(x.to_f64().abs()));
    if largest == 0.0 || !largest.is_finite() || p == f64::INFINITY {
        return largest;
    }
    largest * row.iter().map(|x| (x.to_f64().abs() / largest).powf(p)).sum::<f64>().powf(1.0 / p)
}

/// The options of an [`Embedding`].
#[derive(Clone, Debug)]
pub struct EmbeddingBuilder {
    size: [usize; 2],
    weight: Init,
    padding: Option<isize>,
    max_norm: Option<f64>,
    norm_type: f64,
}

impl EmbeddingBuilder {
    /// How the table starts, but for the row of the padding.
    #[must_use]
    pub fn weight(mut self, init: Init) -> Self {
        self.weight = init;
        self
    }

    /// The token that stands for padding: its row is 0 at the start and gets no gradient. A negative one counts from the end.
    #[doc(alias = "padding_idx")]
    #[must_use]
    pub fn padding(mut self, token: isize) -> Self {
        self.padding = Some(token);
        self
    }

    /// The largest norm that a row has behind [`Embedding::project`].
    #[must_use]
    pub fn max_norm(mut self, norm: f64) -> Self {
        self.max_norm = Some(norm);
        self
    }

    /// The p of that norm, (Σ |x|ᵖ)^(1/p), which may be infinite. Default 2.
    ///
    /// ```
    /// use wengert_nn::{Embedding, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let words = Embedding::builder(10, 3).max_norm(0.5).norm_type(f64::INFINITY).build(params.root());
    /// words.project(&mut params);
    /// assert!(params.values().iter().all(|x| x.abs() <= 0.5 + 1e-12));
    /// ```
    #[must_use]
    pub fn norm_type(mut self, p: f64) -> Self {
        self.norm_type = p;
        self
    }

    /// Makes the table.
    ///
    /// # Panics
    /// If there is no such token as the padding, a norm is not positive, the place already has a `weight`, or it has too many
    /// elements.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> Embedding {
        let padding = padding_token(self.size[0], self.padding);
        let limit = self.limit();
        let weight = p.param("weight", self.size, self.weight);
        if let Some(padding) = padding {
            let width = self.size[1];
            p.write(weight, |values| values[padding * width..][..width].fill(T::ZERO));
        }
        Embedding { weight, padding, limit }
    }

    #[track_caller]
    fn limit(&self) -> Option<Limit> {
        let (max_norm, p) = (self.max_norm?, self.norm_type);
        assert!(
            max_norm > 0.0 && p > 0.0,
            "embedding: a norm of type {p} of at most {max_norm} is not positive"
        );
        Some(Limit { norm: max_norm, p })
    }
}

/// The position of a token that may be counted from the end.
#[track_caller]
fn padding_token(tokens: usize, padding: Option<isize>) -> Option<usize> {
    let padding = padding?;
    let position =
        if padding < 0 { tokens.checked_sub(padding.unsigned_abs()) } else { Some(padding as usize) };
    match position.filter(|&at| at < tokens) {
        Some(position) => Some(position),
        None => panic!("embedding: there is no token {padding} among {tokens} for padding"),
    }
}

impl<T: Float> Layer<T, Tensor<u32>> for Embedding {
    /// # Panics
    /// If a token is not below the number of tokens, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, tokens: &Tensor<u32>) -> Var<T> {
        cx.enter("Embedding").leave(&[Some(self.weight)], self.rows(cx, tokens))
    }
}

impl<T: Float> Layer<T, Index<T>> for Embedding {
    /// # Panics
    /// If a token is not below the number of tokens, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, tokens: &Index<T>) -> Var<T> {
        cx.enter("Embedding").leave(&[Some(self.weight)], self.rows(cx, tokens))
    }
}
