//! Layers that attend to their own input and to a memory.

use wengert_tape::{AttentionMask, Var};
use wengert_tensor::Float;

use super::TransformerBuilder;
use super::encoder::{normalised, residual};
use super::feed_forward::FeedForwardNet;
use crate::ctx::Ctx;
use crate::layer::{Dropout, LayerNorm, MultiheadAttention};
use crate::params::Scope;

/// An encoder layer that between its two parts attends to a memory, the output of an encoder (Vaswani et al., "Attention is
/// all you need", 2017).
///
/// Parts as in PyTorch: `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1`, `norm2` and `norm3`. See
/// [`TransformerBuilder`] for options.
///
/// ```
/// use wengert_nn::{Params, TransformerDecoderLayer};
/// use wengert_tape::{AttentionMask, Var};
/// let mut params: Params = Params::seeded(0);
/// let layer = TransformerDecoderLayer::new(params.at("layer"), 16, 4);
/// let (x, memory) = (Var::ones([2, 5, 16]), Var::ones([2, 7, 16]));
/// let masks = [&AttentionMask::causal(), &AttentionMask::none()];
/// let y = params.infer(|cx| layer.forward_with(cx, &x, &memory, masks));
/// assert_eq!(y.shape(), &[2, 5, 16]);
/// ```
#[doc(alias = "nn.TransformerDecoderLayer")]
#[derive(Clone, Debug)]
pub struct TransformerDecoderLayer {
    self_attention: MultiheadAttention,
    to_memory: MultiheadAttention,
    feed_forward: FeedForwardNet,
    norm1: LayerNorm,
    norm2: LayerNorm,
    norm3: LayerNorm,
    dropout: Dropout,
    norm_first: bool,
}

impl TransformerDecoderLayer {
    /// With PyTorch's defaults.
    ///
    /// # Panics
    /// If the heads do not divide the width, or the place already has parameters of those names.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, width: usize, heads: usize) -> Self {
        TransformerBuilder::new(width, heads).decoder_layer(p)
    }

    #[track_caller]
    pub(super) fn made<T: Float>(mut p: Scope<'_, T>, options: &TransformerBuilder) -> Self {
        TransformerDecoderLayer {
            self_attention: options.attention(p.at("self_attn"), true),
            to_memory: options.attention(p.at("multihead_attn"), false),
            feed_forward: FeedForwardNet::new(&mut p, options),
            norm1: options.norm(&mut p, "norm1"),
            norm2: options.norm(&mut p, "norm2"),
            norm3: options.norm(&mut p, "norm3"),
            dropout: Dropout::new(options.dropout),
            norm_first: options.norm_first,
        }
    }

    /// The layer's output for x and a memory, both `[batch, length, width]`, with masks of the attention to x and of that to
    /// the memory.
    ///
    /// # Panics
    /// If x and the memory are not of one batch and of that width, or a mask does not suit them.
    #[doc(alias = "tgt_mask")]
    #[doc(alias = "memory_mask")]
    #[track_caller]
    pub fn forward_with<T: Float>(
        &self,
        cx: &Ctx<T>,
        x: &Var<T>,
        memory: &Var<T>,
        [mask, memory_mask]: [&AttentionMask<T>; 2],
    ) -> Var<T> {
        let (dropout, first) = (&self.dropout, self.norm_first);
        let x =
            residual(cx, x, &self.norm1, dropout, first, |x| self.self_attention.attend(cx, [x, x, x], mask));
        let x = residual(cx, &x, &self.norm2, dropout, first, |x| {
            self.to_memory.attend(cx, [x, memory, memory], memory_mask)
        });
        residual(cx, &x, &self.norm3, dropout, first, |x| self.feed_forward.forward(cx, x))
    }
}

/// A stack of decoder layers, and perhaps a normalisation, `norm`, behind them: made by [`TransformerBuilder::decoder`].
///
/// ```
/// use wengert_nn::{Params, TransformerBuilder, TransformerDecoder};
/// use wengert_tape::{AttentionMask, Var};
/// let mut params: Params<f64> = Params::seeded(0);
/// let decoder: TransformerDecoder = TransformerBuilder::new(16, 4).dropout(0.0).decoder(params.at("decoder"), 2);
/// let (x, memory) = (Var::ones([2, 5, 16]), Var::ones([2, 7, 16]));
/// let masks = [&AttentionMask::causal(), &AttentionMask::none()];
/// let y = params.infer(|cx| decoder.forward_with(cx, &x, &memory, masks));
/// assert_eq!(y.shape(), &[2, 5, 16]);
/// ```
#[doc(alias = "nn.TransformerDecoder")]
#[derive(Clone, Debug)]
pub struct TransformerDecoder {
    pub(super) layers: Vec<TransformerDecoderLayer>,
    pub(super) norm: Option<LayerNorm>,
}

impl TransformerDecoder {
    /// The layers.
    pub fn layers(&self) -> &[TransformerDecoderLayer] {
        &self.layers
    }

    /// As of one layer: see [`TransformerDecoderLayer::forward_with`].
    ///
    /// # Panics
    /// Where a layer does.
    #[track_caller]
    pub fn forward_with<T: Float>(
        &self,
        cx: &Ctx<T>,
        x: &Var<T>,
        memory: &Var<T>,
        masks: [&AttentionMask<T>; 2],
    ) -> Var<T> {
        let mut x = x.clone();
        for layer in &self.layers {
            x = layer.forward_with(cx, &x, memory, masks);
        }
        normalised(cx, self.norm.as_ref(), x)
    }
}
