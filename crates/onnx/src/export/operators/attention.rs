//! Scaled dot-product attention.

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::products::swapped;
use super::{At, Rule};
use crate::export::graph::{Graph, NONE};
use crate::export::length::Length;
use crate::proto::{AttributeProto, DataType};

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "attention" => attention,
        _ => return None,
    })
}

/// Scores that take no part: less than any other, but a number, so that a row of nothing else is no NaN.
const EXCLUDED: f64 = -1e30;

/// softmax(scale·q·kᵀ + bias)·v over the keys that take part; 0 for a query for which none does.
fn attention<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.get("dropout").is_some() {
        return Err("it drops weights at random: record the forward pass in evaluation mode".into());
    }
    let scale = at.number("scale")?;
    let (biased, masked) = (at.flag("biased"), at.flag("masked"));
    let (query_heads, key_heads) = (at.dim(0, 1)?, at.dim(1, 1)?);
    let last_key = at.length("last_key");
    let whole = last_key.is_none() || last_key == Some(0usize.into());
    // The operator's scale is in single precision.
    if g.opset >= 23 && g.float == DataType::Float && !biased && !masked && whole {
        let mut attributes = vec![AttributeProto::float("scale", scale as f32)];
        if last_key.is_some() {
            attributes.push(AttributeProto::int("is_causal", 1));
        }
        return Ok(g.with("Attention", &[at.x(0), at.x(1), at.x(2)], attributes));
    }
    let shared = |g: &mut Graph, i: usize| shared_heads(g, at, i, query_heads / key_heads.max(1));
    let (keys, values) = (shared(g, 1), shared(g, 2));
    let factor = g.number(scale);
    let query = g.op("Mul", &[at.x(0), &factor]);
    let keys = swapped(g, &keys, 4);
    let mut scores = g.op("MatMul", &[&query, &keys]);
    if biased {
        scores = g.op("Add", &[&scores, at.x(3)]);
    }
    let mask = takes_part(g, at, masked.then(|| 3 + usize::from(biased)), last_key)?;
    let excluded = g.number(EXCLUDED);
    if !mask.is_empty() {
        scores = g.op("Where", &[&mask, &scores, &excluded]);
    }
    if biased {
        // A bias of −∞ excludes, too.
        scores = g.op("Max", &[&scores, &excluded]);
    }
    let mut weights = g.with("Softmax", &[&scores], vec![AttributeProto::int("axis", -1)]);
    if !mask.is_empty() || biased {
        let zero = g.number(0.0);
        let part = g.op("Greater", &[&scores, &excluded]);
        weights = g.op("Where", &[&part, &weights, &zero]);
    }
    Ok(g.op("MatMul", &[&weights, &values]))
}

/// Keys or values with each head repeated for the queries' heads that share it.
fn shared_heads<T: Float>(g: &mut Graph, at: &At<'_, T>, i: usize, times: usize) -> String {
    if times <= 1 {
        return at.x(i).to_owned();
    }
    let shape = at.shape(i);
    let apart = g.unsqueeze(at.x(i), &[2]);
    let repeated = g.expand(&apart, &[shape[0], shape[1], times.into(), shape[2], shape[3]]);
    let heads = shape[1].known().unwrap_or(0) * times as i64;
    g.reshape(&repeated, &[shape[0], heads.into(), shape[2], shape[3]])
}

/// The mask of the keys that take part, if not all do.
fn takes_part<T: Float>(
    g: &mut Graph,
    at: &At<'_, T>,
    mask: Option<usize>,
    last_key: Option<Length>,
) -> Result<String, String> {
    let given = mask.map_or(NONE, |i| at.x(i));
    debug_assert!(mask.is_none_or(|i| at.operands[i].kind == Kind::Mask));
    let Some(last) = last_key else { return Ok(given.to_owned()) };
    let last = last.known().ok_or("its last key depends on the size of the batch")?;
    let (queries, keys) = (at.dim(0, 2)?, at.dim(1, 2)?);
    let in_time: Vec<bool> =
        (0..queries * keys).map(|i| (i % keys) as i64 <= ((i / keys) as i64).saturating_add(last)).collect();
    let in_time = g.flags(&[queries, keys], &in_time);
    Ok(if given.is_empty() { in_time } else { g.op("And", &[given, &in_time]) })
}
