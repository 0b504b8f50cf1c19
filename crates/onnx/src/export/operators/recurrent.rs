//! Gates of recurrent units, for each position of a sequence on its own.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "lstm_gates" => lstm,
        "gru_gates" => gru,
        _ => return None,
    })
}

/// The last axis in so many equal parts.
fn parts<T: Float>(
    g: &mut Graph,
    at: &At<'_, T>,
    x: &str,
    rank: usize,
    count: usize,
) -> Result<Vec<String>, String> {
    let hidden = at.dim(2, at.rank(2) - 1)? as i64;
    let lengths = g.ints(&vec![hidden; count]);
    let axis = AttributeProto::int("axis", rank as i64 - 1);
    Ok(g.parts("Split", &[x, &lengths], vec![axis], count))
}

/// c′ = σ(f)·c + σ(i)·tanh(g) and h′ = σ(o)·tanh(c′), h′ before c′.
fn lstm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let sums = g.op("Add", &[at.x(0), at.x(1)]);
    let gates = parts(g, at, &sums, at.out().len(), 4)?;
    let functions = ["Sigmoid", "Sigmoid", "Tanh", "Sigmoid"];
    let [i, f, new, o] = [0, 1, 2, 3].map(|k| g.op(functions[k], &[&gates[k]]));
    let (kept, added) = (g.op("Mul", &[&f, at.x(2)]), g.op("Mul", &[&i, &new]));
    let cell = g.op("Add", &[&kept, &added]);
    let shown = g.op("Tanh", &[&cell]);
    let hidden = g.op("Mul", &[&o, &shown]);
    let axis = AttributeProto::int("axis", at.out().len() as i64 - 1);
    Ok(g.with("Concat", &[&hidden, &cell], vec![axis]))
}

/// n + z·(h − n) with n = tanh(aₙ + r·bₙ).
fn gru<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (a, b) = (parts(g, at, at.x(0), at.rank(0), 3)?, parts(g, at, at.x(1), at.rank(1), 3)?);
    let [r, z] = [0, 1].map(|k| {
        let sum = g.op("Add", &[&a[k], &b[k]]);
        g.op("Sigmoid", &[&sum])
    });
    let gated = g.op("Mul", &[&r, &b[2]]);
    let sum = g.op("Add", &[&a[2], &gated]);
    let new = g.op("Tanh", &[&sum]);
    let difference = g.op("Sub", &[at.x(2), &new]);
    let kept = g.op("Mul", &[&z, &difference]);
    Ok(g.op("Add", &[&new, &kept]))
}
