//! Layers that attend to their own input.

use wengert_tape::{AttentionMask, Var};
use wengert_tensor::Float;

use super::TransformerBuilder;
use super::feed_forward::FeedForwardNet;
use crate::ctx::Ctx;
use crate::layer::{Dropout, KeyValueCache, Layer, LayerNorm, MultiheadAttention};
use crate::params::Scope;

/// Attention of a sequence `[batch, length, width]` to itself and two affine maps of each position, both with residual
/// connections and normalisation (Vaswani et al., "Attention is all you need", 2017). With a causal mask it is the layer of
/// a GPT.
///
/// Parts as in PyTorch: `self_attn`, `linear1`, `linear2`, `norm1` and `norm2`. See [`TransformerBuilder`] for options.
///
/// ```
/// use wengert_nn::{Layer, Params, TransformerEncoderLayer};
/// use wengert_tape::{AttentionMask, Var};
/// let mut params: Params = Params::seeded(0);
/// let layer = TransformerEncoderLayer::new(params.at("layer"), 16, 4);
/// let x = Var::ones([2, 5, 16]);
/// params.infer(|cx| {
///     assert_eq!(layer.forward(cx, &x).shape(), &[2, 5, 16]);
///     assert_eq!(layer.forward_masked(cx, &x, &AttentionMask::causal()).shape(), &[2, 5, 16]);
/// });
/// ```
#[doc(alias = "nn.TransformerEncoderLayer")]
#[derive(Clone, Debug)]
pub struct TransformerEncoderLayer {
    self_attention: MultiheadAttention,
    feed_forward: FeedForwardNet,
    norm1: LayerNorm,
    norm2: LayerNorm,
    dropout: Dropout,
    norm_first: bool,
}

impl TransformerEncoderLayer {
    /// With PyTorch's defaults.
    ///
    /// # Panics
    /// If the heads do not divide the width, or the place already has parameters of those names.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, width: usize, heads: usize) -> Self {
        TransformerBuilder::new(width, heads).encoder_layer(p)
    }

    #[track_caller]
    pub(super) fn made<T: Float>(mut p: Scope<'_, T>, options: &TransformerBuilder) -> Self {
        TransformerEncoderLayer {
            self_attention: options.attention(p.at("self_attn"), true),
            feed_forward: FeedForwardNet::new(&mut p, options),
            norm1: options.norm(&mut p, "norm1"),
            norm2: options.norm(&mut p, "norm2"),
            dropout: Dropout::new(options.dropout),
            norm_first: options.norm_first,
        }
    }

    /// Like [`forward`](Layer::forward), with a mask.
    ///
    /// # Panics
    /// If x is not `[batch, length, width]` or `[length, width]`, or the mask does not suit it.
    #[doc(alias = "src_mask")]
    #[doc(alias = "src_key_padding_mask")]
    #[track_caller]
    pub fn forward_masked<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, mask: &AttentionMask<T>) -> Var<T> {
        let x = residual(cx, x, &self.norm1, &self.dropout, self.norm_first, |x| {
            self.self_attention.attend(cx, [x, x, x], mask)
        });
        self.second_part(cx, &x)
    }

    /// The causal layer for a part of a sequence, behind those that are in the `cache`.
    ///
    /// # Panics
    /// Where [`MultiheadAttention::decode`] does.
    #[track_caller]
    pub fn decode<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, cache: &mut KeyValueCache<T>) -> Var<T> {
        let x = residual(cx, x, &self.norm1, &self.dropout, self.norm_first, |x| {
            self.self_attention.decode(cx, x, cache)
        });
        self.second_part(cx, &x)
    }

    #[track_caller]
    fn second_part<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        residual(cx, x, &self.norm2, &self.dropout, self.norm_first, |x| self.feed_forward.forward(cx, x))
    }
}

impl<T: Float> Layer<T> for TransformerEncoderLayer {
    /// # Panics
    /// If x is not `[batch, length, width]` or `[length, width]`, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.forward_masked(cx, x, &AttentionMask::none())
    }
}

/// x + part(norm(x)), or norm(x + part(x)).
#[track_caller]
pub(super) fn residual<T: Float>(
    cx: &Ctx<T>,
    x: &Var<T>,
    norm: &LayerNorm,
    dropout: &Dropout,
    norm_first: bool,
    part: impl FnOnce(&Var<T>) -> Var<T>,
) -> Var<T> {
    if norm_first {
        x + dropout.forward(cx, &part(&norm.forward(cx, x)))
    } else {
        norm.forward(cx, &(x + dropout.forward(cx, &part(x))))
    }
}

/// A stack of encoder layers, `layers.0`, `layers.1` and so on, and perhaps a normalisation, `norm`, behind them: made by
/// [`TransformerBuilder::encoder`].
///
/// ```
/// use wengert_nn::{KeyValueCache, Params, TransformerBuilder};
/// use wengert_tape::{AttentionMask, Var};
/// use wengert_tensor::Tensor;
/// let mut params: Params<f64> = Params::seeded(0);
/// let decoder_only = TransformerBuilder::new(8, 2).feed_forward(16).norm_first().encoder(params.at("blocks"), 3);
/// let x = Var::from(Tensor::linspace(-1.0, 1.0, 16).reshape([1, 2, 8])).sin();
/// // A sequence at once, and position by position.
/// let whole = params.infer(|cx| decoder_only.forward_masked(cx, &x, &AttentionMask::causal()));
/// let mut caches = decoder_only.caches();
/// let first = params.infer(|cx| decoder_only.decode(cx, &x.slice_axis(1, ..1), &mut caches));
/// let second = params.infer(|cx| decoder_only.decode(cx, &x.slice_axis(1, 1..), &mut caches));
/// let difference = Var::cat(&[first, second], 1) - whole;
/// assert!(difference.value().abs().max().item() < 1e-14);
/// ```
#[doc(alias = "nn.TransformerEncoder")]
#[derive(Clone, Debug)]
pub struct TransformerEncoder {
    pub(super) layers: Vec<TransformerEncoderLayer>,
    pub(super) norm: Option<LayerNorm>,
}

impl TransformerEncoder {
    /// The layers.
    pub fn layers(&self) -> &[TransformerEncoderLayer] {
        &self.layers
    }

    /// Like [`forward`](Layer::forward), with a mask for all layers.
    ///
    /// # Panics
    /// Where a layer does.
    #[track_caller]
    pub fn forward_masked<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, mask: &AttentionMask<T>) -> Var<T> {
        let mut x = x.clone();
        for layer in &self.layers {
            x = layer.forward_masked(cx, &x, mask);
        }
        normalised(cx, self.norm.as_ref(), x)
    }

    /// An empty cache for each layer.
    pub fn caches<T: Float>(&self) -> Vec<KeyValueCache<T>> {
        vec![KeyValueCache::new(); self.layers.len()]
    }

    /// The causal stack for a part of a sequence, behind those that are in the caches.
    ///
    /// # Panics
    /// If there are not as many caches as layers, or where a layer does.
    #[track_caller]
    pub fn decode<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, caches: &mut [KeyValueCache<T>]) -> Var<T> {
        let (layers, given) = (self.layers.len(), caches.len());
        assert!(layers == given, "decode: {given} caches for {layers} layers");
        let mut x = x.clone();
        for (layer, cache) in self.layers.iter().zip(caches) {
            x = layer.decode(cx, &x, cache);
        }
        normalised(cx, self.norm.as_ref(), x)
    }
}

#[track_caller]
pub(super) fn normalised<T: Float>(cx: &Ctx<T>, norm: Option<&LayerNorm>, x: Var<T>) -> Var<T> {
    match norm {
        Some(norm) => norm.forward(cx, &x),
        None => x,
    }
}

impl<T: Float> Layer<T> for TransformerEncoder {
    /// # Panics
    /// Where a layer does.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.forward_masked(cx, x, &AttentionMask::none())
    }
}
