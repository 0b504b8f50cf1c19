//! Shapes: what moves elements and computes nothing.

use wengert_tensor::Float;

use super::{At, Rule, Value};
use crate::export::graph::Graph;
use crate::export::length::Length;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "reshape" => |g, at| Ok(g.reshape(at.x(0), at.out())),
        "broadcast_to" => |g, at| Ok(g.expand(at.x(0), at.out())),
        "permute" => |g, at| {
            let order: Vec<usize> = at.ints("order")?.into_iter().map(|axis| axis as usize).collect();
            Ok(g.transpose(at.x(0), &order))
        },
        "cat" => |g, at| {
            let parts: Vec<&str> = (0..at.count()).map(|i| at.x(i)).collect();
            Ok(g.with("Concat", &parts, vec![AttributeProto::int("axis", at.axis()? as i64)]))
        },
        "roll" => roll,
        "slice" => slice,
        "flip" => flip,
        "pad" => pad,
        "tril" => |g, at| triangle(g, at, false),
        "triu" => |g, at| triangle(g, at, true),
        _ => return None,
    })
}

/// The end of an axis before the rest of it.
fn roll<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let length = at.dim(0, axis)? as i64;
    let cut = length - at.int("shift")?;
    let [end, start] =
        [(cut, length), (0, cut)].map(|(from, to)| g.slice(at.x(0), axis, from.into(), to.into()));
    Ok(g.with("Concat", &[&end, &start], vec![AttributeProto::int("axis", axis as i64)]))
}

/// A range as the texts `start:end` and `start:end:step` say it, whose parts may be left out.
fn range(text: &str) -> [Option<i64>; 3] {
    let mut parts = text.split(':').map(|part| part.parse().ok());
    [(); 3].map(|()| parts.next().flatten())
}

/// A bound that is left out, or the same for all batches, or grows with the size.
fn bound<T: Float>(
    at: &At<'_, T>,
    ranges: &[[Option<i64>; 3]],
    i: usize,
    left_out: i64,
) -> Result<Length, String> {
    let all: Vec<i64> = ranges.iter().map(|range| range[i].unwrap_or(left_out)).collect();
    at.sizes.length(&all).ok_or_else(|| "its range does not grow by the same number for each example".into())
}

fn slice<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    // Of indices it is always the first axis.
    let (name, axis) = if at.get("slice").is_some() { ("slice", 0) } else { ("range", at.axis()?) };
    let ranges: Vec<[Option<i64>; 3]> = match at.get(name) {
        Some(Value::Text(text)) => vec![range(text); at.sizes.0.len().max(1)],
        Some(Value::Texts(texts)) => texts.iter().map(|text| range(text)).collect(),
        _ => return Err("it has no range".into()),
    };
    let step = ranges[0][2].unwrap_or(1);
    let (first, last) = if step > 0 { (0, i64::MAX) } else { (i64::MAX, i64::MIN) };
    let (start, end) = (bound(at, &ranges, 0, first)?, bound(at, &ranges, 1, last)?);
    if step == 1 {
        return Ok(g.slice(at.x(0), axis, start, end));
    }
    let (start, end) = (g.lengths(&[start]), g.lengths(&[end]));
    let (axis, step) = (g.ints(&[axis as i64]), g.ints(&[step]));
    Ok(g.op("Slice", &[at.x(0), &start, &end, &axis, &step]))
}

fn flip<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axes: Vec<i64> = at.axes().into_iter().map(|axis| axis as i64).collect();
    if axes.is_empty() {
        return Ok(g.op("Identity", &[at.x(0)]));
    }
    let all = |bound: i64| vec![bound; axes.len()];
    let (starts, ends, steps) = (g.ints(&all(-1)), g.ints(&all(i64::MIN)), g.ints(&all(-1)));
    let axes = g.ints(&axes);
    Ok(g.op("Slice", &[at.x(0), &starts, &ends, &axes, &steps]))
}

/// Zeros before and behind each axis.
fn pad<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let Some(Value::Integers(widths)) = at.get("widths") else { return Err("it has no widths".into()) };
    let (before, behind) = (widths.iter().step_by(2), widths.iter().skip(1).step_by(2));
    let pads: Vec<Length> = before.chain(behind).copied().collect();
    let pads = g.lengths(&pads);
    Ok(g.op("Pad", &[at.x(0), &pads]))
}

fn triangle<T: Float>(g: &mut Graph, at: &At<'_, T>, upper: bool) -> Result<String, String> {
    let offset = at.int("offset")?;
    let offset = g.int(offset);
    Ok(g.with("Trilu", &[at.x(0), &offset], vec![AttributeProto::int("upper", upper.into())]))
}
