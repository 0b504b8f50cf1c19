//! Which keys a query attends to.

use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// Which keys each query attends to, and what is added to its scores.
///
/// Libraries give "true" opposite meanings: it says "takes part" in one function of PyTorch and "masked out" in another.
/// Here the constructor says which is meant. All parts of a mask must allow a key for it to take part, and a query for
/// which none does has the value 0.
///
/// Masks and biases broadcast to the scores `[batch…, heads, queries, keys]`.
///
/// ```
/// use wengert_tape::{AttentionMask, AttentionOptions, Var};
/// use wengert_tensor::Tensor;
/// let x = Var::<f64>::from(Tensor::linspace(-1.0, 1.0, 24).reshape([2, 1, 4, 3]));
/// // Each position sees itself and what is before it, in sequences of 4 and 2 positions.
/// let mask = AttentionMask::causal().and(AttentionMask::lengths(&Tensor::from([4u32, 2])));
/// let y = x.attention(&x, &x, &AttentionOptions::masked(mask));
/// assert_eq!(y.value().select(2, 0), x.value().select(2, 0));
/// ```
#[doc(alias = "attn_mask")]
#[doc(alias = "key_padding_mask")]
#[derive(Clone, Debug)]
pub struct AttentionMask<T: Float = f32> {
    last_key: Option<isize>,
    takes_part: Option<Mask<T>>,
    lengths: Option<Index<T>>,
    bias: Option<Var<T>>,
}

impl<T: Float> Default for AttentionMask<T> {
    /// Every key takes part.
    fn default() -> Self {
        AttentionMask { last_key: None, takes_part: None, lengths: None, bias: None }
    }
}

impl<T: Float> AttentionMask<T> {
    /// Every key takes part.
    pub fn none() -> Self {
        Self::default()
    }

    /// Query i attends to keys 0 to i.
    #[doc(alias = "is_causal")]
    #[doc(alias = "generate_square_subsequent_mask")]
    pub fn causal() -> Self {
        Self::causal_after(0)
    }

    /// Query i attends to keys 0 to `past` + i: the queries are positions `past`, `past` + 1, … of the keys' sequence, whose
    /// earlier ones came from a cache.
    pub fn causal_after(past: usize) -> Self {
        AttentionMask { last_key: Some(isize::try_from(past).unwrap_or(isize::MAX)), ..Self::default() }
    }

    /// Of each sequence of the batch, so many of the first keys take part: what is behind them is padding. The shape is
    /// that of the batch.
    pub fn lengths(lengths: impl Into<Index<T>>) -> Self {
        AttentionMask { lengths: Some(lengths.into()), ..Self::default() }
    }

    /// A key takes part where this is true. As the mask of PyTorch's `scaled_dot_product_attention`.
    pub fn takes_part(mask: impl Into<Mask<T>>) -> Self {
        AttentionMask { takes_part: Some(mask.into()), ..Self::default() }
    }

    /// A key takes no part where this is true. As `attn_mask` of PyTorch's `MultiheadAttention`.
    ///
    /// ```
    /// use wengert_tape::{AttentionMask, AttentionOptions, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::<f64>::from(Tensor::linspace(-1.0, 1.0, 6).reshape([1, 2, 3]));
    /// // The second key is not seen by anybody.
    /// let mask = AttentionMask::masked_out(Tensor::from([[false, true], [false, true]]));
    /// let y = x.attention(&x, &x, &AttentionOptions::masked(mask));
    /// assert_eq!(y.value().select(1, 1), x.value().select(1, 0));
    /// ```
    #[track_caller]
    pub fn masked_out(mask: impl Into<Mask<T>>) -> Self {
        let mask = mask.into();
        let shape = mask.shape().clone();
        Self::takes_part(decision(Both { shape, negated: true }, &[], &[mask.given()]))
    }

    /// Keys that are padding where this, of shape `[batch…, keys]`, is true: they take no part for any query. As
    /// `key_padding_mask` of PyTorch's `MultiheadAttention`.
    ///
    /// # Panics
    /// If the mask has no axes.
    ///
    /// ```
    /// use wengert_tape::{AttentionMask, AttentionOptions, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::<f64>::from(Tensor::linspace(-1.0, 1.0, 6).reshape([1, 1, 2, 3]));
    /// // The second word of the only sentence is padding.
    /// let mask = AttentionMask::padding(Tensor::from([[false, true]]));
    /// let y = x.attention(&x, &x, &AttentionOptions::masked(mask));
    /// assert_eq!(y.value().select(2, 1), x.value().select(2, 0));
    /// ```
    #[track_caller]
    pub fn padding(mask: impl Into<Mask<T>>) -> Self {
        let mask = mask.into();
        let Some((&keys, batch)) = mask.shape().split_last() else {
            panic!("padding: the mask has no axis of keys");
        };
        let shape: Shape = batch.iter().copied().chain([1, 1, keys]).collect();
        Self::masked_out(mask.reshape(shape))
    }

    /// Added to the scores before the softmax, such as a bias by distance; −∞ lets a key take no part. It may be tracked.
    pub fn bias(bias: &Var<T>) -> Self {
        AttentionMask { bias: Some(bias.clone()), ..Self::default() }
    }

    /// A key takes part where both masks say so, and biases add up.
    ///
    /// # Panics
    /// If the masks' shapes, or those of the biases, do not broadcast, or both have lengths.
    #[must_use]
    #[track_caller]
    pub fn and(self, other: Self) -> Self {
        let takes_part = match (self.takes_part, other.takes_part) {
            (Some(a), Some(b)) => Some(both(&a, &b)),
            (a, b) => a.or(b),
        };
        let bias = match (self.bias, other.bias) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        assert!(
            self.lengths.is_none() || other.lengths.is_none(),
            "and: both masks have lengths of the sequences"
        );
        AttentionMask {
            last_key: [self.last_key, other.last_key].into_iter().flatten().min(),
            takes_part,
            lengths: self.lengths.or(other.lengths),
            bias,
        }
    }

    /// The same for keys of which the last `count` are new, and attended to by every query; `scores` is the shape `[batch…,
    /// heads, queries, keys]` without them.
    ///
    /// # Panics
    /// If the mask does not suit scores of that shape.
    ///
    /// ```
    /// use wengert_tape::{AttentionMask, AttentionOptions, Var};
    /// use wengert_tensor::Tensor;
    /// let x = Var::<f64>::from(Tensor::linspace(-1.0, 1.0, 6).reshape([1, 1, 2, 3]));
    /// // Only the first key, and one that is added, which all attend to.
    /// let first = AttentionMask::padding(Tensor::from([[false, true]]));
    /// let mask = first.with_more_keys([1, 1, 2, 2], 1);
    /// let keys = Var::cat(&[&x, &x.slice_axis(2, ..1)], 2);
    /// let y = x.attention(&keys, &keys, &AttentionOptions::masked(mask));
    /// assert!(y.value().select(2, 1).all_close(&x.value().select(2, 0), 1e-15, 1e-15));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_more_keys(self, scores: impl Into<Shape>, count: usize) -> Self {
        let scores = scores.into();
        let Parts { last_key, takes_part, bias } = self.parts("with_more_keys", &scores);
        if last_key.is_none() && takes_part.is_none() && bias.is_none() {
            return Self::none();
        }
        let [queries, keys] = [scores[scores.len() - 2], scores[scores.len() - 1]];
        let in_time = last_key.map(|past| {
            let in_time = |i: &[usize]| (i[1] as isize) <= (i[0] as isize).saturating_add(past);
            Mask::constant(Tensor::from_fn([queries, keys], in_time))
        });
        let takes_part = match (takes_part, in_time) {
            (Some(a), Some(b)) => Some(both(&a, &b)),
            (a, b) => a.or(b),
        };
        let takes_part = takes_part.map(|mask| decision(Extended { keys, count }, &[], &[mask.given()]));
        let bias = bias.map(|bias| {
            let rank = bias.rank();
            let mut shape = bias.shape().clone();
            shape = shape.with(rank - 1, keys);
            let bias = bias.broadcast_to(&shape);
            Var::cat(&[&bias, &Var::zeros(shape.with(rank - 1, count))], rank - 1)
        });
        AttentionMask { last_key: None, takes_part, lengths: None, bias }
    }

    /// What it means for scores of this shape.
    #[track_caller]
    pub(super) fn parts(&self, operation: &str, scores: &Shape) -> Parts<T> {
        let keys = scores[scores.len() - 1];
        let mut takes_part = self.takes_part.clone();
        if let Some(lengths) = &self.lengths {
            let batch = &scores[..scores.len().saturating_sub(3)];
            assert!(
                lengths.shape()[..] == *batch,
                "{operation}: lengths of shape {} for a batch of shape {}",
                lengths.shape(),
                Shape::from(batch)
            );
            for (i, length) in lengths.value().iter().enumerate() {
                assert!(
                    length as usize <= keys,
                    "{operation}: sequence {i} has length {length}, and there are {keys} keys"
                );
            }
            let within = decision(WithinLengths { keys }, &[], &[lengths.given()]);
            takes_part = Some(match takes_part {
                Some(mask) => both(&mask, &within),
                None => within,
            });
        }
        if let Some(mask) = &takes_part {
            check_fits(operation, "mask", mask.shape(), scores);
        }
        if let Some(bias) = &self.bias {
            check_fits(operation, "bias", bias.shape(), scores);
        }
        Parts { last_key: self.last_key, takes_part, bias: self.bias.clone() }
    }
}

/// A mask, for given scores.
pub(super) struct Parts<T: Float> {
    pub(super) last_key: Option<isize>,
    pub(super) takes_part: Option<Mask<T>>,
    pub(super) bias: Option<Var<T>>,
}

#[track_caller]
fn check_fits(operation: &str, what: &str, shape: &Shape, scores: &Shape) {
    assert!(
        broadcast(shape, scores).as_ref() == Some(scores),
        "{operation}: the {what} of shape {shape} does not broadcast to the scores' shape {scores}"
    );
}

/// Where both are true.
#[track_caller]
pub(super) fn both<T: Float>(a: &Mask<T>, b: &Mask<T>) -> Mask<T> {
    let shape = wengert_tensor::shape::broadcast_or_panic("and", a.shape(), b.shape());
    decision(Both { shape, negated: false }, &[], &[a.given(), b.given()])
}

/// Where all of some masks are true, or the contrary.
struct Both {
    shape: Shape,
    negated: bool,
}

impl<T: Float> Decision<T> for Both {
    type Element = bool;
    fn name(&self) -> &str {
        "logical_and"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("negated", self.negated);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let all = given[1..].iter().fold(given[0].mask().clone(), |all, mask| all.logical_and(mask.mask()));
        let all = if self.negated { all.logical_not() } else { all };
        all.broadcast_to(&self.shape)
    }
    rules_compiled_here!(Both in DecisionOp);
}

/// The first positions of each sequence, as many as its length says, of shape `[batch…, 1, 1, keys]`.
struct WithinLengths {
    keys: usize,
}

impl<T: Float> Decision<T> for WithinLengths {
    type Element = bool;
    fn name(&self) -> &str {
        "within_lengths"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("keys", self.keys);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let lengths = given[0].index();
        let shape: Shape = lengths.shape().iter().copied().chain([1, 1, self.keys]).collect();
        let lengths = lengths.to_vec();
        Tensor::written(&shape, |out| {
            for (out, &length) in out.chunks_exact_mut(self.keys.max(1)).zip(&lengths) {
                out.iter_mut().enumerate().for_each(|(i, out)| *out = i < length as usize);
            }
        })
    }
    rules_compiled_here!(WithinLengths in DecisionOp);
}

/// The mask with keys behind the others for which it is true.
struct Extended {
    keys: usize,
    count: usize,
}

impl<T: Float> Decision<T> for Extended {
    type Element = bool;
    fn name(&self) -> &str {
        "with_more_keys"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("keys", self.keys);
        attributes.set("count", self.count);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let mask = given[0].mask();
        let axis = mask.rank() - 1;
        let mask = mask.broadcast_to(mask.shape().with(axis, self.keys));
        Tensor::cat(&[&mask, &Tensor::full(mask.shape().with(axis, self.count), true)], axis)
    }
    rules_compiled_here!(Extended in DecisionOp);
}
