//! Attention with several heads and learned projections.

use wengert_tape::{AttentionMask, AttentionOptions, Var};
use wengert_tensor::Float;

use super::builder::MultiheadAttentionBuilder;
use super::cache::KeyValueCache;
use super::projections::Projections;
use crate::ctx::Ctx;
use crate::layer::{Layer, Linear, RotaryPositions};
use crate::params::{ParamId, Scope};

/// Attention of several heads, each with its own projections of queries, keys and values (Vaswani et al., "Attention is all
/// you need", 2017). All inputs have the batch first, `[batch, length, features]`, or no batch at all.
///
/// Parameters as in PyTorch: `in_proj_weight`, `[3·width, width]`, which makes queries, keys and values, uniform by Xavier's
/// scheme for the whole; `in_proj_bias` and `out_proj.bias`, 0; `out_proj.weight` as of [`Linear`]. Where keys or values are
/// made of another number of features, `q_proj_weight`, `k_proj_weight` and `v_proj_weight` stand for the first.
///
/// ```
/// use wengert_nn::{Layer, MultiheadAttention, Params};
/// use wengert_tape::{AttentionMask, Var};
/// let mut params: Params = Params::seeded(0);
/// let attention = MultiheadAttention::new(params.at("attention"), 16, 4);
/// let (x, memory) = (Var::ones([2, 5, 16]), Var::ones([2, 9, 16]));
/// params.infer(|cx| {
///     assert_eq!(attention.forward(cx, &x).shape(), &[2, 5, 16]);
///     assert_eq!(attention.attend(cx, [&x, &memory, &memory], &AttentionMask::none()).shape(), &[2, 5, 16]);
/// });
/// ```
#[doc(alias = "nn.MultiheadAttention")]
#[derive(Clone, Debug)]
pub struct MultiheadAttention {
    pub(super) projections: Projections,
    pub(super) out: Linear,
    pub(super) bias_key_value: Option<(ParamId, ParamId)>,
    pub(super) zero_attention: bool,
    pub(super) dropout: f64,
    pub(super) rotary: Option<RotaryPositions>,
    /// Of queries, keys and values as they come in.
    pub(super) features: [usize; 3],
    pub(super) heads: usize,
    pub(super) key_heads: usize,
}

/// What goes into the attention: queries, keys and values in heads, the mask, and how many axes the inputs had.
struct Prepared<T: Float> {
    operands: [Var<T>; 3],
    options: AttentionOptions<T>,
    batched: bool,
}

impl MultiheadAttention {
    /// `heads` heads for inputs and outputs of `width` features.
    ///
    /// # Panics
    /// If the heads do not divide the width, or the place already has parameters of those names.
    #[track_caller]
    pub fn new<T: Float>(p: Scope<'_, T>, width: usize, heads: usize) -> Self {
        Self::builder(width, heads).build(p)
    }

    /// With options.
    ///
    /// ```
    /// use wengert_nn::{MultiheadAttention, Params, RotaryPositions};
    /// let mut params: Params = Params::seeded(0);
    /// MultiheadAttention::builder(16, 4)
    ///     .key_value_heads(2)
    ///     .no_bias()
    ///     .rotary(RotaryPositions::new(4))
    ///     .build(params.at("attention"));
    /// assert_eq!(params.shape(params.id("attention.in_proj_weight").unwrap()), &[32, 16]);
    /// ```
    pub fn builder(width: usize, heads: usize) -> MultiheadAttentionBuilder {
        MultiheadAttentionBuilder::new(width, heads)
    }

    /// The attention of queries, made of the first input, to keys and values, made of the second and third; `mask` broadcasts
    /// to `[batch, heads, queries, keys]`.
    ///
    /// # Panics
    /// If the inputs have other numbers of features than the layer, are not of one batch, or the mask does not suit them.
    #[track_caller]
    pub fn attend<T: Float>(&self, cx: &Ctx<T>, inputs: [&Var<T>; 3], mask: &AttentionMask<T>) -> Var<T> {
        let prepared = self.prepare(cx, inputs, mask);
        self.finish(cx, prepared)
    }

    /// [`attend`](Self::attend), with the weights of all keys before dropout: `[batch, heads, queries, keys]`, or their means
    /// over the heads if `averaged`. Keys of `bias_k` and of zeros stand last. Unlike the output alone, this holds them all.
    ///
    /// # Panics
    /// Where `attend` does.
    #[doc(alias = "need_weights")]
    #[doc(alias = "average_attn_weights")]
    #[track_caller]
    pub fn attend_with_weights<T: Float>(
        &self,
        cx: &Ctx<T>,
        inputs: [&Var<T>; 3],
        mask: &AttentionMask<T>,
        averaged: bool,
    ) -> (Var<T>, Var<T>) {
        let prepared = self.prepare(cx, inputs, mask);
        let [query, key, _] = &prepared.operands;
        let weights = query.attention_weights(key, &prepared.options);
        let weights = if averaged { weights.mean_axes(1, false) } else { weights };
        let weights = if prepared.batched { weights } else { weights.squeeze(0) };
        (self.finish(cx, prepared), weights)
    }

    /// The attention of each position of x to it and all before it, those in the `cache` included, to which x is appended.
    /// Calls with the parts of a sequence give what one causal call with the whole gives.
    ///
    /// # Panics
    /// If x has another number of features than the layer, another batch than the cache, or something is to be
    /// differentiated.
    #[track_caller]
    pub fn decode<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>, cache: &mut KeyValueCache<T>) -> Var<T> {
        let (past, batched) = (cache.len(), self.check([x, x, x]));
        let batch = if batched { x.clone() } else { x.unsqueeze(0) };
        let [query, key, value] = self.heads(cx, [&batch, &batch, &batch], past);
        let [key, value] = cache.append(&key, &value);
        let mask = AttentionMask::causal_after(past);
        let prepared = self.with_more_keys(cx, [query, key, value], mask, batched);
        self.finish(cx, prepared)
    }

    /// Panics unless the inputs have the layer's features; says whether there is a batch.
    #[track_caller]
    fn check<T: Float>(&self, inputs: [&Var<T>; 3]) -> bool {
        let rank = inputs[0].rank();
        for ((x, features), what) in inputs.into_iter().zip(self.features).zip(["queries", "keys", "values"])
        {
            assert!(
                matches!(rank, 2 | 3) && x.rank() == rank && x.shape().last() == Some(&features),
                "MultiheadAttention: {what} are made of an input of shape {}, not of [batch, length, {features}] or [length, {features}]",
                x.shape()
            );
        }
        rank == 3
    }

    #[track_caller]
    fn prepare<T: Float>(&self, cx: &Ctx<T>, inputs: [&Var<T>; 3], mask: &AttentionMask<T>) -> Prepared<T> {
        let batched = self.check(inputs);
        if batched {
            let heads = self.heads(cx, inputs, 0);
            return self.with_more_keys(cx, heads, mask.clone(), batched);
        }
        // One input given three times stays one.
        let query = inputs[0].unsqueeze(0);
        let alone = std::ptr::eq(inputs[0], inputs[1]) && std::ptr::eq(inputs[1], inputs[2]);
        let heads = if alone {
            self.heads(cx, [&query, &query, &query], 0)
        } else {
            self.heads(cx, [&query, &inputs[1].unsqueeze(0), &inputs[2].unsqueeze(0)], 0)
        };
        self.with_more_keys(cx, heads, mask.clone(), batched)
    }

    /// Queries, keys and values in heads, `[batch, heads, length, width]`, turned by their positions from `first` on.
    #[track_caller]
    fn heads<T: Float>(&self, cx: &Ctx<T>, inputs: [&Var<T>; 3], first: usize) -> [Var<T>; 3] {
        let [query, key, value] = self.projections.apply(cx, inputs);
        let [query, key, value] = [(query, self.heads), (key, self.key_heads), (value, self.key_heads)]
            .map(|(x, heads)| in_heads(&x, heads));
        match &self.rotary {
            Some(rotary) => [rotary.rotate(&query, first), rotary.rotate(&key, first), value],
            None => [query, key, value],
        }
    }

    /// With the learned key and value and those of zeros, if there are any.
    #[track_caller]
    fn with_more_keys<T: Float>(
        &self,
        cx: &Ctx<T>,
        [query, mut key, mut value]: [Var<T>; 3],
        mut mask: AttentionMask<T>,
        batched: bool,
    ) -> Prepared<T> {
        let more = usize::from(self.bias_key_value.is_some()) + usize::from(self.zero_attention);
        let [batch, heads, keys, width] = std::array::from_fn(|i| key.shape()[i]);
        if more > 0 {
            mask = mask.with_more_keys([batch, self.heads, query.shape()[2], keys], more);
        }
        if let Some((bias_key, bias_value)) = self.bias_key_value {
            let of = |id: ParamId| in_heads(&cx.param(id), heads).broadcast_to([batch, heads, 1, width]);
            key = Var::cat(&[key, of(bias_key)], 2);
            value = Var::cat(&[value, of(bias_value)], 2);
        }
        if self.zero_attention {
            let zeros = Var::zeros([batch, heads, 1, width]);
            key = Var::cat(&[&key, &zeros], 2);
            value = Var::cat(&[&value, &zeros], 2);
        }
        let dropout = (cx.is_training() && self.dropout > 0.0).then(|| (self.dropout, cx.key()));
        let options = AttentionOptions { mask, scale: None, dropout };
        Prepared { operands: [query, key, value], options, batched }
    }

    #[track_caller]
    fn finish<T: Float>(&self, cx: &Ctx<T>, prepared: Prepared<T>) -> Var<T> {
        let Prepared { operands: [query, key, value], options, batched } = prepared;
        let [batch, _, length, _] = std::array::from_fn(|i| query.shape()[i]);
        let heads = query.attention(&key, &value, &options);
        let joined = heads.transpose(1, 2).reshape([batch, length, self.features[0]]);
        let joined = if batched { joined } else { joined.squeeze(0) };
        self.out.forward(cx, &joined)
    }
}

/// `[batch, length, heads · width]` as `[batch, heads, length, width]`.
fn in_heads<T: Float>(x: &Var<T>, heads: usize) -> Var<T> {
    let [batch, length, features] = std::array::from_fn(|i| x.shape()[i]);
    x.reshape([batch, length, heads, features / heads]).transpose(1, 2)
}

impl<T: Float> Layer<T> for MultiheadAttention {
    /// Each position of x to all others.
    ///
    /// # Panics
    /// If x is not `[batch, length, width]` or `[length, width]`, or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.attend(cx, [x, x, x], &AttentionMask::none())
    }
}
