//! Two layers of any types, one after the other.

use std::fmt;
use std::marker::PhantomData;

use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// A layer and the one that takes what it gives, a `Y`: made by [`Chain::new`], and itself a layer from the input of the first
/// to the output of the second. Chains of chains hold any number.
///
/// ```
/// use wengert_nn::{Chain, Ctx, Init, Lambda, Layer, Linear, ParamId, Params};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
///
/// /// A learned vector for each word, and which of the words are none.
/// struct Words(ParamId);
///
/// impl Layer<f32, Tensor<u32>, (Var, Tensor<bool>)> for Words {
///     fn forward(&self, cx: &Ctx, words: &Tensor<u32>) -> (Var, Tensor<bool>) {
///         (cx.param(self.0).index_select(0, words), words.equal(0))
///     }
/// }
///
/// /// The mean over the words that are.
/// struct Mean;
///
/// impl Layer<f32, (Var, Tensor<bool>)> for Mean {
///     fn forward(&self, _: &Ctx, (x, none): &(Var, Tensor<bool>)) -> Var {
///         let words = none.iter().filter(|none| !none).count();
///         x.masked_fill(&none.unsqueeze(-1), 0.0).sum_axes(0, true) / words as f64
///     }
/// }
///
/// let mut params: Params = Params::seeded(0);
/// let words = Words(params.root().param("weight", [100, 8], Init::xavier_normal()));
/// let model = Chain::new(Chain::new(words, Mean), Linear::new(params.at("out"), 8, 2));
/// let scores = params.infer(|cx| model.forward(cx, &Tensor::from([3u32, 14, 0, 0])));
/// assert_eq!(scores.shape(), &[1, 2]);
/// ```
pub struct Chain<A, B, Y> {
    first: A,
    second: B,
    between: PhantomData<fn() -> Y>,
}

impl<A, B, Y> Chain<A, B, Y> {
    /// `first`, then `second`.
    pub fn new(first: A, second: B) -> Self {
        Chain { first, second, between: PhantomData }
    }
}

impl<T: Float, X: ?Sized, Y, Z, A: Layer<T, X, Y>, B: Layer<T, Y, Z>> Layer<T, X, Z> for Chain<A, B, Y> {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &X) -> Z {
        self.second.forward(cx, &self.first.forward(cx, x))
    }
}

impl<A: fmt::Debug, B: fmt::Debug, Y> fmt::Debug for Chain<A, B, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.first).field(&self.second).finish()
    }
}

impl<A: Clone, B: Clone, Y> Clone for Chain<A, B, Y> {
    fn clone(&self) -> Self {
        Chain::new(self.first.clone(), self.second.clone())
    }
}
