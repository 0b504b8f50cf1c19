//! Attention against PyTorch's numbers.

use serde_json::Value;
use wengert_tape::{AttentionMask, AttentionOptions, Var, grad};
use wengert_tensor::{Float, Shape, Tensor};

use crate::golden::{arrays, error};

/// See `tests/golden/attention.py`.
fn compare_with_pytorch<T: Float>(tolerance: f64) {
    let golden: Value =
        serde_json::from_str(include_str!("../../golden/attention.json")).expect("the file is JSON");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let inputs = arrays::<T>(&case["inputs"]);
        let mask = case["mask"]["data"].as_array().map(|data| {
            let data: Vec<bool> = data.iter().map(|x| x.as_bool().unwrap()).collect();
            let shape = case["mask"]["shape"].as_array().unwrap().iter();
            let shape: Shape = shape.map(|d| d.as_u64().unwrap() as usize).collect();
            AttentionMask::takes_part(Tensor::from_vec(data, shape).unwrap())
        });
        let causal = case["causal"].as_bool().unwrap().then(AttentionMask::causal);
        let f = |v: &Vec<Var<T>>| {
            let bias = v.get(3).map(AttentionMask::bias);
            let mask = mask.clone().or(causal.clone()).or(bias).unwrap_or_default();
            let options =
                AttentionOptions { scale: case["scale"].as_f64(), ..AttentionOptions::masked(mask) };
            v[0].attention(&v[1], &v[2], &options)
        };
        let value = f(&inputs);
        let difference = error(std::slice::from_ref(&value), &Value::Array(vec![case["value"].clone()]));
        assert!(difference < tolerance, "{name}: value differs by {difference:e}");
        let weights = Var::constant(Tensor::linspace(-1.0, 2.0, value.len()).reshape(value.shape()));
        let gradient = grad(|v: &Vec<Var<T>>| (f(v) * &weights).sum(), &inputs);
        agree(&format!("{name}: gradient"), &gradient, &case["gradient"], tolerance);
        // The gradient of the sum of the sines of a gradient.
        let first = |v: &Vec<Var<T>>| grad(|v: &Vec<Var<T>>| (f(v).sin() * &weights).sum(), v);
        let sines = |v: &Vec<Var<T>>| first(v).iter().map(|g| g.sin().sum()).reduce(|a, b| a + b);
        let second = grad(|v: &Vec<Var<T>>| sines(v).expect("there are operands"), &inputs);
        agree(&format!("{name}: second derivative"), &second, &case["second"], 10.0 * tolerance);
    }
}

fn agree<T: Float>(what: &str, found: &[Var<T>], expected: &Value, tolerance: f64) {
    for (i, (found, expected)) in found.iter().zip(expected.as_array().unwrap()).enumerate() {
        if expected["data"].as_array().unwrap().iter().all(|x| x.as_f64() == Some(0.0)) {
            assert!(found.value().abs().max().item().to_f64() < tolerance);
            continue;
        }
        let difference = error(std::slice::from_ref(found), &Value::Array(vec![expected.clone()]));
        assert!(difference < tolerance, "{what} {i} differs by {difference:e}");
    }
}

#[test]
fn double_precision_gives_what_pytorch_gives() {
    compare_with_pytorch::<f64>(1e-12);
}

#[test]
fn single_precision_gives_what_pytorch_gives() {
    compare_with_pytorch::<f32>(1e-5);
}
