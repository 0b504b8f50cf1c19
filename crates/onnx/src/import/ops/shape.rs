//! Shapes: asking for them and changing them.

use wengert_tensor::{Float, Shape};

use super::super::call::{Call, Produced, axes_of, axis_of};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::structure::reshaped;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Shape", 1, (1, 1), "start:i end:i", shape_of),
        operator("Size", 1, (1, 1), "", |call| Ok(vec![ints(&[call.shape(0)?.count()], Shape::scalar())])),
        operator("Reshape", 1, (1, 2), "shape:ii allowzero:i consumed_inputs:ii", reshape),
        operator("Flatten", 1, (1, 1), "axis:i", flatten),
        operator("Squeeze", 1, (1, 2), "axes:ii", squeeze),
        operator("Unsqueeze", 1, (1, 2), "axes:ii", unsqueeze),
        operator("Expand", 8, (2, 2), "", expand),
        operator("Identity", 1, (1, 1), "", |call| Ok(vec![call.value(0)?.clone()])),
    ]
}

/// Lengths as whole numbers.
fn ints<T: Float>(lengths: &[usize], shape: impl Into<Shape>) -> Value<T> {
    let lengths: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
    Value::from_ints(&lengths, shape).expect("as many elements as the shape has")
}

fn shape_of<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let shape = call.shape(0)?;
    let rank = shape.len() as i64;
    let place = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let (start, end) = (place(call.attributes.int("start", 0)), place(call.attributes.int("end", rank)));
    let lengths = if start < end { &shape[start..end] } else { &[] };
    Ok(vec![ints(lengths, [lengths.len()])])
}

fn reshape<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let old = value.shape();
    let mut lengths = call.needed_list(1, "shape")?;
    let keeps_zeros = call.attributes.int("allowzero", 0) != 0;
    for (axis, length) in lengths.iter_mut().enumerate() {
        if *length == 0 && !keeps_zeros {
            *length = *old.get(axis).ok_or(Problem::Axis { axis: axis as i64, rank: old.len() })? as i64;
        }
    }
    let fits_not = |lengths: &[i64]| Problem::Shape {
        operand: "input 0".to_owned(),
        shape: old.clone(),
        expected: format!("as many elements as {lengths:?} has"),
    };
    let unknown: Vec<usize> = (0..lengths.len()).filter(|&axis| lengths[axis] == -1).collect();
    if unknown.len() > 1 {
        return Err(fits_not(&lengths));
    }
    if let [axis] = unknown[..] {
        lengths[axis] = 1;
        let others = call.size(&lengths)?.count();
        lengths[axis] = match old.count().checked_div(others) {
            Some(length) => length as i64,
            None => {
                lengths[axis] = -1;
                return Err(fits_not(&lengths));
            }
        };
    }
    let shape = call.size(&lengths)?;
    if shape.count() != old.count() {
        return Err(fits_not(&lengths));
    }
    Ok(vec![reshaped(value, &shape)])
}

fn flatten<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let (shape, axis) = (value.shape(), call.attributes.int("axis", 1));
    // The end of the shape is a place, too.
    let at = if axis == shape.len() as i64 { shape.len() } else { axis_of(axis, shape.len())? };
    let (rows, columns) = (shape[..at].iter().product::<usize>(), shape[at..].iter().product::<usize>());
    Ok(vec![reshaped(value, &Shape::from([rows, columns]))])
}

fn squeeze<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let shape = value.shape();
    let axes = match call.list(1, "axes")? {
        Some(axes) => axes_of(&axes, shape.len())?,
        None => (0..shape.len()).filter(|&axis| shape[axis] == 1).collect(),
    };
    if axes.iter().any(|&axis| shape[axis] != 1) {
        return Err(call.unlike(0, format!("length 1 along the axes {axes:?}")));
    }
    let left: Shape = (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect();
    Ok(vec![reshaped(value, &left)])
}

fn unsqueeze<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let axes = call.needed_list(1, "axes")?;
    let rank = value.shape().len() + axes.len();
    let axes = axes_of(&axes, rank)?;
    let mut old = value.shape().iter();
    let shape: Shape = (0..rank)
        .map(|axis| if axes.contains(&axis) { 1 } else { *old.next().expect("one for each other") })
        .collect();
    Ok(vec![reshaped(value, &shape)])
}

fn expand<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let shape = call.size(&call.ints(1)?.to_vec())?;
    let shape = call.broadcast(value.shape(), &shape)?;
    Ok(vec![arranged!(value, |x| x.broadcast_to(&shape))])
}
