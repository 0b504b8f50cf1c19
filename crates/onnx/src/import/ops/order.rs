//! Orders and running sums.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::super::call::{Call, Produced, axis_of};
use super::super::error::Problem;
use super::super::value::{Ints, Value};
use super::{Operator, operator};
use crate::proto::DataType;

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("TopK", 1, (1, 2), "axis:i k:i largest:i sorted:i", top_k),
        operator("CumSum", 11, (2, 2), "exclusive:i reverse:i", |call| {
            running(call, 0.0, |x, axis| x.cumsum(axis), |x, axis| x.cumsum(axis))
        }),
        operator("CumProd", 26, (2, 2), "exclusive:i reverse:i", |call| {
            running(call, 1.0, |x, axis| x.cumprod(axis), |x, axis| x.cumprod(axis))
        }),
    ]
}

fn top_k<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let value = call.value(0)?;
    let axis = axis_of(call.attributes.int("axis", -1), value.shape().len())?;
    let k = call.number(1, "k")?.ok_or(Problem::Missing { input: 1 })?;
    let length = value.shape()[axis];
    if k < 0.0 || k > length as f64 {
        return Err(Problem::Index { index: k as i64, length });
    }
    let largest = call.attributes.int("largest", 1) != 0;
    // By a stable order, so that of equal ones the first come first.
    macro_rules! first {
        ($x:expr) => {{
            let order = $x.argsort(axis, largest).value().slice_axis(axis, ..k as usize);
            ($x.gather(axis, &order), order)
        }};
    }
    let (values, order) = match value {
        Value::Float(x) => {
            let (values, order) = first!(x);
            (Value::Float(values), order)
        }
        Value::Int(ints) => {
            let (values, order) = first!(ints.numbers);
            (Value::Int(ints.with(values)), order)
        }
        _ => return Err(call.kind(0, "numbers")),
    };
    let places = Ints::new(Var::constant(order.cast::<f64>()), DataType::Int64);
    Ok(vec![values, Value::Int(places)])
}

type Along<S> = fn(&Var<S>, usize) -> Var<S>;

fn running<T: Float>(call: &Call<'_, T>, start: f64, floats: Along<T>, ints: Along<f64>) -> Produced<T> {
    let value = call.value(0)?;
    let axis = call.number(1, "")?.ok_or(Problem::Missing { input: 1 })? as i64;
    let axis = axis_of(axis, value.shape().len())?;
    let (exclusive, reverse) =
        (call.attributes.int("exclusive", 0) != 0, call.attributes.int("reverse", 0) != 0);
    fn of<S: Float>(
        x: &Var<S>,
        axis: usize,
        start: f64,
        exclusive: bool,
        reverse: bool,
        f: Along<S>,
    ) -> Var<S> {
        let mut x = if reverse { x.flip(axis) } else { x.clone() };
        if exclusive && x.shape()[axis] > 0 {
            // One further, beginning with what nothing comes to.
            let first = Tensor::full(x.shape().with(axis, 1), S::from_f64(start));
            let last = x.shape()[axis] - 1;
            x = Var::cat(&[Var::constant(first), x.slice_axis(axis, ..last)], axis);
        }
        let y = f(&x, axis);
        if reverse { y.flip(axis) } else { y }
    }
    Ok(vec![match value {
        Value::Float(x) => Value::Float(of(x, axis, start, exclusive, reverse, floats)),
        Value::Int(x) => Value::Int(x.with(of(&x.numbers, axis, start, exclusive, reverse, ints))),
        _ => return Err(call.kind(0, "numbers")),
    }])
}
