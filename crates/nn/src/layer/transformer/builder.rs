//! The options that all layers of transformers share.

use wengert_tensor::Float;

use super::{
    FeedForward, Transformer, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder,
    TransformerEncoderLayer,
};
use crate::init::Init;
use crate::layer::dropout::probability;
use crate::layer::linear::LinearBuilder;
use crate::layer::{LayerNorm, Linear, MultiheadAttention, RotaryPositions};
use crate::params::Scope;

/// The options of transformers' layers, of which it makes single ones, stacks and whole models. The defaults are PyTorch's:
/// 2048 features between the two affine maps, dropout 0.1, ReLU, normalisation behind each part, ε = 10⁻⁵.
///
/// ```
/// use wengert_nn::{FeedForward, Layer, Params, TransformerBuilder};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let options = TransformerBuilder::new(32, 4).feed_forward(64).activation(FeedForward::Gelu).norm_first();
/// let encoder = options.final_norm().encoder(params.at("encoder"), 2);
/// let y = params.infer(|cx| encoder.forward(cx, &Var::zeros([2, 7, 32])));
/// assert_eq!(y.shape(), &[2, 7, 32]);
/// assert!(params.id("encoder.layers.1.self_attn.in_proj_weight").is_some());
/// ```
#[derive(Clone, Debug)]
pub struct TransformerBuilder {
    pub(super) width: usize,
    heads: usize,
    key_heads: usize,
    pub(super) feed_forward: usize,
    pub(super) dropout: f64,
    pub(super) activation: FeedForward,
    pub(super) norm_first: bool,
    final_norm: bool,
    epsilon: f64,
    bias: bool,
    rotary: Option<RotaryPositions>,
    weight: Init,
}

impl TransformerBuilder {
    /// PyTorch's defaults for `width` features and `heads` heads.
    pub fn new(width: usize, heads: usize) -> Self {
        TransformerBuilder {
            width,
            heads,
            key_heads: heads,
            feed_forward: 2048,
            dropout: 0.1,
            activation: FeedForward::Relu,
            norm_first: false,
            final_norm: false,
            epsilon: 1e-5,
            bias: true,
            rotary: None,
            weight: Init::pytorch_weight(),
        }
    }

    /// Features between the two affine maps. Default 2048.
    #[doc(alias = "dim_feedforward")]
    #[must_use]
    pub fn feed_forward(mut self, features: usize) -> Self {
        self.feed_forward = features;
        self
    }

    /// The probability of dropout: of the attention's weights, between the affine maps, and of what each part gives. Default
    /// 0.1.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[must_use]
    #[track_caller]
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = probability("dropout", p);
        self
    }

    /// What stands between the two affine maps. Default ReLU.
    #[must_use]
    pub fn activation(mut self, activation: FeedForward) -> Self {
        self.activation = activation;
        self
    }

    /// Normalises what goes into each part, and not what comes out (Xiong et al., "On layer normalization in the transformer
    /// architecture", 2020).
    #[must_use]
    pub fn norm_first(mut self) -> Self {
        self.norm_first = true;
        self
    }

    /// A normalisation behind the last layer of a stack, `norm`. [`transformer`](Self::transformer) always has it.
    #[must_use]
    pub fn final_norm(mut self) -> Self {
        self.final_norm = true;
        self
    }

    /// What normalisation adds to the variance. Default 10⁻⁵.
    #[must_use]
    pub fn eps(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// No biases, in the normalisation neither.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// Heads of keys and values, of which each serves as many heads of queries. Default: as many as of queries.
    #[must_use]
    pub fn key_value_heads(mut self, heads: usize) -> Self {
        self.key_heads = heads;
        self
    }

    /// Queries and keys of the attention of a sequence to itself, turned by their positions.
    #[must_use]
    pub fn rotary(mut self, rotary: RotaryPositions) -> Self {
        self.rotary = Some(rotary);
        self
    }

    /// How the weights of the affine maps, and of the attention's last projection, start. Default: as those of [`Linear`];
    /// [`transformer`](Self::transformer) starts them by Xavier's uniform scheme, as PyTorch does.
    #[must_use]
    pub fn weight(mut self, init: Init) -> Self {
        self.weight = init;
        self
    }

    /// One layer that attends to its own input.
    ///
    /// # Panics
    /// If the heads do not divide the width, or the place already has parameters of those names.
    #[track_caller]
    pub fn encoder_layer<T: Float>(&self, p: Scope<'_, T>) -> TransformerEncoderLayer {
        TransformerEncoderLayer::made(p, self)
    }

    /// One layer that attends to its own input and to a memory.
    ///
    /// # Panics
    /// Where [`encoder_layer`](Self::encoder_layer) does.
    #[track_caller]
    pub fn decoder_layer<T: Float>(&self, p: Scope<'_, T>) -> TransformerDecoderLayer {
        TransformerDecoderLayer::made(p, self)
    }

    /// A stack of `count` encoder layers, `layers.0`, `layers.1` and so on.
    ///
    /// # Panics
    /// Where [`encoder_layer`](Self::encoder_layer) does.
    #[track_caller]
    pub fn encoder<T: Float>(&self, mut p: Scope<'_, T>, count: usize) -> TransformerEncoder {
        // Not by `map`: a closure would lose the caller's line.
        let mut layers = Vec::new();
        for i in 0..count {
            layers.push(self.encoder_layer(p.at("layers").at(i.to_string())));
        }
        TransformerEncoder { layers, norm: self.last_norm(&mut p) }
    }

    /// A stack of `count` decoder layers.
    ///
    /// # Panics
    /// Where [`encoder_layer`](Self::encoder_layer) does.
    #[track_caller]
    pub fn decoder<T: Float>(&self, mut p: Scope<'_, T>, count: usize) -> TransformerDecoder {
        let mut layers = Vec::new();
        for i in 0..count {
            layers.push(self.decoder_layer(p.at("layers").at(i.to_string())));
        }
        TransformerDecoder { layers, norm: self.last_norm(&mut p) }
    }

    /// An encoder and a decoder of these numbers of layers, each with a normalisation at the end.
    ///
    /// # Panics
    /// Where [`encoder_layer`](Self::encoder_layer) does.
    #[track_caller]
    pub fn transformer<T: Float>(&self, mut p: Scope<'_, T>, [encoder, decoder]: [usize; 2]) -> Transformer {
        let mut options = self.clone().final_norm();
        if options.weight == Init::pytorch_weight() {
            options.weight = Init::xavier_uniform();
        }
        let encoder = options.encoder(p.at("encoder"), encoder);
        Transformer { encoder, decoder: options.decoder(p.at("decoder"), decoder) }
    }

    #[track_caller]
    fn last_norm<T: Float>(&self, p: &mut Scope<'_, T>) -> Option<LayerNorm> {
        if self.final_norm { Some(self.norm(p, "norm")) } else { None }
    }

    #[track_caller]
    pub(super) fn norm<T: Float>(&self, p: &mut Scope<'_, T>, name: &str) -> LayerNorm {
        let norm = LayerNorm::builder(self.width).eps(self.epsilon);
        if self.bias { norm } else { norm.no_bias() }.build(p.at(name))
    }

    pub(super) fn linear(&self, inputs: usize, outputs: usize) -> LinearBuilder {
        let linear = Linear::builder(inputs, outputs).weight(self.weight.clone());
        if self.bias { linear } else { linear.no_bias() }
    }

    /// The attention of a sequence to itself, or to a memory.
    #[track_caller]
    pub(super) fn attention<T: Float>(&self, p: Scope<'_, T>, to_itself: bool) -> MultiheadAttention {
        let mut attention = MultiheadAttention::builder(self.width, self.heads)
            .key_value_heads(self.key_heads)
            .dropout(self.dropout)
            .out_weight(self.weight.clone());
        if !self.bias {
            attention = attention.no_bias();
        }
        if let Some(rotary) = self.rotary.filter(|_| to_itself) {
            attention = attention.rotary(rotary);
        }
        attention.build(p)
    }
}
