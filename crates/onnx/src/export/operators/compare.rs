//! Comparisons, masks and what is chosen by them.

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "gt" => |g, at| relation(g, at, "Greater"),
        "ge" => |g, at| relation(g, at, "GreaterOrEqual"),
        "lt" => |g, at| relation(g, at, "Less"),
        "le" => |g, at| relation(g, at, "LessOrEqual"),
        "equal" => |g, at| relation(g, at, "Equal"),
        "not_equal" => |g, at| {
            let equal = relation(g, at, "Equal")?;
            Ok(g.op("Not", &[&equal]))
        },
        "select_where" => |g, at| Ok(g.op("Where", &[at.x(2), at.x(0), at.x(1)])),
        "logical_and" => logical_and,
        "equal_to" => |g, at| {
            let number = at.int("number")?;
            let number = g.int(number);
            Ok(g.op("Equal", &[at.x(0), &number]))
        },
        "masked_fill" => |g, at| {
            let number = at.int("number")?;
            let number = g.int(number);
            Ok(g.op("Where", &[at.x(1), &number, at.x(0)]))
        },
        "within_lengths" => |g, at| {
            let keys = at.int("keys")?;
            let positions = g.ints(&(0..keys).collect::<Vec<_>>());
            let rank = at.rank(0) as i64;
            let lengths = g.unsqueeze(at.x(0), &[rank, rank + 1, rank + 2]);
            Ok(g.op("Less", &[&positions, &lengths]))
        },
        "positions_within" => |g, at| {
            let positions: Vec<i64> = (at.int("start")?..at.int("end")?).collect();
            let shape: Vec<usize> = [positions.len()].into_iter().chain(vec![1; at.rank(0)]).collect();
            let positions = g.int_tensor(&shape, &positions);
            Ok(g.op("Less", &[&positions, at.x(0)]))
        },
        "with_more_keys" => with_more_keys,
        "is_in" => is_in,
        "is_close" => is_close,
        "not_zero" => |g, at| {
            let zero = g.number(0.0);
            let equal = g.op("Equal", &[at.x(0), &zero]);
            let differs = g.op("Not", &[&equal]);
            Ok(g.cast(&differs, Kind::Float))
        },
        "one_hot" => |g, at| {
            let classes = at.int("classes")?;
            let (classes, values) = (g.int(classes), g.numbers(&[2], &[0.0, 1.0]));
            Ok(g.op("OneHot", &[at.x(0), &classes, &values]))
        },
        _ => return None,
    })
}

fn relation<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str) -> Result<String, String> {
    if let Some(number) = at.quantity("number") {
        let number = g.quantity(number);
        return Ok(g.op(kind, &[at.x(0), &number]));
    }
    Ok(g.op(kind, &[at.x(0), at.x(1)]))
}

fn logical_and<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let mut all = at.x(0).to_owned();
    for i in 1..at.count() {
        all = g.op("And", &[&all, at.x(i)]);
    }
    if at.flag("negated") {
        all = g.op("Not", &[&all]);
    }
    let broadcast = (0..at.count()).all(|i| at.shape(i) != at.out());
    Ok(if broadcast { g.expand(&all, at.out()) } else { all })
}

/// A mask, and behind it keys for which it is true.
fn with_more_keys<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (keys, count) = (at.int("keys")?, at.int("count")?);
    let axis = at.rank(0) - 1;
    let mut shape = at.shape(0).to_vec();
    shape[axis] = keys.into();
    let mask = g.expand(at.x(0), &shape);
    shape[axis] = count.into();
    let truth = g.flags(&[], &[true]);
    let more = g.expand(&truth, &shape);
    Ok(g.with("Concat", &[&mask, &more], vec![AttributeProto::int("axis", axis as i64)]))
}

/// Whether each element of the first is among those of the second.
fn is_in<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let each = g.unsqueeze(at.x(0), &[at.rank(0) as i64]);
    let minus = g.ints(&[-1]);
    let list = g.op("Reshape", &[at.x(1), &minus]);
    let equal = g.op("Equal", &[&each, &list]);
    let ones = g.cast(&equal, Kind::Float);
    let (count, zero) = (g.reduce("ReduceSum", &ones, &[at.rank(0)], false), g.number(0.0));
    Ok(g.op("Greater", &[&count, &zero]))
}

/// |a − b| ≤ atol + rtol·|b|, or equal.
fn is_close<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (a, b) = (at.x(0), at.x(1));
    let (relative, absolute) = (at.number("rtol")?, at.number("atol")?);
    let (relative, absolute) = (g.number(relative), g.number(absolute));
    let (difference, size) = (g.op("Sub", &[a, b]), g.op("Abs", &[b]));
    let distance = g.op("Abs", &[&difference]);
    let scaled = g.op("Mul", &[&size, &relative]);
    let allowed = g.op("Add", &[&scaled, &absolute]);
    let near = g.op("LessOrEqual", &[&distance, &allowed]);
    // An infinite b would allow any distance.
    let infinite = g.op("IsInf", &[b]);
    let finite = g.op("Not", &[&infinite]);
    let near = g.op("And", &[&near, &finite]);
    let equal = g.op("Equal", &[a, b]);
    Ok(g.op("Or", &[&equal, &near]))
}
