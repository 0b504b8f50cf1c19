//! Dropout, and random numbers.

use wengert_tape::Var;
use wengert_tensor::{Float, Shape, Tensor};

use super::super::call::{Call, Produced};
use super::super::error::Problem;
use super::super::value::{Value, truth};
use super::cast::cast;
use super::{Operator, operator};

pub(super) fn table<T: Float>() -> Vec<Operator<T>> {
    let normal = "dtype:i mean:f scale:f seed:f shape:ii";
    let uniform = "dtype:i high:f low:f seed:f shape:ii";
    vec![
        operator("Dropout", 1, (1, 3), "ratio:f seed:i is_test:i consumed_inputs:ii", dropout),
        operator("RandomNormal", 1, (0, 0), normal, |call| drawn(call, false)),
        operator("RandomNormalLike", 1, (1, 1), normal, |call| drawn(call, false)),
        operator("RandomUniform", 1, (0, 0), uniform, |call| drawn(call, true)),
        operator("RandomUniformLike", 1, (1, 1), uniform, |call| drawn(call, true)),
        operator("Bernoulli", 15, (1, 1), "dtype:i seed:f", bernoulli),
    ]
}

/// Drops as the file says. Seeds of files are not used: numbers depend on the parameters' seed, the step and the draw.
fn dropout<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let p = call.number(1, "ratio")?.unwrap_or(0.5);
    // Before opset 12 it is the program that says whether it trains.
    let trains = match call.given(2) {
        Some(_) => call.number(2, "")?.is_some_and(|flag| flag != 0.0),
        None => call.opset < 12 && call.cx.is_some_and(wengert_nn::Ctx::is_training),
    };
    if !(0.0..=1.0).contains(&p) {
        return Err(Problem::setting("ratio", p.to_string()));
    }
    let all = || truth(&Var::constant(Tensor::ones(x.shape())));
    let Some(cx) = call.cx.filter(|_| trains && p > 0.0) else {
        return Ok(vec![Value::Float(x.clone()), all()]);
    };
    if p == 1.0 {
        let none = truth(&Var::constant(Tensor::zeros(x.shape())));
        return Ok(vec![Value::Float(x * 0.0), none]);
    }
    let key = cx.key();
    if call.outputs < 2 {
        return Ok(vec![Value::Float(x.dropout(p, &key))]);
    }
    // What is left of ones says what is dropped.
    let factors = Var::<T>::ones(x.shape()).dropout(p, &key);
    Ok(vec![Value::Float(x * &factors), Value::Bool(factors.gt(0.0))])
}

fn drawn<T: Float>(call: &Call<'_, T>, uniform: bool) -> Produced<T> {
    let shape: Shape = match call.given(0) {
        Some(value) => value.shape().clone(),
        None => call.size(call.attributes.ints("shape").unwrap_or(&[]))?,
    };
    let Some(cx) = call.cx else { return Err(Problem::Unsupported("no random numbers here".to_owned())) };
    let (key, of) = (cx.key(), |name: &str, default: f64| call.attributes.float(name, default));
    let finite =
        [of("low", 0.0), of("high", 1.0), of("mean", 0.0), of("scale", 1.0)].iter().all(|x| x.is_finite());
    if !finite || of("low", 0.0) > of("high", 1.0) || of("scale", 1.0) < 0.0 {
        return Err(Problem::setting("scale", "limits or scale make no sense"));
    }
    let numbers = if uniform {
        Var::uniform(shape, of("low", 0.0), of("high", 1.0), &key)
    } else {
        Var::normal(shape, of("mean", 0.0), of("scale", 1.0), &key)
    };
    Ok(vec![Value::Float(numbers)])
}

fn bernoulli<T: Float>(call: &Call<'_, T>) -> Produced<T> {
    let x = call.float(0)?;
    let Some(cx) = call.cx else { return Err(Problem::Unsupported("no random numbers here".to_owned())) };
    if x.value().iter().any(|p| !(0.0..=1.0).contains(&p.to_f64())) {
        return Err(Problem::setting("input", "a probability beyond 0 to 1"));
    }
    let drawn = Value::Float(x.bernoulli(cx.key()));
    Ok(vec![match call.attributes.given_int("dtype") {
        Some(code) => cast(&drawn, code)?,
        None => drawn,
    }])
}
