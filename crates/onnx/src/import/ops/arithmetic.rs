//! Functions of two or more numbers.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::{Ints, Value};
use super::{Operator, operator};

const BROADCAST: &str = "axis:i broadcast:i consumed_inputs:ii";

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Add", 1, (2, 2), BROADCAST, |call| binary(call, |a, b| a + b, |a, b| a + b)),
        operator("Sub", 1, (2, 2), BROADCAST, |call| binary(call, |a, b| a - b, |a, b| a - b)),
        operator("Mul", 1, (2, 2), BROADCAST, |call| binary(call, |a, b| a * b, |a, b| a * b)),
        operator("Div", 1, (2, 2), BROADCAST, divide),
        operator("Pow", 1, (2, 2), BROADCAST, power),
        operator("Mod", 10, (2, 2), "fmod:i", modulo),
        operator("Max", 1, (1, super::ANY), "consumed_inputs:ii", |call| {
            several(call, |a, b| a.maximum(b), |a, b| a.maximum(b))
        }),
        operator("Min", 1, (1, super::ANY), "consumed_inputs:ii", |call| {
            several(call, |a, b| a.minimum(b), |a, b| a.minimum(b))
        }),
        operator("Sum", 1, (1, super::ANY), "consumed_inputs:ii", |call| {
            several(call, |a, b| a + b, |a, b| a + b)
        }),
        operator("Mean", 1, (1, super::ANY), "consumed_inputs:ii", |call| {
            let sum = several(call, |a, b| a + b, |a, b| a + b)?;
            let count = call.inputs.len() as f64;
            Ok(sum
                .into_iter()
                .map(|value| value.float().map_or(value.clone(), |x| Value::Float(x / count)))
                .collect())
        }),
        operator("BitShift", 11, (2, 2), "direction:s", shift),
        operator("BitwiseAnd", 18, (2, 2), "", |call| whole(call, |a, b| Ok(a & b))),
        operator("BitwiseOr", 18, (2, 2), "", |call| whole(call, |a, b| Ok(a | b))),
        operator("BitwiseXor", 18, (2, 2), "", |call| whole(call, |a, b| Ok(a ^ b))),
        operator("BitwiseNot", 18, (1, 1), "", bitwise_not),
    ]
}

/// The second operand as it broadcasts: in the first versions its axes may begin at any of the first operand's.
pub(super) fn second<T: Float>(call: &Call<'_, T>) -> Result<Value<T>, Problem> {
    let value = call.value(1)?;
    let (Some(axis), rank) = (call.attributes.given_int("axis"), call.shape(0)?.len()) else {
        return Ok(value.clone());
    };
    let shape = value.shape();
    let axis = axis_of(axis, rank)?;
    let Some(behind) = rank.checked_sub(axis + shape.len()) else {
        return Err(Problem::Axis { axis: axis as i64, rank });
    };
    let shape: Shape = shape.iter().copied().chain(std::iter::repeat_n(1, behind)).collect();
    Ok(match value {
        Value::Float(x) => Value::Float(x.reshape(shape)),
        Value::Int(ints) => Value::Int(ints.with(ints.numbers.reshape(shape))),
        Value::Bool(mask) => Value::Bool(mask.value().reshape(shape).into()),
        Value::Sequence(_) => return Err(call.kind(1, "a tensor")),
    })
}

type Two<S> = fn(&Var<S>, &Var<S>) -> Var<S>;

fn of_two<T: Float>(
    call: &Call<'_, T>,
    a: &Value<T>,
    b: &Value<T>,
    floats: Two<T>,
    ints: Two<f64>,
) -> Result<Value<T>, Problem> {
    call.broadcast(a.shape(), b.shape())?;
    Ok(match (a, b) {
        (Value::Float(x), Value::Float(y)) => Value::Float(floats(x, y)),
        (Value::Int(x), Value::Int(y)) => Value::Int(x.with(ints(&x.numbers, &y.numbers))),
        (Value::Bool(_), _) => return Err(call.kind(0, "numbers")),
        (a, b) => return Err(Problem::Kind { input: 1, expected: a.kind(), found: b.kind() }),
    })
}

fn binary<T: Float>(call: &Call<'_, T>, floats: Two<T>, ints: Two<f64>) -> Produced<T> {
    let result = of_two(call, call.value(0)?, &second(call)?, floats, ints)?;
    let Value::Int(ints) = &result else { return Ok(vec![result]) };
    Ok(vec![Value::Int(wrapped(ints))])
}

/// Numbers of the types of less than 64 bits that fit into them: they begin again at the other end, as in the file's type.
pub(super) fn wrapped<T: Float>(ints: &Ints<T>) -> Ints<T> {
    let (bits, signed) = (ints.data_type.bits(), ints.data_type.is_signed());
    if bits == 64 {
        return ints.clone();
    }
    let (modulus, low) = ((1_i64 << bits) as f64, if signed { -((1_i64 << (bits - 1)) as f64) } else { 0.0 });
    let high = low + modulus;
    let values = ints.numbers.value();
    if values.iter().all(|x| x >= low && x < high) {
        return ints.clone();
    }
    let wrap = |x: f64| (x - low).rem_euclid(modulus) + low;
    let wrapped = Tensor::from_vec(values.iter().map(wrap).collect(), values.shape().clone());
    ints.with(Var::constant(wrapped.expect("as many elements as before")))
}

/// A function of whole numbers, element by element after broadcasting.
fn whole<T: Float>(call: &Call<'_, T>, f: impl Fn(i64, i64) -> Result<i64, Problem>) -> Produced<T> {
    let (a, b) = (call.ints(0)?, second(call)?);
    let Value::Int(b) = b else { return Err(call.kind(1, a_kind())) };
    let shape = call.broadcast(a.shape(), b.shape())?;
    let (x, y) = (a.numbers.broadcast_to(&shape), b.numbers.broadcast_to(&shape));
    let pairs = x.value().iter().zip(y.value().iter());
    let values: Vec<f64> =
        pairs.map(|(x, y)| Ok(f(x as i64, y as i64)? as f64)).collect::<Result<_, Problem>>()?;
    let values = Tensor::from_vec(values, shape).expect("as many elements as the shape has");
    Ok(vec![Value::Int(wrapped(&a.with(Var::constant(values))))])
}

fn a_kind() -> &'static str {
    super::super::value::INTS
}

/// What `f` makes of a dividend and a divisor; `None` is a result beyond the range.
fn of_divisor(f: impl Fn(i64, i64) -> Option<i64>) -> impl Fn(i64, i64) -> Result<i64, Problem> {
    move |a, b| if b == 0 { Err(Problem::DivisionByZero) } else { f(a, b).ok_or(Problem::Inexact) }
}

fn divide<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    match call.value(0)? {
        Value::Int(_) => whole(call, of_divisor(i64::checked_div)),
        _ => binary(call, |a, b| a / b, |a, b| a / b),
    }
}

fn power<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (base, exponent) = (call.value(0)?, second(call)?);
    call.broadcast(base.shape(), exponent.shape())?;
    let exponent = match (base, &exponent) {
        // One exponent for all: derivatives are those of a power with a fixed one.
        (Value::Float(x), exponent)
            if exponent.shape().count() == 1 && x.rank() >= exponent.shape().len() =>
        {
            let is_constant = exponent.float().is_none_or(|e| !e.is_tracked());
            if is_constant {
                return Ok(vec![Value::Float(x.powf(exponent.to_f64().value().to_vec()[0]))]);
            }
            exponent.clone()
        }
        _ => exponent,
    };
    Ok(vec![match base {
        Value::Float(x) => match exponent {
            Value::Float(y) => Value::Float(x.pow(&y)),
            other => Value::Float(x.pow(Var::constant(other.to_f64().value().cast::<T>()))),
        },
        Value::Int(ints) => {
            let values = ints.numbers.pow(exponent.to_f64()).trunc();
            Value::Int(wrapped(&ints.with(values)))
        }
        _ => return Err(call.kind(0, "numbers")),
    }])
}

fn modulo<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    if call.attributes.int("fmod", 0) == 0 {
        if let Value::Int(_) = call.value(0)? {
            // With the sign of the divisor, as in Python.
            return whole(call, of_divisor(|a, b| Some(a.wrapping_rem(b).wrapping_add(b).wrapping_rem(b))));
        }
        return binary(call, |a, b| a.remainder(b), |a, b| a.remainder(b));
    }
    match call.value(0)? {
        Value::Int(_) => whole(call, of_divisor(i64::checked_rem)),
        _ => binary(call, |a, b| a.fmod(b), |a, b| a.fmod(b)),
    }
}

fn several<T: Float>(call: &Call<'_, T>, floats: Two<T>, ints: Two<f64>) -> Produced<T> {
    let mut result = call.value(0)?.clone();
    for input in 1..call.inputs.len() {
        result = of_two(call, &result, call.value(input)?, floats, ints)?;
    }
    Ok(vec![result])
}

fn shift<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    // Shifts by as many bits as there are, or by a negative number, push all bits out.
    let bits = |b: i64| u32::try_from(b).ok().filter(|&b| b < 63);
    match call.attributes.text("direction") {
        Some("LEFT") => whole(call, |a, b| match bits(b) {
            Some(b) => a.checked_mul(1 << b).ok_or(Problem::Inexact),
            None => Ok(0),
        }),
        Some("RIGHT") => whole(call, |a, b| Ok(a >> bits(b).unwrap_or(63))),
        other => Err(Problem::setting("direction", other.unwrap_or("missing"))),
    }
}

fn bitwise_not<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let ints = call.ints(0)?;
    // −x − 1, which wraps to the complement in types without a sign.
    Ok(vec![Value::Int(wrapped(&ints.with(-&ints.numbers - 1.0)))])
}
