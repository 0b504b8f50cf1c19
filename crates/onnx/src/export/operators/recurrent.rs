//! Gates of recurrent units, for each position of a sequence on its own, and sequences that are not written as layers.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "lstm_gates" => |g, at| {
            let [h, c] = lstm(g, [0, 1, 2].map(|i| at.x(i)), sizes(at)?);
            Ok(joined(g, &[h, c], at.out().len() - 1))
        },
        "gru_gates" => |g, at| Ok(gru(g, [0, 1, 2].map(|i| at.x(i)), sizes(at)?)),
        "lstm_sequence" => |g, at| sequence(g, at, true),
        "gru_sequence" => |g, at| sequence(g, at, false),
        _ => return None,
    })
}

/// The hidden units and the rank of a state.
#[derive(Clone, Copy)]
struct Sizes {
    hidden: i64,
    rank: usize,
}

fn sizes<T: Float>(at: &At<'_, T>) -> Result<Sizes, String> {
    let rank = at.rank(2);
    Ok(Sizes { hidden: at.dim(2, rank - 1)? as i64, rank })
}

/// The last axis in so many equal parts.
fn parts(g: &mut Graph, x: &str, sizes: Sizes, count: usize) -> Vec<String> {
    let lengths = g.ints(&vec![sizes.hidden; count]);
    let axis = AttributeProto::int("axis", sizes.rank as i64 - 1);
    g.parts("Split", &[x, &lengths], vec![axis], count)
}

fn joined(g: &mut Graph, parts: &[String], axis: usize) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    g.with("Concat", &parts, vec![AttributeProto::int("axis", axis as i64)])
}

/// h′ and c′: c′ = σ(f)·c + σ(i)·tanh(g) and h′ = σ(o)·tanh(c′).
fn lstm(g: &mut Graph, [a, b, c]: [&str; 3], sizes: Sizes) -> [String; 2] {
    let sums = g.op("Add", &[a, b]);
    let gates = parts(g, &sums, sizes, 4);
    let functions = ["Sigmoid", "Sigmoid", "Tanh", "Sigmoid"];
    let [i, f, new, o] = [0, 1, 2, 3].map(|k| g.op(functions[k], &[&gates[k]]));
    let (kept, added) = (g.op("Mul", &[&f, c]), g.op("Mul", &[&i, &new]));
    let cell = g.op("Add", &[&kept, &added]);
    let shown = g.op("Tanh", &[&cell]);
    [g.op("Mul", &[&o, &shown]), cell]
}

/// n + z·(h − n) with n = tanh(aₙ + r·bₙ).
fn gru(g: &mut Graph, [a, b, h]: [&str; 3], sizes: Sizes) -> String {
    let (a, b) = (parts(g, a, sizes, 3), parts(g, b, sizes, 3));
    let [r, z] = [0, 1].map(|k| {
        let sum = g.op("Add", &[&a[k], &b[k]]);
        g.op("Sigmoid", &[&sum])
    });
    let gated = g.op("Mul", &[&r, &b[2]]);
    let sum = g.op("Add", &[&a[2], &gated]);
    let new = g.op("Tanh", &[&sum]);
    let difference = g.op("Sub", &[h, &new]);
    let kept = g.op("Mul", &[&z, &difference]);
    g.op("Add", &[&new, &kept])
}

/// A sequence step by step: the outputs, and behind them what an LSTM's cells hold at the end.
fn sequence<T: Float>(g: &mut Graph, at: &At<'_, T>, is_lstm: bool) -> Result<String, String> {
    let (steps, sizes) = (at.dim(0, 0)?, sizes(at)?);
    let weight = g.with("Transpose", &[at.x(1)], vec![AttributeProto::ints("perm", vec![1, 0])]);
    let mut h = at.x(2).to_owned();
    let mut c = is_lstm.then(|| at.x(3).to_owned());
    let bias = at.flag("biased").then(|| at.x(at.count() - 1).to_owned());
    let mut outputs = vec![String::new(); steps];
    for count in 0..steps {
        let step = if at.flag("reverse") { steps - 1 - count } else { count };
        let position = g.int(step as i64);
        let a = g.with("Gather", &[at.x(0), &position], vec![AttributeProto::int("axis", 0)]);
        let product = g.op("MatMul", &[&h, &weight]);
        let b = match &bias {
            Some(bias) => g.op("Add", &[&product, bias]),
            None => product,
        };
        match &mut c {
            Some(c) => [h, *c] = lstm(g, [&a, &b, c], sizes),
            None => h = gru(g, [&a, &b, &h], sizes),
        }
        outputs[step] = g.unsqueeze(&h, &[0]);
    }
    outputs.extend(c.map(|c| g.unsqueeze(&c, &[0])));
    if outputs.is_empty() {
        return Err("it has no steps".into());
    }
    Ok(joined(g, &outputs, 0))
}
