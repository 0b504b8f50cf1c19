//! Changes of the type of elements.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::super::error::Problem;
use super::super::value::{Ints, Value, truth};
use super::arithmetic::wrapped;
use super::{Operator, operator};
use crate::proto::DataType;

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Cast", 6, (1, 1), "to:i saturate:i round_mode:s", |call| {
            let code = call.attributes.int("to", 0);
            Ok(vec![cast(call.value(0)?, code)?])
        }),
        operator("CastLike", 15, (2, 2), "saturate:i round_mode:s", |call| {
            let code = match call.value(1)? {
                Value::Float(_) => DataType::Float.code(),
                Value::Int(ints) => ints.data_type.code(),
                _ => DataType::Bool.code(),
            };
            Ok(vec![cast(call.value(0)?, i64::from(code))?])
        }),
    ]
}

/// The whole part of a number. What is beyond the range of `int64`, infinite above all, becomes the end of it, and NaN 0: masks
/// take such out afterwards, where logarithms of positions are taken.
fn whole(x: f64) -> f64 {
    let end = 2f64.powi(63);
    if x.is_nan() { 0.0 } else { x.trunc().clamp(-end, end) }
}

/// A value as elements of the type with that number. All floating-point numbers are of one type here, so between those
/// nothing changes, and derivatives pass.
pub(super) fn cast<T: Float>(value: &Value<T>, code: i64) -> Result<Value<T>, Problem> {
    let data_type = i32::try_from(code).ok().and_then(DataType::from_code);
    let Some(data_type) = data_type else {
        return Err(Problem::setting("to", format!("elements of type {code} are not computed with")));
    };
    Ok(match (value, data_type) {
        (Value::Float(_), to) if to.is_float() => value.clone(),
        (_, to) if to.is_float() => Value::Float(Var::constant(value.to_f64().value().cast::<T>())),
        (_, DataType::Bool) => truth(&value.to_f64()),
        (Value::Int(ints), to) => {
            let mut result = wrapped(&Ints::new(ints.numbers.clone(), to));
            if result.numbers.value().shares_storage(ints.numbers.value()) {
                result.index = ints.index.clone();
            }
            Value::Int(result)
        }
        (_, to) => {
            let numbers = value.to_f64();
            let numbers = numbers.value().iter().map(whole).collect();
            let numbers = Tensor::from_vec(numbers, value.shape().clone()).expect("as many as before");
            Value::Int(wrapped(&Ints::new(Var::constant(numbers), to)))
        }
    })
}
