//! Constants and values that are made of numbers alone.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::attributes::Attribute;
use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::cast::cast;
use super::{Operator, operator};
use crate::proto::External;

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    let kinds = "value:t value_float:f value_floats:ff value_int:i value_ints:ii";
    vec![
        operator("Constant", 1, (0, 0), kinds, constant),
        operator("ConstantOfShape", 9, (1, 1), "value:t", constant_of_shape),
        operator("Range", 11, (3, 3), "stash_type:i", range),
        operator("EyeLike", 9, (1, 1), "dtype:i k:i", eye_like),
        operator("OneHot", 9, (3, 3), "axis:i", one_hot),
    ]
}

fn of_tensor<T: Float>(tensor: &crate::proto::TensorProto) -> Result<Value<T>, Problem> {
    Value::of_tensor(tensor.clone(), &External::default())
        .map_err(|problem| Problem::setting("value", problem))
}

fn constant<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let attributes = call.attributes;
    if let Some(tensor) = attributes.tensor("value") {
        return Ok(vec![of_tensor(tensor)?]);
    }
    let floats = |values: &[f64], shape: Shape| {
        let values = values.iter().map(|&x| T::from_f64(x)).collect();
        Value::Float(Var::constant(
            Tensor::from_vec(values, shape).expect("as many elements as the shape has"),
        ))
    };
    Ok(vec![if let Some(&Attribute::Float(x)) = attributes.get("value_float") {
        floats(&[x], Shape::scalar())
    } else if let Some(values) = attributes.floats("value_floats") {
        floats(values, values.len().into())
    } else if let Some(x) = attributes.given_int("value_int") {
        Value::from_ints(&[x], Shape::scalar())?
    } else if let Some(values) = attributes.ints("value_ints") {
        Value::from_ints(values, values.len())?
    } else {
        return Err(Problem::setting("value", "there is none, or one of text"));
    }])
}

fn constant_of_shape<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let shape = call.size(&call.ints(0)?.to_vec())?;
    let value = match call.attributes.tensor("value") {
        Some(tensor) => of_tensor(tensor)?,
        None => Value::Float(Var::scalar(T::ZERO)),
    };
    if value.shape().count() != 1 {
        return Err(Problem::setting("value", "not one element"));
    }
    Ok(vec![arranged!(&value, |x| x.reshape(Shape::scalar()).broadcast_to(&shape))])
}

fn range<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let missing = |input| move || Problem::Missing { input };
    let start = call.number(0, "")?.ok_or_else(missing(0))?;
    let limit = call.number(1, "")?.ok_or_else(missing(1))?;
    let step = call.number(2, "")?.ok_or_else(missing(2))?;
    let count = ((limit - start) / step).ceil().max(0.0);
    if !count.is_finite() || step == 0.0 {
        return Err(Problem::setting("delta", format!("from {start} to {limit} by {step}")));
    }
    call.size(&[count as i64])?;
    let numbers: Vec<f64> = (0..count as usize).map(|i| start + i as f64 * step).collect();
    Ok(vec![match call.value(0)? {
        Value::Int(ints) => Value::Int(ints.with(Var::constant(Tensor::vector(&numbers)))),
        Value::Float(_) => Value::Float(Var::constant(Tensor::vector(&numbers).cast::<T>())),
        _ => return Err(call.kind(0, "numbers")),
    }])
}

fn eye_like<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.exactly(0, 2)?;
    let value = call.value(0)?;
    let shape = call.sized(value.shape().iter().copied())?;
    let k = call.attributes.int("k", 0) as isize;
    let eye = Tensor::from_fn(shape, |at| {
        f64::from(u8::from(at[1] as isize == (at[0] as isize).saturating_add(k)))
    });
    let eye: Value<T> = match value {
        Value::Float(_) => Value::Float(Var::constant(eye.cast::<T>())),
        Value::Int(ints) => Value::Int(ints.with(Var::constant(eye))),
        _ => truth(&Var::constant(eye)),
    };
    Ok(vec![match call.attributes.given_int("dtype") {
        Some(code) => cast(&eye, code)?,
        None => eye,
    }])
}

fn one_hot<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (indices, values) = (call.value(0)?.to_f64(), call.value(2)?);
    let depth = call.number(1, "")?.ok_or(Problem::Missing { input: 1 })?;
    call.of_shape(2, &[2])?;
    let rank = indices.rank() + 1;
    let axis = axis_of(call.attributes.int("axis", -1), rank)?;
    let mut shape = indices.shape().to_vec();
    shape.insert(axis, usize::try_from(depth as i64).unwrap_or(usize::MAX));
    let shape = call.sized(shape)?;
    let depth = shape[axis] as f64;
    let hot = indices.unsqueeze(axis);
    let mut along = vec![1; rank];
    along[axis] = shape[axis];
    let classes = Var::constant(Tensor::arange(0.0, depth, 1.0)).reshape(Shape::from(along));
    // Negative ones count from the end; those beyond are nowhere.
    let wrapped = Var::select_where(hot.lt(0.0), &(&hot + depth), &hot);
    let mask = wrapped.equal(&classes);
    Ok(vec![arranged!(values, |x| Var::select_where(mask.value(), &x.select(0, 1), &x.select(0, 0)))])
}
