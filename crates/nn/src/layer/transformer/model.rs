//! An encoder and a decoder.

use wengert_tape::{AttentionMask, Var};
use wengert_tensor::Float;

use super::{TransformerBuilder, TransformerDecoder, TransformerEncoder};
use crate::ctx::Ctx;
use crate::params::Scope;

/// A transformer of an encoder and a decoder (Vaswani et al., "Attention is all you need", 2017), without embeddings and the
/// map to a vocabulary, as PyTorch's. Its parts are `encoder` and `decoder`, each with a `norm` at the end.
///
/// ```
/// use wengert_nn::{Params, TransformerBuilder};
/// use wengert_tape::{AttentionMask, Var};
/// let mut params: Params = Params::seeded(0);
/// let model = TransformerBuilder::new(16, 4).feed_forward(32).transformer(params.at("model"), [2, 1]);
/// let (source, target) = (Var::ones([3, 7, 16]), Var::ones([3, 4, 16]));
/// // The second source has 5 positions, the third 2.
/// let padding = AttentionMask::lengths(&wengert_tensor::Tensor::from([7u32, 5, 2]));
/// let masks = [&padding, &AttentionMask::causal(), &padding];
/// let y = params.infer(|cx| model.forward_with(cx, &source, &target, masks));
/// assert_eq!(y.shape(), &[3, 4, 16]);
/// ```
#[doc(alias = "nn.Transformer")]
#[derive(Clone, Debug)]
pub struct Transformer {
    /// What reads the source.
    pub encoder: TransformerEncoder,
    /// What makes the target.
    pub decoder: TransformerDecoder,
}

impl Transformer {
    /// PyTorch's defaults: six layers each, of 512 features, 8 heads and 2048 features between the affine maps are
    /// `Transformer::new(p, 512, 8, [6, 6])`.
    ///
    /// # Panics
    /// If the heads do not divide the width, or the place already has parameters of those names.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, width: usize, heads: usize, layers: [usize; 2]) -> Self {
        TransformerBuilder::new(width, heads).transformer(p, layers)
    }

    /// The output `[batch, target length, width]` for a source and a target, with masks of the source's attention to itself,
    /// the target's to itself, and the target's to the source.
    ///
    /// # Panics
    /// If source and target are not of one batch and of that width, or a mask does not suit them.
    #[track_caller]
    pub fn forward_with<T: Float>(
        &self,
        cx: &Ctx<T>,
        source: &Var<T>,
        target: &Var<T>,
        [source_mask, target_mask, memory_mask]: [&AttentionMask<T>; 3],
    ) -> Var<T> {
        let memory = self.encoder.forward_masked(cx, source, source_mask);
        self.decoder.forward_with(cx, target, &memory, [target_mask, memory_mask])
    }
}
