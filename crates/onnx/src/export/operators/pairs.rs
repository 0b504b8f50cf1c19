//! Arithmetic, and functions of two numbers.

use std::f64::consts::{LN_2, PI};

use wengert_tensor::Float;

use super::smooth::softplus;
use super::{At, Rule};
use crate::export::graph::Graph;
use crate::proto::AttributeProto;

pub(super) fn rule<T: Float>(name: &str) -> Option<Rule<T>> {
    Some(match name {
        "add" => |g, at| with_number(g, at, "Add", "number"),
        "sub" => |g, at| Ok(g.op("Sub", &[at.x(0), at.x(1)])),
        "mul" => |g, at| with_number(g, at, "Mul", "factor"),
        "div" => div,
        "pow" => pow,
        // Of its gradient.
        "times_power" => |g, at| {
            let power = g.op("Pow", &[at.x(1), at.x(2)]);
            Ok(g.op("Mul", &[at.x(0), &power]))
        },
        "maximum" => |g, at| Ok(g.op("Max", &[at.x(0), at.x(1)])),
        "minimum" => |g, at| Ok(g.op("Min", &[at.x(0), at.x(1)])),
        "fmax" => |g, at| but_nan(g, at, "Max"),
        "fmin" => |g, at| but_nan(g, at, "Min"),
        "atan2" => atan2,
        "hypot" => hypot,
        "logaddexp" => |g, at| log_add_exp(g, at, false),
        "logaddexp2" => |g, at| log_add_exp(g, at, true),
        "xlogy" => |g, at| times_log(g, at, false),
        "xlog1py" => |g, at| times_log(g, at, true),
        "ldexp" => |g, at| {
            let two = g.number(2.0);
            let power = g.op("Pow", &[&two, at.x(1)]);
            Ok(g.op("Mul", &[at.x(0), &power]))
        },
        "fmod" => |g, at| Ok(remainder(g, at.x(0), at.x(1))),
        "remainder" => floored_remainder,
        "floor_divide" => |g, at| {
            let ratio = g.op("Div", &[at.x(0), at.x(1)]);
            Ok(g.op("Floor", &[&ratio]))
        },
        "trunc_divide" => |g, at| {
            let ratio = g.op("Div", &[at.x(0), at.x(1)]);
            let (sign, size) = (g.op("Sign", &[&ratio]), g.op("Abs", &[&ratio]));
            let whole = g.op("Floor", &[&size]);
            Ok(g.op("Mul", &[&sign, &whole]))
        },
        "lerp" => |g, at| {
            let distance = g.op("Sub", &[at.x(1), at.x(0)]);
            let part = g.op("Mul", &[&distance, at.x(2)]);
            Ok(g.op("Add", &[at.x(0), &part]))
        },
        "masked_scale" => |g, at| {
            let zero = g.number(0.0);
            let closed = g.op("Equal", &[at.x(1), &zero]);
            let product = g.op("Mul", &[at.x(0), at.x(1)]);
            Ok(g.op("Where", &[&closed, &zero, &product]))
        },
        _ => return None,
    })
}

/// An operator of two operands, or of one and the number of that name.
fn with_number<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str, name: &str) -> Result<String, String> {
    if let Some(number) = at.quantity(name) {
        let number = g.quantity(number);
        return Ok(g.op(kind, &[at.x(0), &number]));
    }
    Ok(g.op(kind, &[at.x(0), at.x(1)]))
}

fn div<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if let Some(numerator) = at.quantity("numerator") {
        let numerator = g.quantity(numerator);
        return Ok(g.op("Div", &[&numerator, at.x(0)]));
    }
    with_number(g, at, "Div", "divisor")
}

fn pow<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    if at.count() == 2 {
        return Ok(g.op("Pow", &[at.x(0), at.x(1)]));
    }
    // The power 0.
    let zero = g.number(0.0);
    Ok(g.op("Pow", &[at.x(0), &zero]))
}

/// The larger or smaller of two; of a number and NaN the number.
fn but_nan<T: Float>(g: &mut Graph, at: &At<'_, T>, kind: &str) -> Result<String, String> {
    let (a, b) = (at.x(0), at.x(1));
    let (no_a, no_b) = (g.op("IsNaN", &[a]), g.op("IsNaN", &[b]));
    let both = g.op(kind, &[a, b]);
    let or_a = g.op("Where", &[&no_b, a, &both]);
    Ok(g.op("Where", &[&no_a, b, &or_a]))
}

/// The angle of (x, y), of y and x: the arcus tangent of y/x, moved by ±π where x is negative.
fn atan2<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (y, x) = (at.x(0), at.x(1));
    let (zero, pi, minus) = (g.number(0.0), g.number(PI), g.number(-PI));
    let ratio = g.op("Div", &[y, x]);
    let angle = g.op("Atan", &[&ratio]);
    let (left, below) = (g.op("Less", &[x, &zero]), g.op("Less", &[y, &zero]));
    let turn = g.op("Where", &[&below, &minus, &pi]);
    let turned = g.op("Add", &[&angle, &turn]);
    let angle = g.op("Where", &[&left, &turned, &angle]);
    // 0/0 is no number.
    let (no_x, no_y) = (g.op("Equal", &[x, &zero]), g.op("Equal", &[y, &zero]));
    let origin = g.op("And", &[&no_x, &no_y]);
    Ok(g.op("Where", &[&origin, &zero, &angle]))
}

/// √(a² + b²), scaled by the larger so that no square leaves the range.
fn hypot<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let (a, b) = (g.op("Abs", &[at.x(0)]), g.op("Abs", &[at.x(1)]));
    let (larger, smaller) = (g.op("Max", &[&a, &b]), g.op("Min", &[&a, &b]));
    let (zero, one) = (g.number(0.0), g.number(1.0));
    let nothing = g.op("Equal", &[&larger, &zero]);
    let divisor = g.op("Where", &[&nothing, &one, &larger]);
    let ratio = g.op("Div", &[&smaller, &divisor]);
    let square = g.op("Mul", &[&ratio, &ratio]);
    let sum = g.op("Add", &[&square, &one]);
    let root = g.op("Sqrt", &[&sum]);
    Ok(g.op("Mul", &[&larger, &root]))
}

/// The larger of two plus softplus(−|a − b|); to base 2 by way of natural logarithms.
fn log_add_exp<T: Float>(g: &mut Graph, at: &At<'_, T>, binary: bool) -> Result<String, String> {
    let (a, b) = (at.x(0), at.x(1));
    let larger = g.op("Max", &[a, b]);
    let difference = g.op("Sub", &[a, b]);
    // Equal infinities have no distance.
    let (same, zero) = (g.op("Equal", &[a, b]), g.number(0.0));
    let difference = g.op("Where", &[&same, &zero, &difference]);
    let distance = g.op("Abs", &[&difference]);
    let mut minus = g.op("Neg", &[&distance]);
    let base = g.number(LN_2);
    if binary {
        minus = g.op("Mul", &[&minus, &base]);
    }
    let mut more = softplus(g, &minus);
    if binary {
        more = g.op("Div", &[&more, &base]);
    }
    Ok(g.op("Add", &[&larger, &more]))
}

/// x·ln y or x·ln(1 + y), 0 where x is 0 and y is a number.
fn times_log<T: Float>(g: &mut Graph, at: &At<'_, T>, one_plus: bool) -> Result<String, String> {
    let (x, y) = (at.x(0), at.x(1));
    let logarithm = if one_plus { super::elementwise::ln_1p(g, y) } else { g.op("Log", &[y]) };
    let product = g.op("Mul", &[x, &logarithm]);
    let zero = g.number(0.0);
    let nothing = g.op("Equal", &[x, &zero]);
    let undefined = g.op("IsNaN", &[y]);
    let defined = g.op("Not", &[&undefined]);
    let nothing = g.op("And", &[&nothing, &defined]);
    Ok(g.op("Where", &[&nothing, &zero, &product]))
}

/// The remainder with the sign of the dividend.
fn remainder(g: &mut Graph, a: &str, b: &str) -> String {
    g.with("Mod", &[a, b], vec![AttributeProto::int("fmod", 1)])
}

/// The remainder with the sign of the divisor.
fn floored_remainder<T: Float>(g: &mut Graph, at: &At<'_, T>) -> Result<String, String> {
    let b = at.x(1);
    let rest = remainder(g, at.x(0), b);
    let zero = g.number(0.0);
    let (rest_below, b_below) = (g.op("Less", &[&rest, &zero]), g.op("Less", &[b, &zero]));
    let differ = g.op("Xor", &[&rest_below, &b_below]);
    let exact = g.op("Equal", &[&rest, &zero]);
    let inexact = g.op("Not", &[&exact]);
    let wrong = g.op("And", &[&differ, &inexact]);
    let moved = g.op("Add", &[&rest, b]);
    Ok(g.op("Where", &[&wrong, &moved, &rest]))
}
