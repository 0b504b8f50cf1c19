//! The value's gradients and tangent in operations on variables, of which come the derivatives beyond the second order. They
//! hold the scores of all queries and keys.

use wengert_tensor::{Float, Tensor};

use super::op::{Factors, Settings, scores};
use crate::data::{Given, Mask};
use crate::op::{Cotangents, apply_given};
use crate::transform;
use crate::var::Var;

/// The weights of all keys for all queries: the softmax of the scores where a key takes part.
pub(super) fn weights<T: Float>(
    settings: Settings,
    [query, key, statistics]: [&Var<T>; 3],
    bias: Option<&Var<T>>,
    given: &[Given<T>],
) -> Var<T> {
    let mut scores = query.matmul(&repeated(key, query.shape()[1]).t()) * settings.scale;
    if let Some(bias) = bias {
        scores += bias;
    }
    let nothing = Var::scalar(T::NEG_INFINITY);
    if settings.masked {
        scores = Var::select_where(given[0].to_mask(), &scores, &nothing);
    }
    if let Some(past) = settings.last_key {
        let in_time = Tensor::from_fn(&scores.shape()[2..], |i| {
            (i[1] as isize) <= (i[0] as isize).saturating_add(past)
        });
        scores = Var::select_where(in_time, &scores, &nothing);
    }
    // Where nothing takes part, the softmax would be that of nothing but −∞.
    let empty: Mask<T> = statistics.transpose(1, 2).slice_axis(3, 1..).equal(0.0);
    scores.masked_fill(&empty, 0.0).softmax(-1).masked_fill(&empty, 0.0)
}

/// The formulas' quantities at a point.
struct Recorded<T: Float> {
    query: Var<T>,
    key: Var<T>,
    value: Var<T>,
    weights: Var<T>,
    factors: Option<Var<T>>,
}

impl<T: Float> Recorded<T> {
    /// Of the operands and what comes behind them, first the statistics of the softmax.
    fn new(settings: Settings, inputs: &[Var<T>], given: &[Given<T>]) -> Self {
        let [query, key, value] = [0, 1, 2].map(|i| &inputs[i]);
        let bias = settings.biased.then(|| &inputs[3]);
        let heads = query.shape()[1];
        let factors = settings.dropout.map(|p| {
            let scores = scores(query.shape(), key.shape());
            apply_given(Factors { p, scores }, &[], &[&given[usize::from(settings.masked)]])
        });
        Recorded {
            query: query.clone(),
            key: repeated(key, heads),
            value: repeated(value, heads),
            weights: weights(settings, [query, key, &inputs[settings.floats()]], bias, given),
            factors,
        }
    }

    /// As dropout leaves them.
    fn dropped(&self, weights: Var<T>) -> Var<T> {
        match &self.factors {
            Some(factors) => weights * factors,
            None => weights,
        }
    }
}

/// The gradients of some operands with their numbers, of the inputs of the operation that computes them.
pub(super) fn gradients<T: Float>(
    settings: Settings,
    of: [bool; 4],
    inputs: &[Var<T>],
    given: &[Given<T>],
) -> Vec<(usize, Var<T>)> {
    let r = Recorded::new(settings, inputs, given);
    let cotangent = &inputs[settings.floats() + 2];
    let key_heads = inputs[1].shape()[1];
    let of_scores = (of[0] || of[1] || of[3]).then(|| {
        let of_weights = &r.weights * r.dropped(cotangent.matmul(&r.value.t()));
        &of_weights - &r.weights * of_weights.sum_axes(3, true)
    });
    let gradient = |of: usize| match (of, &of_scores) {
        (0, Some(of_scores)) => of_scores.matmul(&r.key) * settings.scale,
        (1, Some(of_scores)) => summed(of_scores.t().matmul(&r.query) * settings.scale, key_heads),
        (3, Some(of_scores)) => of_scores.sum_to(inputs[3].shape()),
        _ => summed(r.dropped(r.weights.clone()).t().matmul(cotangent), key_heads),
    };
    (0..4).filter(|&i| of[i]).map(|i| (i, gradient(i))).collect()
}

/// The tangent of the value, of the inputs of the operation that computes it, which has the tangents that are there.
pub(super) fn tangent<T: Float>(
    settings: Settings,
    along: [bool; 4],
    inputs: &[Var<T>],
    given: &[Given<T>],
) -> Var<T> {
    let r = Recorded::new(settings, inputs, given);
    let heads = r.query.shape()[1];
    let mut tangents = inputs[settings.floats() + 2..].iter();
    let tangents = along.map(|there| if there { tangents.next() } else { None });
    let along_query = tangents[0].map(|t| t.matmul(&r.key.t()) * settings.scale);
    let along_key = tangents[1].map(|t| r.query.matmul(&repeated(t, heads).t()) * settings.scale);
    let along_bias = tangents[3].cloned();
    let along_scores = [along_query, along_key, along_bias].into_iter().flatten().reduce(|a, b| a + b);
    let through_weights = along_scores.map(|t| {
        let of_scores = &r.weights * t;
        let of_weights = &of_scores - &r.weights * of_scores.sum_axes(3, true);
        r.dropped(of_weights).matmul(&r.value)
    });
    let along_value = tangents[2].map(|t| r.dropped(r.weights.clone()).matmul(&repeated(t, heads)));
    crate::cotangent::sum(through_weights, along_value).expect("there is a tangent")
}

/// The vector–Jacobian product of such a formula of `inputs` with respect to those of which some are `needed`.
pub(super) fn vjp<T: Float>(
    formula: impl Fn(&[Var<T>]) -> Var<T>,
    inputs: &[Var<T>],
    needed: &[usize],
    cotangent: &Var<T>,
    into: &mut Cotangents<T>,
) {
    let chosen: Vec<Var<T>> = needed.iter().map(|&i| inputs[i].clone()).collect();
    let (_, pullback) = transform::vjp(|x: &Vec<Var<T>>| formula(&with(inputs, needed, x)), &chosen);
    for (&i, contribution) in needed.iter().zip(pullback.apply(cotangent)) {
        into.add(i, || contribution);
    }
}

/// The tangent of such a formula along the tangents that there are.
pub(super) fn jvp<T: Float>(
    formula: impl Fn(&[Var<T>]) -> Var<T>,
    inputs: &[Var<T>],
    needed: &[usize],
    tangents: &[Option<Var<T>>],
) -> Var<T> {
    let chosen: Vec<Var<T>> = needed.iter().map(|&i| inputs[i].clone()).collect();
    let along: Vec<Var<T>> = needed
        .iter()
        .map(|&i| tangents[i].clone().unwrap_or_else(|| Var::zeros(inputs[i].shape())))
        .collect();
    transform::jvp(|x: &Vec<Var<T>>| formula(&with(inputs, needed, x)), &chosen, &along).1
}

/// Some of the inputs replaced.
fn with<T: Float>(inputs: &[Var<T>], which: &[usize], by: &[Var<T>]) -> Vec<Var<T>> {
    let mut inputs = inputs.to_vec();
    for (&i, x) in which.iter().zip(by) {
        inputs[i] = x.clone();
    }
    inputs
}

/// Heads of keys or values, each for all the heads of queries that share it.
fn repeated<T: Float>(x: &Var<T>, heads: usize) -> Var<T> {
    let [batch, of_keys, length, width] = std::array::from_fn(|i| x.shape()[i]);
    if of_keys == heads {
        return x.clone();
    }
    let group = heads / of_keys.max(1);
    x.unsqueeze(2).broadcast_to([batch, of_keys, group, length, width]).reshape([batch, heads, length, width])
}

/// Its transpose.
fn summed<T: Float>(x: Var<T>, key_heads: usize) -> Var<T> {
    let [batch, heads, length, width] = std::array::from_fn(|i| x.shape()[i]);
    if heads == key_heads {
        return x;
    }
    x.reshape([batch, key_heads, heads / key_heads.max(1), length, width]).sum_axes(2, false)
}
