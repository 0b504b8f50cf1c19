//! Biases by distance.

use wengert_tape::{AttentionMask, Var};
use wengert_tensor::{Float, Tensor};

/// A causal mask with a bias that lets each head prefer near keys by a slope of its own, instead of positions (Press, Smith
/// and Lewis, "Train short, test long: attention with linear biases enables input length extrapolation", 2022): key j gets
/// slope·j, which differs from −slope·distance by the same number for all keys of a query.
///
/// The slopes are 2^(−8i/heads) for i = 1 … heads; if `heads` is no power of two, those of the next lower one, and then every
/// other of twice as many.
///
/// ```
/// use wengert_nn::alibi;
/// use wengert_tape::{AttentionOptions, Var};
/// let x = Var::<f64>::zeros([1, 2, 3, 4]);
/// let weights = x.attention_weights(&x, &AttentionOptions::masked(alibi(2, 3)));
/// // The first head's slope is 1/16.
/// let last = weights.value().select(0, 0).select(0, 0).select(0, 2).to_vec();
/// assert!((last[1] / last[2] - (-1.0f64 / 16.0).exp()).abs() < 1e-15);
/// ```
pub fn alibi<T: Float>(heads: usize, keys: usize) -> AttentionMask<T> {
    let slopes = slopes(heads);
    let bias =
        Tensor::from_fn([heads, 1, keys], |i| T::from_f64(slopes[i[0]] * (i[2] as f64 + 1.0 - keys as f64)));
    AttentionMask::causal().and(AttentionMask::bias(&Var::constant(bias)))
}

fn slopes(heads: usize) -> Vec<f64> {
    let powers = |count: usize| (1..=count).map(move |i| (-8.0 * i as f64 / count as f64).exp2());
    let lower = if heads == 0 { 1 } else { 1 << heads.ilog2() };
    powers(lower).chain(powers(2 * lower).step_by(2)).take(heads).collect()
}
