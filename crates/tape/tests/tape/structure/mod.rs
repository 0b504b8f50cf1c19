//! Operations on axes, indices and orders against PyTorch's and NumPy's: see `structure.py` and `einsum.py` in
//! `tests/golden`.

mod functions;
mod kinks;
mod order;
mod scatter;
mod signals;

use std::collections::BTreeSet;

use serde_json::Value;
use wengert_tape::{Var, value_and_grad};
use wengert_tensor::{Float, Shape, Tensor};

fn shape(json: &Value) -> Shape {
    json.as_array().expect("a shape").iter().map(|d| d.as_u64().expect("a length") as usize).collect()
}

fn data(json: &Value) -> Vec<f64> {
    let number = |n: &Value| match n {
        Value::String(text) => text.parse().expect("an infinity or NaN"),
        n => n.as_f64().expect("a number"),
    };
    json.as_array().expect("numbers").iter().map(number).collect()
}

fn array<T: Float>(json: &Value) -> Var<T> {
    let numbers = data(&json["data"]).into_iter().map(T::from_f64).collect();
    Var::constant(Tensor::from_vec(numbers, shape(&json["shape"])).expect("as many numbers as the shape has"))
}

/// What differs by more than the tolerance, which is relative above 1.
fn difference<T: Float>(found: &Tensor<T>, expected: &Value, tolerance: f64) -> Option<String> {
    if found.shape() != &shape(&expected["shape"]) {
        return Some(format!("shape {} instead of {}", found.shape(), expected["shape"]));
    }
    let pairs = found.to_vec().into_iter().map(T::to_f64).zip(data(&expected["data"]));
    let close = |f: f64, e: f64| {
        f == e || (f.is_nan() && e.is_nan()) || (f - e).abs() <= tolerance * (1.0 + e.abs()) && e.is_finite()
    };
    pairs
        .enumerate()
        .find(|(_, (f, e))| !close(*f, *e))
        .map(|(i, (f, e))| format!("element {i}: {f}, not {e}"))
}

/// The weights of the result's elements in the number that is differentiated.
fn weights<T: Float>(shape: &Shape) -> Tensor<T> {
    let numbers = (0..shape.count()).map(|i| T::from_f64((0.9 * i as f64 + 0.4).cos())).collect();
    Tensor::from_vec(numbers, shape.clone()).expect("one number per element")
}

fn compare<T: Float>(tolerance: f64) {
    compare_with(include_str!("../../golden/structure.json"), &functions::all::<T>(), tolerance);
}

fn compare_with<T: Float>(
    golden: &str,
    functions: &[(&'static str, functions::Function<T>)],
    tolerance: f64,
) {
    let golden: Value = serde_json::from_str(golden).expect("the file is JSON");
    let (mut failures, mut tested) = (Vec::new(), BTreeSet::new());
    for case in golden["cases"].as_array().expect("a list") {
        let name = case["name"].as_str().expect("a name");
        if !cfg!(feature = "fft") && name.contains("stft") {
            continue;
        }
        let (_, f) =
            functions.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no function {name}"));
        let inputs: Vec<Var<T>> = case["inputs"].as_array().expect("a list").iter().map(array).collect();
        let value = f(&inputs);
        let mut fail = |what: &str, text: String| failures.push(format!("{name}: {what}: {text}"));
        if let Some(text) = difference(value.value(), &case["value"], tolerance) {
            fail("value", text);
        } else if let Some(expected) = case["gradient"].as_array() {
            let weights = weights(value.shape());
            let (_, gradient) = value_and_grad(|v: &Vec<Var<T>>| (f(v) * &weights).sum(), &inputs);
            for (i, (found, expected)) in gradient.iter().zip(expected).enumerate() {
                if let Some(text) = difference(found.value(), expected, tolerance) {
                    fail(&format!("gradient {i}"), text);
                }
            }
        }
        tested.insert(name);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let untested: Vec<&str> = functions.iter().map(|(n, _)| *n).filter(|n| !tested.contains(n)).collect();
    assert!(untested.is_empty(), "nothing to compare with: {untested:?}");
}

#[test]
fn double_precision() {
    compare::<f64>(1e-10);
}

#[test]
fn single_precision() {
    compare::<f32>(1e-5);
}

#[test]
fn random_equations() {
    let golden: Value =
        serde_json::from_str(include_str!("../../golden/einsum.json")).expect("the file is JSON");
    let cases = golden["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 300);
    let mut failures = Vec::new();
    for case in cases {
        let equation = case["equation"].as_str().expect("a text");
        let shapes: Vec<Shape> = case["shapes"].as_array().expect("a list").iter().map(shape).collect();
        let operand = |(k, shape): (usize, &Shape)| {
            let numbers = (0..shape.count()).map(|i| (1.3 * i as f64 + 0.7 * k as f64 + 0.2).sin()).collect();
            Var::constant(Tensor::from_vec(numbers, shape.clone()).expect("one number per element"))
        };
        let operands: Vec<Var<f64>> = shapes.iter().enumerate().map(operand).collect();
        if let Some(text) = difference(Var::einsum(equation, &operands).value(), case, 1e-12) {
            failures.push(format!("{equation:?} of {shapes:?}: {text}"));
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}
