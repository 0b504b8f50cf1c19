//! Elements put at positions.

use wengert_tape::{ScatterReduce, Var};
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::gather::{along_axis, of_rows};
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Scatter", 9, (3, 3), "axis:i", scatter_elements),
        operator("ScatterElements", 11, (3, 3), "axis:i reduction:s", scatter_elements),
        operator("ScatterND", 11, (3, 3), "reduction:s", scatter_nd),
        operator("TensorScatter", 24, (2, 3), "axis:i mode:s", tensor_scatter),
    ]
}

/// How several elements at one position come together; `None` if the last one stays.
fn reduction<T: Float>(call: &Call<'_, T>) -> Result<Option<ScatterReduce>, Problem> {
    Ok(match call.attributes.text("reduction").unwrap_or("none") {
        "none" => None,
        "add" => Some(ScatterReduce::Sum),
        "mul" => Some(ScatterReduce::Prod),
        "max" => Some(ScatterReduce::Max),
        "min" => Some(ScatterReduce::Min),
        other => return Err(Problem::setting("reduction", other)),
    })
}

/// Rows put at positions of the first axis.
fn put<S: Float>(x: &Var<S>, places: &Tensor<u32>, rows: &Var<S>, how: Option<ScatterReduce>) -> Var<S> {
    // One position for each element of a row.
    let index = places.reshape([places.len(), 1]).broadcast_to(rows.shape());
    match how {
        None => x.scatter(0, index, rows),
        Some(how) => x.scatter_reduce(0, index, rows, how, true),
    }
}

/// The value with the updates at positions of its first axes, after both were made matrices of rows.
fn updated<T: Float>(
    call: &Call<'_, T>,
    updates: &Value<T>,
    places: &Tensor<u32>,
    row: usize,
) -> Produced<T> {
    let (value, how) = (call.value(0)?, reduction(call)?);
    let count = value.shape().count();
    if count == 0 || places.is_empty() {
        return Ok(vec![value.clone()]);
    }
    let (whole, rows) = (Shape::from([count / row.max(1), row]), Shape::from([places.len(), row]));
    let shape = value.shape();
    macro_rules! result {
        ($x:expr, $rows:expr) => {
            put(&$x.reshape(&whole), places, &$rows.reshape(&rows), how).reshape(shape)
        };
    }
    Ok(vec![match (value, updates) {
        (Value::Float(x), Value::Float(u)) => Value::Float(result!(x, u)),
        (Value::Int(ints), Value::Int(u)) => Value::Int(ints.with(result!(ints.numbers, u.numbers))),
        (Value::Bool(_), Value::Bool(_)) => truth(&result!(value.to_f64(), updates.to_f64())),
        _ => return Err(Problem::Kind { input: 2, expected: value.kind(), found: updates.kind() }),
    }])
}

fn scatter_elements<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, ints) = (call.value(0)?, call.ints(1)?);
    let axis = axis_of(call.attributes.int("axis", 0), value.shape().len())?;
    call.of_shape(2, ints.shape())?;
    let places = along_axis(ints, value.shape(), axis)?;
    updated(call, call.value(2)?, &places, 1)
}

fn scatter_nd<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (value, ints) = (call.value(0)?, call.ints(1)?);
    let shape = value.shape();
    let (places, taken) = of_rows(ints, shape, 0)?;
    let rows = &ints.shape()[..ints.shape().len() - 1];
    call.of_shape(2, &[rows, &shape[taken..]].concat())?;
    updated(call, call.value(2)?, &places, shape[taken..].iter().product())
}

/// Writes updates into a cache, from a place on that each batch has.
fn tensor_scatter<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    call.at_least(0, 2)?;
    let (value, updates) = (call.value(0)?, call.value(1)?);
    let (shape, rank) = (value.shape(), value.shape().len());
    let axis = axis_of(call.attributes.int("axis", -2), rank)?;
    let news = updates.shape();
    if axis == 0
        || news.len() != rank
        || (0..rank).any(|i| i != axis && news[i] != shape[i])
        || news[axis] > shape[axis]
    {
        let (first, second) = (shape.clone(), news.clone());
        return Err(Problem::Shapes { what: "are no cache and updates", first, second });
    }
    let starts = match call.given(2) {
        Some(_) => call.ints(2)?.to_vec(),
        None => vec![0; shape[0]],
    };
    if starts.len() != shape[0] {
        return Err(call.unlike(2, format!("[{}]", shape[0])));
    }
    let circular = match call.attributes.text("mode").unwrap_or("linear") {
        "linear" => false,
        "circular" => true,
        other => return Err(Problem::setting("mode", other)),
    };
    let (length, row) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let between: usize = shape[1..axis].iter().product();
    let mut places = Vec::new();
    for (batch, &start) in starts.iter().enumerate() {
        for other in 0..between {
            for i in 0..news[axis] as i64 {
                let at = if circular {
                    start.saturating_add(i).rem_euclid(length as i64)
                } else {
                    start.saturating_add(i)
                };
                let at = usize::try_from(at)
                    .ok()
                    .filter(|&at| at < length)
                    .ok_or(Problem::Index { index: at, length })?;
                let place = (batch * between + other) * length + at;
                places
                    .push(u32::try_from(place).map_err(|_| Problem::Index { index: place as i64, length })?);
            }
        }
    }
    updated(call, updates, &Tensor::vector(&places), row)
}
