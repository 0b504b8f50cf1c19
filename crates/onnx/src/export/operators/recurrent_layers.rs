//! Layers over a whole sequence: LSTM and GRU.

use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::{Graph, NONE};
use crate::export::recurrence::{GRU, LSTM};
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        // Rows i, f, g, o here, and i, o, f, c there.
        LSTM => |g, at| layer(g, at, "LSTM", &[0, 3, 1, 2]),
        // Rows r, z, n here, and z, r, h there.
        GRU => |g, at| layer(g, at, "GRU", &[1, 0, 2]),
        _ => return None,
    })
}

/// The operator of a sequence, weights and states, and of biases of both products. Its outputs have an axis of directions,
/// which is taken away.
fn layer<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str, order: &[usize]) -> Result<String, String> {
    let hidden = at.dim(2, 1)?;
    let states = if kind == "LSTM" { 2 } else { 1 };
    let mut more = 3 + states;
    let weights: Vec<String> = [1, 2].map(|i| reordered(g, at.x(i), hidden, order)).into();
    let [input_bias, state_bias] = [at.flag("input_bias"), at.flag("state_bias")];
    let bias = if input_bias || state_bias {
        let zeros = g.numbers(&[order.len() * hidden], &vec![0.0; order.len() * hidden]);
        let mut part = |g: &mut Graph, there: bool| {
            if !there {
                return zeros.clone();
            }
            more += 1;
            reordered_rows(g, at.x(more - 1), hidden, order)
        };
        let parts = [part(g, input_bias), part(g, state_bias)];
        let joined = g.with("Concat", &[&parts[0], &parts[1]], vec![AttributeProto::int("axis", 0)]);
        g.unsqueeze(&joined, &[0])
    } else {
        NONE.to_owned()
    };
    let mut inputs = vec![at.x(0).to_owned(), weights[0].clone(), weights[1].clone(), bias, NONE.to_owned()];
    inputs.extend((3..3 + states).map(|i| g.unsqueeze(at.x(i), &[0])));
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let mut attributes = vec![AttributeProto::int("hidden_size", hidden as i64)];
    if at.flag("reverse") {
        attributes.push(AttributeProto::string("direction", "reverse"));
    }
    if kind == "GRU" {
        attributes.push(AttributeProto::int("linear_before_reset", 1));
    }
    let outputs = g.parts(kind, &inputs, attributes, 1 + states);
    let all = g.squeeze(&outputs[0], &[1]);
    match outputs.get(2) {
        Some(cells) => Ok(g.with("Concat", &[&all, cells], vec![AttributeProto::int("axis", 0)])),
        None => Ok(all),
    }
}

/// Weights with the rows of the gates in another order, and an axis of directions.
fn reordered(g: &mut Graph, x: &str, hidden: usize, order: &[usize]) -> String {
    let rows = reordered_rows(g, x, hidden, order);
    g.unsqueeze(&rows, &[0])
}

fn reordered_rows(g: &mut Graph, x: &str, hidden: usize, order: &[usize]) -> String {
    let lengths = g.ints(&vec![hidden as i64; order.len()]);
    let axis = || vec![AttributeProto::int("axis", 0)];
    let parts = g.parts("Split", &[x, &lengths], axis(), order.len());
    let parts: Vec<&str> = order.iter().map(|&gate| parts[gate].as_str()).collect();
    g.with("Concat", &parts, axis())
}
