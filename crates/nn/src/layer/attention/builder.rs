//! The options of multi-head attention.

use wengert_tensor::Float;

use super::layer::MultiheadAttention;
use super::projections::{Projections, Weights};
use crate::init::Init;
use crate::layer::dropout::probability;
use crate::layer::{Linear, RotaryPositions};
use crate::params::Scope;

/// The options of a [`MultiheadAttention`].
#[derive(Clone, Debug)]
pub struct MultiheadAttentionBuilder {
    pub(super) width: usize,
    pub(super) heads: usize,
    key_heads: usize,
    key_width: usize,
    value_width: usize,
    bias: bool,
    bias_key_value: bool,
    zero_attention: bool,
    dropout: f64,
    rotary: Option<RotaryPositions>,
    out: Init,
}

impl MultiheadAttentionBuilder {
    pub(super) fn new(width: usize, heads: usize) -> Self {
        MultiheadAttentionBuilder {
            width,
            heads,
            key_heads: heads,
            key_width: width,
            value_width: width,
            bias: true,
            bias_key_value: false,
            zero_attention: false,
            dropout: 0.0,
            rotary: None,
            out: Init::pytorch_weight(),
        }
    }

    /// Heads of keys and values, of which each serves as many heads of queries. Default: as many as of queries.
    #[doc(alias = "num_key_value_heads")]
    #[must_use]
    pub fn key_value_heads(mut self, heads: usize) -> Self {
        self.key_heads = heads;
        self
    }

    /// Features of what keys are made of. Default: as many as of the output.
    ///
    /// ```
    /// use wengert_nn::{MultiheadAttention, Params};
    /// use wengert_tape::{AttentionMask, Var};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let attention =
    ///     MultiheadAttention::builder(8, 2).key_features(6).value_features(4).build(params.at("attention"));
    /// let (q, k, v) = (Var::ones([1, 3, 8]), Var::ones([1, 5, 6]), Var::ones([1, 5, 4]));
    /// let y = params.infer(|cx| attention.attend(cx, [&q, &k, &v], &AttentionMask::none()));
    /// assert_eq!(y.shape(), &[1, 3, 8]);
    /// ```
    #[doc(alias = "kdim")]
    #[must_use]
    pub fn key_features(mut self, features: usize) -> Self {
        self.key_width = features;
        self
    }

    /// Features of what values are made of. Default: as many as of the output.
    #[doc(alias = "vdim")]
    #[must_use]
    pub fn value_features(mut self, features: usize) -> Self {
        self.value_width = features;
        self
    }

    /// No biases of the projections.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// A learned key and value that all queries see, `bias_k` and `bias_v`.
    ///
    /// ```
    /// use wengert_nn::{MultiheadAttention, Params};
    /// use wengert_tape::{AttentionMask, Var};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let builder = MultiheadAttention::builder(8, 2).bias_key_value().zero_attention();
    /// let attention = builder.build(params.at("attention"));
    /// assert!(params.id("attention.bias_k").is_some());
    /// let x = Var::ones([1, 3, 8]);
    /// let (_, weights) =
    ///     params.infer(|cx| attention.attend_with_weights(cx, [&x, &x, &x], &AttentionMask::none(), true));
    /// // Three keys of the input, the learned one and the one of zeros.
    /// assert_eq!(weights.shape(), &[1, 3, 5]);
    /// ```
    #[doc(alias = "add_bias_kv")]
    #[must_use]
    pub fn bias_key_value(mut self) -> Self {
        self.bias_key_value = true;
        self
    }

    /// A key and value of zeros that all queries see.
    #[doc(alias = "add_zero_attn")]
    #[must_use]
    pub fn zero_attention(mut self) -> Self {
        self.zero_attention = true;
        self
    }

    /// The probability with which a weight becomes 0 in training. Default 0.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    ///
    /// ```
    /// use wengert_nn::{Layer, MultiheadAttention, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let attention = MultiheadAttention::builder(8, 2).dropout(0.5).build(params.root());
    /// let x = Var::ones([1, 3, 8]);
    /// // Not in evaluation.
    /// let run = || params.infer(|cx| attention.forward(cx, &x)).into_value();
    /// assert_eq!(run(), run());
    /// ```
    #[must_use]
    #[track_caller]
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = probability("dropout", p);
        self
    }

    /// Queries and keys turned by their positions.
    #[must_use]
    pub fn rotary(mut self, rotary: RotaryPositions) -> Self {
        self.rotary = Some(rotary);
        self
    }

    /// How the weight of the last projection starts. Default: as that of [`Linear`].
    ///
    /// ```
    /// use wengert_nn::{Init, Layer, MultiheadAttention, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let attention = MultiheadAttention::builder(8, 2).out_weight(Init::Zeros).no_bias().build(params.root());
    /// let y = params.infer(|cx| attention.forward(cx, &Var::ones([1, 3, 8])));
    /// assert_eq!(y.value().to_vec(), [0.0; 24]);
    /// ```
    #[must_use]
    pub fn out_weight(mut self, init: Init) -> Self {
        self.out = init;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the heads do not divide the width, or those of keys and values not those of queries; or the place already has
    /// parameters of those names.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> MultiheadAttention {
        let MultiheadAttentionBuilder { width, heads, key_heads, key_width, value_width, .. } = self;
        assert!(
            heads > 0 && width.is_multiple_of(heads),
            "MultiheadAttention: a width of {width} is not to be divided among {heads} heads"
        );
        assert!(
            key_heads > 0 && heads.is_multiple_of(key_heads),
            "MultiheadAttention: {heads} heads of queries cannot share {key_heads} heads of keys and values"
        );
        let of_keys = width / heads * key_heads;
        let xavier = Init::xavier_uniform;
        let weights = if key_width == width && value_width == width {
            Weights::Stacked(p.param("in_proj_weight", [width + 2 * of_keys, width], xavier()))
        } else {
            Weights::Separate([
                p.param("q_proj_weight", [width, width], xavier()),
                p.param("k_proj_weight", [of_keys, key_width], xavier()),
                p.param("v_proj_weight", [of_keys, value_width], xavier()),
            ])
        };
        let bias = p.optional("in_proj_bias", &[width + 2 * of_keys], self.bias.then_some(Init::Zeros));
        let of_pair = self.bias_key_value.then_some(Init::xavier_normal());
        let bias_key = p.optional("bias_k", &[1, 1, of_keys], of_pair.clone());
        let bias_value = p.optional("bias_v", &[1, 1, of_keys], of_pair);
        let out = Linear::builder(width, width).weight(self.out);
        let out = if self.bias { out.bias(Init::Zeros) } else { out.no_bias() };
        MultiheadAttention {
            projections: Projections { weights, bias, widths: [width, of_keys] },
            out: out.build(p.at("out_proj")),
            bias_key_value: bias_key.zip(bias_value),
            zero_attention: self.zero_attention,
            dropout: self.dropout,
            rotary: self.rotary,
            features: [width, key_width, value_width],
            heads,
            key_heads,
        }
    }
}
