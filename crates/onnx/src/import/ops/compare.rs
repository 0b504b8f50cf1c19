//! Comparisons, logic and choices.

use wengert_tape::{Mask, Var};
use wengert_tensor::{Float, Tensor};

use super::super::call::{Call, Produced};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::arithmetic::second;
use super::{Operator, operator};

const BROADCAST: &str = "axis:i broadcast:i";

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Equal", 1, (2, 2), BROADCAST, |call| compared(call, |a, b| a.equal(b), |a, b| a.equal(b))),
        operator("Greater", 1, (2, 2), BROADCAST, |call| compared(call, |a, b| a.gt(b), |a, b| a.gt(b))),
        operator("GreaterOrEqual", 12, (2, 2), "", |call| compared(call, |a, b| a.ge(b), |a, b| a.ge(b))),
        operator("Less", 1, (2, 2), BROADCAST, |call| compared(call, |a, b| a.lt(b), |a, b| a.lt(b))),
        operator("LessOrEqual", 12, (2, 2), "", |call| compared(call, |a, b| a.le(b), |a, b| a.le(b))),
        operator("And", 1, (2, 2), BROADCAST, |call| logical(call, |a, b| a & b)),
        operator("Or", 1, (2, 2), BROADCAST, |call| logical(call, |a, b| a | b)),
        operator("Xor", 1, (2, 2), BROADCAST, |call| logical(call, |a, b| a ^ b)),
        operator("Not", 1, (1, 1), "", |call| {
            Ok(vec![Value::Bool(call.mask(0)?.value().logical_not().into())])
        }),
        operator("IsNaN", 9, (1, 1), "", |call| Ok(vec![Value::Bool(call.float(0)?.is_nan())])),
        operator("IsInf", 10, (1, 1), "detect_negative:i detect_positive:i", is_inf),
        operator("Where", 9, (3, 3), "", choose),
        operator("NonZero", 9, (1, 1), "", non_zero),
    ]
}

type Compare<S> = fn(&Var<S>, &Var<S>) -> Mask<S>;

fn compared<T: Float>(call: &Call<'_, T>, floats: Compare<T>, ints: Compare<f64>) -> Produced<T> {
    let (a, b) = (call.value(0)?, second(call)?);
    call.broadcast(a.shape(), b.shape())?;
    Ok(vec![match (a, &b) {
        (Value::Float(x), Value::Float(y)) => Value::Bool(floats(x, y)),
        (Value::Float(_), _) | (_, Value::Float(_)) => {
            return Err(Problem::Kind { input: 1, expected: a.kind(), found: b.kind() });
        }
        _ => Value::Bool(ints(&a.to_f64(), &b.to_f64()).value().into()),
    }])
}

fn logical<T: Float>(call: &Call<'_, T>, f: fn(bool, bool) -> bool) -> Produced<T> {
    let (a, b) = (call.mask(0)?.value(), second(call)?);
    let Value::Bool(b) = &b else {
        return Err(Problem::Kind { input: 1, expected: call.value(0)?.kind(), found: b.kind() });
    };
    let shape = call.broadcast(a.shape(), b.shape())?;
    let (a, b) = (a.broadcast_to(&shape), b.value().broadcast_to(&shape));
    let values = a.iter().zip(b.iter()).map(|(a, b)| f(a, b)).collect();
    Ok(vec![Value::Bool(Tensor::from_vec(values, shape).expect("as many elements as the shape has").into())])
}

fn is_inf<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, attributes) = (call.float(0)?, call.attributes);
    let of = |name: &str, number: f64| if attributes.int(name, 1) != 0 { number } else { f64::NAN };
    let (high, low) =
        (x.equal(of("detect_positive", f64::INFINITY)), x.equal(of("detect_negative", f64::NEG_INFINITY)));
    Ok(vec![Value::Bool(high.value().logical_or(low.value()).into())])
}

fn choose<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (mask, a, b) = (call.mask(0)?, call.value(1)?, call.value(2)?);
    let both = call.broadcast(a.shape(), b.shape())?;
    call.broadcast(&both, mask.shape())?;
    Ok(vec![match (a, b) {
        (Value::Float(x), Value::Float(y)) => Value::Float(Var::select_where(mask, x, y)),
        (Value::Float(_), _) | (_, Value::Float(_)) => {
            return Err(Problem::Kind { input: 2, expected: a.kind(), found: b.kind() });
        }
        _ => {
            let chosen = Var::select_where(mask.value(), &a.to_f64(), &b.to_f64());
            match a {
                Value::Int(ints) => Value::Int(ints.with(chosen)),
                _ => truth(&chosen),
            }
        }
    }])
}

fn non_zero<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?.to_f64();
    let shape = value.shape();
    let found: Vec<usize> =
        value.value().iter().enumerate().filter(|(_, x)| *x != 0.0).map(|(i, _)| i).collect();
    let mut positions = vec![0; found.len() * shape.len()];
    for (column, &at) in found.iter().enumerate() {
        let mut rest = at;
        for axis in (0..shape.len()).rev() {
            positions[axis * found.len() + column] = (rest % shape[axis]) as i64;
            rest /= shape[axis];
        }
    }
    let positions = Value::from_ints(&positions, [shape.len(), found.len()]);
    Ok(vec![positions.expect("as many elements as the shape has")])
}
