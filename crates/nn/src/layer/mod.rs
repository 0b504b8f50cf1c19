//! Layers, one file each.

mod activation;
mod adaptive_softmax;
mod attention;
mod bilinear;
mod chain;
mod conv;
mod dropout;
mod embedding;
mod extents;
mod flatten;
mod identity;
mod lambda;
mod linear;
mod normalise;
mod pad;
mod parallel;
mod parametrize;
mod pool;
mod positions;
mod recurrent;
mod residual;
mod resize;
mod sequential;
mod similarity;
mod transformer;
mod unflatten;

pub use activation::*;
pub use adaptive_softmax::{AdaptiveLogSoftmax, AdaptiveLogSoftmaxBuilder};
pub use attention::{KeyValueCache, MultiheadAttention, MultiheadAttentionBuilder};
pub use bilinear::{Bilinear, BilinearBuilder};
pub use chain::Chain;
pub(crate) use conv::four_axes;
pub use conv::*;
pub use dropout::*;
pub use embedding::{BagMode, Embedding, EmbeddingBag, EmbeddingBagBuilder, EmbeddingBuilder};
pub use extents::{Extents, Pair, Sides};
pub use flatten::Flatten;
pub use identity::Identity;
pub use lambda::Lambda;
pub use linear::{Linear, LinearBuilder};
pub use normalise::*;
pub use pad::*;
pub use parallel::{Parallel, ParallelBuilder};
pub use parametrize::*;
pub use pool::*;
pub use positions::{LearnedPositions, RotaryPositions, SinusoidalPositions, alibi};
pub use recurrent::*;
pub use residual::Residual;
pub use resize::*;
pub use sequential::{Sequential, SequentialBuilder};
pub use similarity::{CosineSimilarity, PairwiseDistance};
pub use transformer::{
    FeedForward, Transformer, TransformerBuilder, TransformerDecoder, TransformerDecoderLayer,
    TransformerEncoder, TransformerEncoderLayer,
};
pub use unflatten::Unflatten;

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;

/// A differentiable function with parameters.
///
/// A layer is a struct of [`ParamId`](crate::ParamId)s and other layers; it needs no more than `forward`.
///
/// ```
/// use wengert_nn::{Ctx, Init, Layer, ParamId, Params, Scope};
/// use wengert_tape::Var;
///
/// /// Multiplies every feature by a factor of its own.
/// struct Scale { factor: ParamId }
///
/// impl Scale {
///     fn new(mut p: Scope, features: usize) -> Self {
///         Scale { factor: p.param("factor", features, Init::Ones) }
///     }
/// }
///
/// impl Layer for Scale {
///     fn forward(&self, cx: &Ctx, x: &Var) -> Var {
///         x * cx.param(self.factor)
///     }
/// }
///
/// let mut params = Params::seeded(0);
/// let scale = Scale::new(params.at("scale"), 3);
/// let (_, grads) = params.value_and_grad(|cx| scale.forward(cx, &Var::ones([2, 3])).sum())?;
/// assert_eq!(&grads[..], [2.0, 2.0, 2.0]);
/// # Ok::<(), wengert_nn::GradError>(())
/// ```
///
/// Most layers map a variable to a variable. Others name what they take and give:
///
/// ```
/// use wengert_nn::{Ctx, Init, Layer, ParamId, Params};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
///
/// /// A learned vector for each word of a vocabulary.
/// struct Words(ParamId);
///
/// impl Layer<f32, Tensor<u32>> for Words {
///     fn forward(&self, cx: &Ctx, words: &Tensor<u32>) -> Var {
///         cx.param(self.0).index_select(0, words)
///     }
/// }
///
/// let mut params: Params = Params::seeded(0);
/// let words = Words(params.root().param("weight", [100, 8], Init::xavier_normal()));
/// let vectors = params.infer(|cx| words.forward(cx, &Tensor::from([3, 3, 14])));
/// assert_eq!(vectors.shape(), &[3, 8]);
/// ```
#[doc(alias = "Module")]
#[doc(alias = "nn.Module")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no layer from `{X}` to `{Y}` in elements `{T}`",
    label = "`Layer<{T}, {X}, {Y}>` is not implemented for `{Self}`",
    note = "`impl Layer for …` means `f32`: `impl<T: Float> Layer<T> for …` serves both precisions",
    note = "a sequence whose first layer takes something else than a variable begins with `Sequential::starting`",
    note = "a closure becomes a layer by `Lambda::new(|cx, x| …)`"
)]
pub trait Layer<T: Float = f32, X: ?Sized = Var<T>, Y = Var<T>> {
    /// The layer's output for an input.
    #[doc(alias = "call")]
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &X) -> Y;
}

impl<T: Float, X: ?Sized, Y, L: Layer<T, X, Y> + ?Sized> Layer<T, X, Y> for &L {
    fn forward(&self, cx: &Ctx<T>, x: &X) -> Y {
        (**self).forward(cx, x)
    }
}

impl<T: Float, X: ?Sized, Y, L: Layer<T, X, Y> + ?Sized> Layer<T, X, Y> for Box<L> {
    fn forward(&self, cx: &Ctx<T>, x: &X) -> Y {
        (**self).forward(cx, x)
    }
}
