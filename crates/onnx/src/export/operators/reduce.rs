//! Reductions, sums along an axis, and statistics.

use wengert_tape::Kind;
use wengert_tensor::Float;

use super::{At, Rule};
use crate::export::graph::Graph;
use crate::export::length::{Length, Quantity};
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "sum" => |g, at| Ok(over_axes(g, at, "ReduceSum")),
        "max" => |g, at| Ok(over_axes(g, at, "ReduceMax")),
        "min" => |g, at| Ok(over_axes(g, at, "ReduceMin")),
        "sum_to" => sum_to,
        "prod" => |g, at| Ok(g.reduce("ReduceProd", at.x(0), &[at.axis()?], true)),
        "count_nonzero" => |g, at| {
            let (zero, axes) = (g.number(0.0), at.axes());
            let equal = g.op("Equal", &[at.x(0), &zero]);
            let differs = g.op("Not", &[&equal]);
            let ones = g.cast(&differs, Kind::Index);
            Ok(g.reduce("ReduceSum", &ones, &axes, at.flag("keepdim")))
        },
        "norm" => norm,
        "centred" => |g, at| {
            let mean = g.reduce("ReduceMean", at.x(0), &at.axes(), true);
            Ok(g.op("Sub", &[at.x(0), &mean]))
        },
        "var" => variance,
        "std" => |g, at| {
            let variance = variance(g, at)?;
            Ok(g.op("Sqrt", &[&variance]))
        },
        "argmax" => |g, at| position(g, at, "ArgMax"),
        "argmin" => |g, at| position(g, at, "ArgMin"),
        "cumsum" => |g, at| {
            let axis = g.int(at.axis()? as i64);
            Ok(g.op("CumSum", &[at.x(0), &axis]))
        },
        "logcumsumexp" => log_cum_sum_exp,
        "cumprod" => cumulative_product,
        "linear_recurrence" => linear_recurrence,
        _ => return None,
    })
}

fn over_axes<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str) -> String {
    g.reduce(kind, at.x(0), &at.axes(), at.flag("keepdim"))
}

/// The product of lengths, if it grows by the same number for each example.
pub(super) fn product(lengths: &[Length]) -> Option<Length> {
    lengths.iter().try_fold(Length::from(1i64), |product, length| match (product.known(), length.known()) {
        (_, Some(n)) => Some(Length { fixed: product.fixed * n, each: product.each * n }),
        (Some(n), None) => Some(Length { fixed: length.fixed * n, each: length.each * n }),
        (None, None) => None,
    })
}

/// How many elements the axes of the first operand have together.
pub(super) fn count<T: Float>(at: &At<'_, T>, axes: &[usize]) -> Result<Length, String> {
    let lengths: Vec<Length> = axes.iter().map(|&axis| at.shape(0)[axis]).collect();
    product(&lengths)
        .ok_or_else(|| "the number of elements does not grow by the same number for each example".into())
}

/// The sum to a shape that broadcasts to the operand's.
fn sum_to<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (shape, target) = (at.shape(0), at.out());
    let missing = shape.len() - target.len();
    let shrinks = |axis: usize| axis < missing || (target[axis - missing] != shape[axis]);
    let axes: Vec<usize> = (0..shape.len()).filter(|&axis| shrinks(axis)).collect();
    let sum = g.reduce("ReduceSum", at.x(0), &axes, true);
    let extra: Vec<i64> = (0..missing as i64).collect();
    Ok(if extra.is_empty() { sum } else { g.squeeze(&sum, &extra) })
}

/// The p-norm.
fn norm<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (p, axes, keep) = (at.number("p")?, at.axes(), at.flag("keepdim"));
    if p == 1.0 {
        return Ok(g.reduce("ReduceL1", at.x(0), &axes, keep));
    }
    let size = g.op("Abs", &[at.x(0)]);
    if p == f64::INFINITY {
        return Ok(g.reduce("ReduceMax", &size, &axes, keep));
    }
    if p == f64::NEG_INFINITY {
        return Ok(g.reduce("ReduceMin", &size, &axes, keep));
    }
    if p == 2.0 {
        return Ok(g.reduce("ReduceL2", at.x(0), &axes, keep));
    }
    if p == 0.0 {
        let zero = g.number(0.0);
        let (differs, axes) = (g.op("Greater", &[&size, &zero]), axes);
        let ones = g.cast(&differs, Kind::Float);
        return Ok(g.reduce("ReduceSum", &ones, &axes, keep));
    }
    let (power, root) = (g.number(p), g.number(p.recip()));
    let powers = g.op("Pow", &[&size, &power]);
    let sum = g.reduce("ReduceSum", &powers, &axes, keep);
    Ok(g.op("Pow", &[&sum, &root]))
}

/// The sum of squares of what is left of the mean, over the number of elements less the correction.
fn variance<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (axes, correction) = (at.axes(), at.number("correction")?);
    let mean = g.reduce("ReduceMean", at.x(0), &axes, true);
    let centred = g.op("Sub", &[at.x(0), &mean]);
    let squares = g.op("Mul", &[&centred, &centred]);
    let sum = g.reduce("ReduceSum", &squares, &axes, at.flag("keepdim"));
    let number = count(at, &axes)?;
    let number = g.quantity(match number.known() {
        Some(number) => Quantity::Fixed((number as f64 - correction).max(0.0)),
        None => Quantity::Of(Length { fixed: number.fixed - correction as i64, ..number }),
    });
    Ok(g.op("Div", &[&sum, &number]))
}

fn position<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str) -> Result<String, String> {
    let attributes = vec![AttributeProto::int("axis", at.axis()? as i64), AttributeProto::int("keepdims", 0)];
    Ok(g.with(kind, &[at.x(0)], attributes))
}

/// For each position the logarithm of the sum of the exponentials so far, which is stable at each of them.
fn log_cum_sum_exp<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let (length, rank) = (at.dim(0, axis)?, at.rank(0));
    let order: Vec<usize> = (0..axis).chain(axis + 1..rank).chain([axis]).collect();
    let last = g.transpose(at.x(0), &order);
    let rows = g.unsqueeze(&last, &[rank as i64 - 1]);
    let so_far = (0..length * length).map(|i| if i % length <= i / length { 0.0 } else { f64::NEG_INFINITY });
    let so_far = g.numbers(&[length, length], &so_far.collect::<Vec<_>>());
    let rows = g.op("Add", &[&rows, &so_far]);
    let sums = g.reduce("ReduceLogSumExp", &rows, &[rank], false);
    let back: Vec<usize> = (0..axis).chain([rank - 1]).chain(axis..rank - 1).collect();
    Ok(g.transpose(&sums, &back))
}

/// The products of each element and all before it, one position after the other.
fn cumulative_product<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    one_by_one(g, at, |g, element, before| g.op("Mul", &[&element, before]))
}

/// sᵢ = cᵢ + aᵢ·sᵢ₋₁, one position after the other.
fn linear_recurrence<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let axis = at.axis()?;
    let mut position = 0usize;
    one_by_one(g, at, |g, element, before| {
        position += 1;
        let factor = g.slice(at.x(1), axis, position.into(), (position + 1).into());
        let carried = g.op("Mul", &[&factor, before]);
        g.op("Add", &[&element, &carried])
    })
}

/// The elements along an axis of the first operand, each behind the first as `next` makes it of that and of what is before.
fn one_by_one<T: Float>(
    g: &mut Graph,
    at: &At<'_, T>,
    mut next: impl FnMut(&mut Graph, String, &str) -> String,
) -> Result<String, String> {
    let axis = at.axis()?;
    let mut states: Vec<String> = Vec::new();
    for i in 0..at.dim(0, axis)? {
        let mut state = g.slice(at.x(0), axis, i.into(), (i + 1).into());
        if let Some(before) = states.last() {
            state = next(g, state, before);
        }
        states.push(state);
    }
    if states.is_empty() {
        return Ok(g.op("Identity", &[at.x(0)]));
    }
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    Ok(g.with("Concat", &states, vec![AttributeProto::int("axis", axis as i64)]))
}
