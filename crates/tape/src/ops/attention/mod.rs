//! Scaled dot-product attention.

mod derivatives;
mod mask;
mod op;
mod rules;

pub use mask::AttentionMask;

use wengert_tensor::{Float, Shape, Tensor};

use self::mask::both;
use self::op::Settings;
use crate::data::{Given, Index, Mask};
use crate::ops::dropout::check_key;
use crate::var::Var;

/// The options of [`Var::attention`]. By default there is no mask, no dropout, and the scale is 1/√width.
///
/// ```
/// use wengert_tape::{AttentionMask, AttentionOptions};
/// let options = AttentionOptions { scale: Some(0.5), ..AttentionOptions::<f32>::masked(AttentionMask::causal()) };
/// assert!(options.dropout.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct AttentionOptions<T: Float = f32> {
    /// Which keys each query attends to.
    pub mask: AttentionMask<T>,
    /// What the products of queries and keys are multiplied by; 1/√width if `None`.
    pub scale: Option<f64>,
    /// The probability with which a weight becomes 0, while the others are divided by 1 − p, and the key of the random
    /// numbers (see [`Index::key`]).
    pub dropout: Option<(f64, Index<T>)>,
}

impl<T: Float> Default for AttentionOptions<T> {
    fn default() -> Self {
        AttentionOptions { mask: AttentionMask::none(), scale: None, dropout: None }
    }
}

impl<T: Float> AttentionOptions<T> {
    /// The usual ones, with a mask.
    pub fn masked(mask: AttentionMask<T>) -> Self {
        AttentionOptions { mask, ..Self::default() }
    }
}

/// What is applied, with its operands in four axes.
struct Prepared<T: Float> {
    settings: Settings,
    bias: Option<Var<T>>,
    given: Vec<Given<T>>,
    /// All axes of the scores.
    scores: Shape,
}

impl<T: Float> AttentionOptions<T> {
    #[track_caller]
    fn prepare(&self, query: &Shape, key: &Shape) -> Prepared<T> {
        let rank = query.len();
        let scores = query.with(rank - 1, key[rank - 2]);
        let mask = self.mask.parts("attention", &scores);
        let mut given = Vec::new();
        if let Some(mask) = &mask.takes_part {
            given.push(mask_in_four(mask, &scores).given().clone());
        }
        if let Some((p, key)) = &self.dropout {
            assert!((0.0..=1.0).contains(p), "attention: the probability {p} of dropout is not in [0, 1]");
            check_key("attention", key.shape());
            given.push(key.given().clone());
        }
        let scale = self.scale.unwrap_or(1.0 / (query[rank - 1].max(1) as f64).sqrt());
        assert!(scale.is_finite(), "attention: the scale is {scale}");
        let bias = mask.bias.map(|bias| bias_in_four(&bias, &scores));
        let settings = Settings {
            scale,
            last_key: mask.last_key,
            dropout: self.dropout.as_ref().map(|(p, _)| *p),
            biased: bias.is_some(),
            masked: mask.takes_part.is_some(),
        };
        Prepared { settings, bias, given, scores }
    }
}

/// The batch's axes merged into one, and one axis of heads.
fn four(shape: &Shape) -> [usize; 4] {
    let (matrix, lead) = (&shape[shape.len() - 2..], &shape[..shape.len() - 2]);
    let (heads, batch) = lead.split_last().map_or((1, lead), |(&heads, batch)| (heads, batch));
    [batch.iter().product(), heads, matrix[0], matrix[1]]
}

/// Four axes of a shape that broadcasts to `scores`, if its axes of the batch are all there or all 1 long; else the shape
/// that it has to be broadcast to before.
fn four_of_broadcast(shape: &Shape, scores: &Shape) -> Result<[usize; 4], Shape> {
    let ones = std::iter::repeat_n(1, scores.len() - shape.len());
    let padded: Shape = ones.chain(shape.iter().copied()).collect();
    let batch = scores.len().saturating_sub(3);
    if padded[..batch] == scores[..batch] || padded[..batch].iter().all(|&d| d == 1) {
        return Ok(four(&padded));
    }
    Err(scores[..batch].iter().chain(&padded[batch..]).copied().collect())
}

fn bias_in_four<T: Float>(bias: &Var<T>, scores: &Shape) -> Var<T> {
    match four_of_broadcast(bias.shape(), scores) {
        Ok(four) => bias.reshape(four),
        Err(shape) => bias.broadcast_to(&shape).reshape(four(&shape)),
    }
}

fn mask_in_four<T: Float>(mask: &Mask<T>, scores: &Shape) -> Mask<T> {
    match four_of_broadcast(mask.shape(), scores) {
        Ok(four) => mask.reshape(four),
        Err(shape) => both(mask, &Mask::constant(Tensor::full(&shape, true))).reshape(four(&shape)),
    }
}

/// Panics unless queries and keys fit together.
#[track_caller]
fn check<T: Float>(operation: &str, query: &Var<T>, key: &Var<T>, value: &Var<T>) {
    let [q, k, v] = [query.shape(), key.shape(), value.shape()];
    let rank = q.len();
    assert!(
        rank >= 2 && k.len() == rank && v.len() == rank,
        "{operation}: queries {q}, keys {k} and values {v} do not have the same number of axes, at least two"
    );
    let heads = rank.saturating_sub(3);
    assert!(
        q[..heads] == k[..heads] && k[..rank - 2] == v[..rank - 2] && k[rank - 2] == v[rank - 2],
        "{operation}: queries {q}, keys {k} and values {v} are not of one batch, or not as many keys as values"
    );
    assert!(q[rank - 1] == k[rank - 1], "{operation}: queries {q} and keys {k} differ in their last axis");
    if rank > 2 {
        let (heads, of_keys) = (q[rank - 3], k[rank - 3]);
        assert!(
            heads == of_keys || of_keys > 0 && heads % of_keys == 0,
            "{operation}: {heads} heads of queries cannot share {of_keys} heads of keys"
        );
    }
}

impl<T: Float> Var<T> {
    /// Scaled dot-product attention, softmax(scale · Q·Kᵀ + bias)·V, of queries `[batch…, heads, queries, width]`, keys
    /// `[batch…, heads, keys, width]` and values `[batch…, heads, keys, value width]` (Vaswani et al., "Attention is all you
    /// need", 2017). The result has shape `[batch…, heads, queries, value width]`; operands of two axes are one head.
    ///
    /// Keys and values may have fewer heads than the queries: consecutive groups of query heads then share one (Ainslie et
    /// al., "GQA", 2023). A query for which no key takes part gives 0, with zero gradients.
    ///
    /// The scores are never all in memory: they are computed by tiles, in the value, in its derivatives and in those of second
    /// order, each of which takes about what the operands take (Dao et al., "FlashAttention", 2022). Derivatives of third and
    /// higher order go through operations on variables, and hold some matrices of all scores `[batch…, heads, queries,
    /// keys]`.
    ///
    /// What a mask excludes is not read: keys and values that take no part for a query, and queries for which none does, may
    /// be infinite or no numbers, and neither the value nor derivatives up to the second order see it.
    ///
    /// ```
    /// use wengert_tape::{AttentionMask, AttentionOptions, Var};
    /// let (q, k, v) = (Var::ones([2, 3]), Var::zeros([4, 3]), Var::<f64>::ones([4, 5]));
    /// let y = q.attention(&k, &v, &AttentionOptions::masked(AttentionMask::causal()));
    /// assert_eq!(y.shape(), &[2, 5]);
    /// assert!((y.value().at([1, 4]) - 1.0).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the operands' shapes do not fit together, the mask does not broadcast to the scores, a length is larger than the
    /// number of keys, the probability of dropout is not in [0, 1], or the scale is not finite.
    #[doc(alias = "scaled_dot_product_attention")]
    #[track_caller]
    pub fn attention(&self, key: &Var<T>, value: &Var<T>, options: &AttentionOptions<T>) -> Var<T> {
        check("attention", self, key, value);
        let rank = self.rank();
        let Prepared { settings, bias, given, scores } = options.prepare(self.shape(), key.shape());
        let [q, k, v] = [self, key, value].map(|x| x.reshape(four(x.shape())));
        let operands: Vec<&Var<T>> = [&q, &k, &v].into_iter().chain(&bias).collect();
        let out = op::attention(settings, &operands, &given.iter().collect::<Vec<_>>());
        out.reshape(scores.with(rank - 1, value.shape()[rank - 1]))
    }

    /// The weights that [`attention`](Var::attention) gives to the keys, all of them, before dropout: of shape `[batch…,
    /// heads, queries, keys]`; in each row they sum up to 1, or are 0 where no key takes part.
    ///
    /// Derivatives go through operations on variables, which multiply by all keys: one that a mask excludes must be finite, or
    /// they are NaN.
    ///
    /// ```
    /// use wengert_tape::{AttentionMask, AttentionOptions, Var};
    /// let x = Var::<f64>::zeros([3, 2]);
    /// let weights = x.attention_weights(&x, &AttentionOptions::masked(AttentionMask::causal()));
    /// assert_eq!(weights.value().select(0, 1).to_vec(), [0.5, 0.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where `attention` does.
    #[track_caller]
    pub fn attention_weights(&self, key: &Var<T>, options: &AttentionOptions<T>) -> Var<T> {
        check("attention_weights", self, key, key);
        let options = AttentionOptions { dropout: None, ..options.clone() };
        let Prepared { settings, bias, given, scores } = options.prepare(self.shape(), key.shape());
        let [q, k] = [self, key].map(|x| x.reshape(four(x.shape())));
        let operands: Vec<&Var<T>> = [&q, &k].into_iter().chain(&bias).collect();
        let statistics = op::statistics(settings, &operands, &given.iter().collect::<Vec<_>>());
        rules::weights(settings, [&q, &k, &statistics], bias.as_ref(), &given).reshape(scores)
    }
}
