//! The softmax and what is like it.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Softmax", 1, (1, 1), "axis:i", |call| along(call, |x, axis| x.softmax(axis))),
        operator("LogSoftmax", 1, (1, 1), "axis:i", |call| along(call, |x, axis| x.log_softmax(axis))),
        operator("Hardmax", 1, (1, 1), "axis:i", |call| {
            along(call, |x, axis| {
                let classes = x.shape()[axis];
                x.argmax(axis).one_hot(classes).movedim(&[-1], &[axis as isize])
            })
        }),
        operator("SoftmaxCrossEntropyLoss", 12, (2, 3), "ignore_index:i reduction:s", |call| {
            call.at_least(0, 2)?;
            let log = call.float(0)?.log_softmax(1);
            let mut results = negative_log_likelihood(call, &log)?;
            results.push(Value::Float(log));
            Ok(results)
        }),
        operator("NegativeLogLikelihoodLoss", 12, (2, 3), "ignore_index:i reduction:s", |call| {
            call.at_least(0, 2)?;
            negative_log_likelihood(call, call.float(0)?)
        }),
    ]
}

/// Along an axis; before opset 13 along all axes from that one on as if they were one.
fn along<T: Float>(call: &Call<'_, T>, f: impl Fn(&Var<T>, usize) -> Var<T>) -> Produced<T> {
    let x = call.float(0)?;
    if call.opset >= 13 {
        let axis = axis_of(call.attributes.int("axis", -1), x.rank())?;
        return Ok(vec![Value::Float(if x.is_empty() { x.clone() } else { f(x, axis) })]);
    }
    let (shape, axis) = (x.shape(), call.attributes.int("axis", 1));
    let axis = if axis == shape.len() as i64 { shape.len() } else { axis_of(axis, shape.len())? };
    let (rows, columns) = (shape[..axis].iter().product::<usize>(), shape[axis..].iter().product::<usize>());
    if rows * columns == 0 {
        return Ok(vec![Value::Float(x.clone())]);
    }
    Ok(vec![Value::Float(f(&x.reshape([rows, columns]), 1).reshape(shape))])
}

fn negative_log_likelihood<T: Float>(call: &Call<'_, T>, log: &Var<T>) -> Produced<T> {
    let labels = call.ints(1)?;
    let classes = log.shape()[1];
    let of_labels: Shape = log.shape().iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, &n)| n).collect();
    call.of_shape(1, &of_labels)?;
    let ignored = call.attributes.given_int("ignore_index");
    let (mut places, mut counts) = (Vec::new(), Vec::new());
    for label in labels.to_vec() {
        let is_ignored = Some(label) == ignored;
        let at = if is_ignored { 0 } else { label };
        if at < 0 || at >= classes as i64 {
            return Err(Problem::Index { index: label, length: classes });
        }
        places.push(at as u32);
        counts.push(if is_ignored { T::ZERO } else { T::ONE });
    }
    let places = wengert_tensor::Tensor::from_vec(places, of_labels.clone()).expect("as many as labels");
    let counts = wengert_tensor::Tensor::from_vec(counts, of_labels.clone()).expect("as many as labels");
    let mut weights = Var::constant(counts);
    if let Some(of_classes) = call.given_float(2)? {
        call.of_shape(2, &[classes])?;
        weights *= of_classes.index_select(0, places.reshape([places.len()])).reshape(&of_labels);
    }
    if weights.is_empty() {
        return Err(call.unlike(1, "at least one label"));
    }
    let picked = log.gather(1, places.unsqueeze(1)).squeeze(1);
    // What is ignored has no part, also where it is infinite.
    let picked = picked.masked_fill(weights.equal(0.0), 0.0);
    let losses = -(picked * &weights);
    Ok(vec![Value::Float(match call.attributes.text("reduction").unwrap_or("mean") {
        "none" => losses,
        "sum" => losses.sum(),
        "mean" => losses.sum() / weights.sum(),
        other => return Err(Problem::setting("reduction", other)),
    })])
}
