//! Losses that are operations of their own.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "softmax_cross_entropy" => softmax_cross_entropy,
        _ => return None,
    })
}

/// −(1 − ε)·ln p of the label − ε·(the mean of ln p over the classes).
fn softmax_cross_entropy<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (smoothing, last) = (at.number("smoothing")?, at.rank(0) - 1);
    let axis = || vec![AttributeProto::int("axis", last as i64)];
    let logarithms = g.with("LogSoftmax", &[at.x(0)], axis());
    let labels = g.unsqueeze(at.x(1), &[last as i64]);
    let of_label = g.with("GatherElements", &[&logarithms, &labels], axis());
    let of_label = g.squeeze(&of_label, &[last as i64]);
    let loss = g.op("Neg", &[&of_label]);
    if smoothing == 0.0 {
        return Ok(loss);
    }
    let mean = g.reduce("ReduceMean", &logarithms, &[last], false);
    let (share, rest) = (g.number(smoothing), g.number(1.0 - smoothing));
    let (sharp, smooth) = (g.op("Mul", &[&loss, &rest]), g.op("Mul", &[&mean, &share]));
    Ok(g.op("Sub", &[&sharp, &smooth]))
}
