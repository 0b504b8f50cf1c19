//! Reductions over axes.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::super::call::{Call, Produced, axes_of, axis_of};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::{Operator, operator};

const SETTINGS: &str = "axes:ii keepdims:i noop_with_empty_axes:i";
const POSITION: &str = "axis:i keepdims:i select_last_index:i";

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    macro_rules! rows {
        ($($name:literal |$x:ident, $axes:ident, $keep:ident| $body:expr;)*) => {
            vec![$(operator($name, 1, (1, 2), SETTINGS, |call| {
                fn of<S: Float>($x: &Var<S>, $axes: &[usize], $keep: bool) -> Var<S> {
                    $body
                }
                reduced(call, of, of)
            })),*]
        };
    }
    let mut rows: Vec<Operator<T>> = rows! {
        "ReduceSum" |x, axes, keep| x.sum_axes(axes, keep);
        "ReduceMean" |x, axes, keep| x.mean_axes(axes, keep);
        "ReduceMax" |x, axes, keep| extreme(x, axes, keep, f64::NEG_INFINITY, |x, axes, keep| x.max_axes(axes, keep));
        "ReduceMin" |x, axes, keep| extreme(x, axes, keep, f64::INFINITY, |x, axes, keep| x.min_axes(axes, keep));
        "ReduceProd" |x, axes, keep| axes.iter().rev().fold(x.clone(), |x, &axis| x.prod_axis(axis, keep));
        "ReduceL1" |x, axes, keep| x.abs().sum_axes(axes, keep);
        "ReduceL2" |x, axes, keep| x.norm_axes(2.0, axes, keep);
        "ReduceSumSquare" |x, axes, keep| x.square().sum_axes(axes, keep);
        "ReduceLogSum" |x, axes, keep| x.sum_axes(axes, keep).ln();
        "ReduceLogSumExp" |x, axes, keep| extreme(x, axes, keep, f64::NEG_INFINITY, |x, axes, keep| x.logsumexp(axes, keep));
    };
    rows.extend([
        operator("ArgMax", 1, (1, 1), POSITION, |call| position(call, true)),
        operator("ArgMin", 1, (1, 1), POSITION, |call| position(call, false)),
        operator("GlobalAveragePool", 1, (1, 1), "", |call| global(call, |x, axes| x.mean_axes(axes, true))),
        operator("GlobalMaxPool", 1, (1, 1), "", |call| global(call, |x, axes| x.max_axes(axes, true))),
        operator("GlobalLpPool", 2, (1, 1), "p:i", |call| {
            let p = call.attributes.int("p", 2) as f64;
            let norm = |x: &Var<T>, axes: &[usize]| x.norm_axes(p, axes, true);
            if p <= 0.0 { Err(Problem::setting("p", p.to_string())) } else { global(call, norm) }
        }),
    ]);
    rows
}

type Reduce<S> = fn(&Var<S>, &[usize], bool) -> Var<S>;

/// Of no elements a maximum is −∞ in ONNX.
fn extreme<S: Float>(x: &Var<S>, axes: &[usize], keep: bool, of_none: f64, f: Reduce<S>) -> Var<S> {
    if axes.iter().all(|&axis| x.shape()[axis] > 0) {
        return f(x, axes, keep);
    }
    let shape = x.sum_axes(axes, keep).shape().clone();
    Var::constant(wengert_tensor::Tensor::full(shape, S::from_f64(of_none)))
}

fn reduced<T: Float>(call: &Call<'_, T>, floats: Reduce<T>, ints: Reduce<f64>) -> Produced<T> {
    let value = call.value(0)?;
    let keep = call.attributes.int("keepdims", 1) != 0;
    let rank = value.shape().len();
    let axes = call.list(1, "axes")?.filter(|axes| !axes.is_empty());
    if axes.is_none() && call.attributes.int("noop_with_empty_axes", 0) != 0 {
        return Ok(vec![match value {
            // Of each element on its own.
            Value::Float(x) => Value::Float(floats(&x.unsqueeze(0), &[0], false)),
            Value::Int(x) => Value::Int(x.with(ints(&x.numbers.unsqueeze(0), &[0], false))),
            _ => value.clone(),
        }]);
    }
    let axes = match axes {
        Some(axes) => axes_of(&axes, rank)?,
        None => (0..rank).collect(),
    };
    if rank == 0 {
        return Ok(vec![match value {
            Value::Float(x) => Value::Float(floats(&x.unsqueeze(0), &[0], false)),
            Value::Int(x) => Value::Int(x.with(ints(&x.numbers.unsqueeze(0), &[0], false))),
            _ => value.clone(),
        }]);
    }
    Ok(vec![match value {
        Value::Float(x) => Value::Float(floats(x, &axes, keep)),
        // Means of whole numbers are cut off.
        Value::Int(x) => Value::Int(x.with(ints(&x.numbers, &axes, keep).trunc())),
        // Of none a maximum is −∞, which is false.
        _ => truth(&ints(&value.to_f64(), &axes, keep).relu()),
    }])
}

fn position<T: Float>(call: &Call<'_, T>, largest: bool) -> Produced<T> {
    let value = call.value(0)?;
    let axis = axis_of(call.attributes.int("axis", 0), value.shape().len())?;
    let length = value.shape()[axis];
    if length == 0 {
        return Err(call.unlike(0, "at least one element along the axis"));
    }
    let last = call.attributes.int("select_last_index", 0) != 0;
    macro_rules! found {
        ($x:expr) => {{
            let x = if last { $x.flip(axis) } else { $x.clone() };
            let at = if largest { x.argmax(axis) } else { x.argmin(axis) };
            at.value().clone()
        }};
    }
    let at = match value {
        Value::Float(x) => found!(x),
        other => found!(other.to_f64()),
    };
    let at = Var::constant(at.cast::<f64>());
    let at = if last { (length - 1) as f64 - at } else { at };
    let at = if call.attributes.int("keepdims", 1) != 0 { at.unsqueeze(axis) } else { at };
    Ok(vec![Value::Int(super::super::value::Ints::new(at, crate::proto::DataType::Int64))])
}

/// Over all axes behind the channels.
fn global<T: Float>(call: &Call<'_, T>, f: impl Fn(&Var<T>, &[usize]) -> Var<T>) -> Produced<T> {
    call.at_least(0, 3)?;
    let x = call.float(0)?;
    let axes: Vec<usize> = (2..x.rank()).collect();
    if axes.iter().any(|&axis| x.shape()[axis] == 0) {
        return Err(call.unlike(0, "at least one element along each axis"));
    }
    Ok(vec![Value::Float(f(x, &axes))])
}
