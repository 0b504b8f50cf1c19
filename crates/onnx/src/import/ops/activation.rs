//! Activations with settings.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::super::call::{Call, Produced, broadcasts};
use super::super::error::Problem;
use super::super::value::Value;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    vec![
        operator("Celu", 12, (1, 1), "alpha:f", celu),
        operator("Clip", 1, (1, 3), "min:f max:f consumed_inputs:ii", clip),
        operator("Elu", 1, (1, 1), "alpha:f consumed_inputs:ii", elu),
        operator("Gelu", 20, (1, 1), "approximate:s", gelu),
        operator("HardSigmoid", 1, (1, 1), "alpha:f beta:f consumed_inputs:ii", hard_sigmoid),
        operator("HardSwish", 14, (1, 1), "", |call| {
            let x = call.float(0)?;
            Ok(vec![Value::Float(x * (x / 6.0 + 0.5).clamp(0.0, 1.0))])
        }),
        operator("LeakyRelu", 1, (1, 1), "alpha:f consumed_inputs:ii", leaky_relu),
        operator("Mish", 18, (1, 1), "", |call| {
            let x = call.float(0)?;
            Ok(vec![Value::Float(x * x.softplus().tanh())])
        }),
        operator("PRelu", 1, (2, 2), "consumed_inputs:ii", prelu),
        operator("Selu", 1, (1, 1), "alpha:f gamma:f consumed_inputs:ii", selu),
        operator("Shrink", 9, (1, 1), "bias:f lambd:f", shrink),
        operator("SwiGLU", 28, (2, 2), "alpha:f", |call| {
            let (a, b) = (call.float(0)?, call.float(1)?);
            call.of_shape(1, a.shape())?;
            Ok(vec![Value::Float(a * (a * call.attributes.float("alpha", 1.0)).sigmoid() * b)])
        }),
        operator("Swish", 24, (1, 1), "alpha:f", swish),
        operator("ThresholdedRelu", 10, (1, 1), "alpha:f", thresholded_relu),
    ]
}

/// The number where x is negative, x elsewhere. What is not taken has no part in derivatives.
fn or_negative<T: Float>(x: &Var<T>, negative: &Var<T>) -> Var<T> {
    Var::select_where(x.lt(0.0), negative, x)
}

/// eˣ − 1 for numbers that are not positive, so that nothing overflows where it is not taken.
fn exp_m1_below<T: Float>(x: &Var<T>) -> Var<T> {
    x.clamp(f64::NEG_INFINITY, 0.0).exp_m1()
}

fn celu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, alpha) = (call.float(0)?, call.attributes.float("alpha", 1.0));
    Ok(vec![Value::Float(or_negative(x, &(exp_m1_below(&(x / alpha)) * alpha)))])
}

pub(super) fn elu_of<T: Float>(x: &Var<T>, alpha: f64) -> Var<T> {
    or_negative(x, &(exp_m1_below(x) * alpha))
}

fn elu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    Ok(vec![Value::Float(elu_of(call.float(0)?, call.attributes.float("alpha", 1.0)))])
}

fn selu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, attributes) = (call.float(0)?, call.attributes);
    let alpha = attributes.float("alpha", 1.673_263_192_176_818_8);
    let gamma = attributes.float("gamma", 1.050_701_022_148_132_3);
    Ok(vec![Value::Float(elu_of(x, alpha) * gamma)])
}

fn clip<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let low = call.number(1, "min")?.unwrap_or(f64::NEG_INFINITY);
    let high = call.number(2, "max")?.unwrap_or(f64::INFINITY);
    if low.is_nan() || high.is_nan() {
        return Err(Problem::setting("min", "a limit is no number"));
    }
    // With limits in the wrong order everything is the upper one.
    let low = low.min(high);
    Ok(vec![match call.value(0)? {
        Value::Float(x) => Value::Float(x.clamp(low, high)),
        Value::Int(ints) => Value::Int(ints.with(ints.numbers.clamp(low, high))),
        _ => return Err(call.kind(0, "numbers")),
    }])
}

fn gelu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    match call.attributes.text("approximate").unwrap_or("none") {
        "none" => Ok(vec![Value::Float(x.gelu())]),
        "tanh" => {
            let inner = (x + x * x * x * 0.044_715) * (2.0 / std::f64::consts::PI).sqrt();
            Ok(vec![Value::Float(x * (inner.tanh() + 1.0) * 0.5)])
        }
        other => Err(Problem::setting("approximate", other)),
    }
}

pub(super) fn hard_sigmoid_of<T: Float>(x: &Var<T>, alpha: f64, beta: f64) -> Var<T> {
    (x * alpha + beta).clamp(0.0, 1.0)
}

fn hard_sigmoid<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let attributes = call.attributes;
    let (alpha, beta) = (attributes.float("alpha", 0.2), attributes.float("beta", 0.5));
    Ok(vec![Value::Float(hard_sigmoid_of(call.float(0)?, alpha, beta))])
}

fn leaky_relu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    Ok(vec![Value::Float(or_negative(x, &(x * call.attributes.float("alpha", 0.01))))])
}

fn prelu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, mut slope) = (call.float(0)?, call.float(1)?.clone());
    // The first versions have a slope for each channel.
    if call.opset < 7 && slope.rank() == 1 && x.rank() > 2 {
        slope = slope.reshape(&[&[slope.len()][..], &vec![1; x.rank() - 2]].concat()[..]);
    }
    if broadcasts(x.shape(), slope.shape())? != *x.shape() {
        let (first, second) = (x.shape().clone(), slope.shape().clone());
        return Err(Problem::Shapes { what: "do not broadcast to the first", first, second });
    }
    Ok(vec![Value::Float(or_negative(x, &(x * slope)))])
}

fn shrink<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (bias, limit) = (call.attributes.float("bias", 0.0), call.attributes.float("lambd", 0.5));
    let of = |x: &Var<f64>| {
        let above = Var::select_where(x.gt(limit), &(x - bias), &Var::scalar(0.0));
        Var::select_where(x.lt(-limit), &(x + bias), &above)
    };
    Ok(vec![match call.value(0)? {
        Value::Float(x) => {
            let above = Var::select_where(x.gt(limit), &(x - bias), &Var::scalar(T::ZERO));
            Value::Float(Var::select_where(x.lt(-limit), &(x + bias), &above))
        }
        Value::Int(ints) => Value::Int(ints.with(of(&ints.numbers).trunc())),
        _ => return Err(call.kind(0, "numbers")),
    }])
}

fn swish<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, alpha) = (call.float(0)?, call.attributes.float("alpha", 1.0));
    Ok(vec![Value::Float(x * (x * alpha).sigmoid())])
}

fn thresholded_relu<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let (x, alpha) = (call.float(0)?, call.attributes.float("alpha", 1.0));
    Ok(vec![Value::Float(Var::select_where(x.gt(alpha), x, &Var::scalar(T::ZERO)))])
}
