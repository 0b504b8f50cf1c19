//! What the comparisons share: reading a case, and comparing values and gradients in both precisions.

use serde_json::Value;
use wengert_nn::{Layer, Mode, Params};
use wengert_tape::{Var, check_grads, value_and_grad};
use wengert_tensor::{Float, Shape, Tensor};

/// The cases of one section of a golden file.
pub(crate) fn section(file: &str, name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(file).expect("the file is JSON");
    all[name].as_array().expect("a list of cases").clone()
}

pub(crate) fn name(case: &Value) -> &str {
    case["name"].as_str().expect("a name")
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// A tensor that `make.py` packed.
pub(crate) fn tensor<T: Float>(value: &Value) -> Tensor<T> {
    let shape: Vec<usize> = numbers(&value["shape"]).iter().map(|&d| d as usize).collect();
    let values: Vec<T> = numbers(&value["values"]).into_iter().map(T::from_f64).collect();
    Tensor::vector(&values).reshape(Shape::from(shape))
}

pub(crate) fn labels(value: &Value) -> Tensor<u32> {
    Tensor::vector(&numbers(value).iter().map(|&l| l as u32).collect::<Vec<_>>())
}

/// How far numbers may differ, relative to the largest.
fn tolerance<T: Float>() -> f64 {
    if size_of::<T>() == size_of::<f64>() { 1e-10 } else { 1e-5 }
}

#[track_caller]
pub(crate) fn close<T: Float>(what: &str, found: &[T], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1f64, |m, e| if e.abs() < 1e6 { m.max(e.abs()) } else { m });
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        // Relative to the largest number, or to the number itself where it is huge.
        let (f, bound) = (f.to_f64(), tolerance::<T>() * scale.max(e.abs()));
        assert!((f - e).abs() <= bound, "{what}, element {i}: {f:e} instead of {e:e}");
    }
}

/// The weights of an output's elements in the sum that is differentiated.
pub(crate) fn weights<T: Float>(output: &Var<T>) -> Var<T> {
    let weights = match output.len() {
        1 => Tensor::full([1], T::from_f64(-1.0)),
        n => Tensor::linspace(-1.0, 2.0, n),
    };
    Var::constant(weights.reshape(output.shape()))
}

/// Compares the output of `f` and the gradients of its weighted sum.
pub(crate) fn compare<T: Float>(case: &Value, f: impl Fn(&[Var<T>]) -> Var<T>) {
    let name = name(case);
    let inputs: Vec<Var<T>> =
        case["inputs"].as_array().unwrap().iter().map(|t| Var::constant(tensor(t))).collect();
    let output = f(&inputs);
    let expected = tensor::<f64>(&case["output"]);
    assert_eq!(output.shape(), expected.shape(), "{name}");
    close(name, &output.value().to_vec(), &expected.to_vec());
    let weights = weights(&output);
    let (_, grads) = value_and_grad(|x: &Vec<Var<T>>| (f(x) * &weights).sum(), &inputs);
    for (grad, expected) in grads.iter().zip(case["grads"].as_array().unwrap()) {
        close(&format!("gradient of {name}"), &grad.value().to_vec(), &tensor::<f64>(expected).to_vec());
    }
}

/// The layer at given parameters, as a function of its input (the first of the case's inputs) and of its parameters (the
/// others, in their order); differentiated by both, and checked to second order.
pub(crate) fn with_params(layer: &dyn Layer<f64>, params: &Params<f64>, case: &Value) {
    let inputs: Vec<Tensor<f64>> = case["inputs"].as_array().unwrap().iter().map(tensor).collect();
    let flat: Vec<f64> = inputs[1..].iter().flat_map(Tensor::to_vec).collect();
    let mut params = params.clone();
    params.set_values(&flat);
    // Output and the gradient of the input.
    params.infer(|cx| {
        let mut of_input = case.clone();
        of_input["inputs"].as_array_mut().unwrap().truncate(1);
        compare(&of_input, |x| layer.forward(cx, &x[0]));
    });
    // The gradient of the parameters.
    let x = Var::constant(inputs[0].clone());
    let grads = case["grads"].as_array().unwrap();
    let (_, found) = params
        .value_and_grad(|cx| {
            let y = layer.forward(cx, &x);
            let weights = weights(&y);
            (y * weights).sum()
        })
        .unwrap();
    let expected: Vec<f64> = grads[1..].iter().flat_map(|g| tensor::<f64>(g).to_vec()).collect();
    close(name(case), &found, &expected);
    let of_params = |vars: &[Var<f64>]| layer.forward(&params.context(Mode::Train, vars), &x).tanh();
    check_grads(of_params, &params.vars(), 2).unwrap();
}
