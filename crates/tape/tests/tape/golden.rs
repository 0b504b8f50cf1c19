//! A network's loss, gradient and Hessian–vector product against JAX's, and layer normalisation's against PyTorch's: see
//! `tests/golden/make.py` and `layer_norm.py`.

use serde_json::Value;
use wengert_tape::{HessianOperator, Var, value_and_grad};
use wengert_tensor::{Float, Tensor};

pub(crate) fn array<T: Float>(json: &Value) -> Var<T> {
    let list = |key: &str| json[key].as_array().expect("a list").iter();
    let shape: Vec<usize> = list("shape").map(|d| d.as_u64().expect("a length") as usize).collect();
    let data = list("data").map(|x| T::from_f64(x.as_f64().expect("a number"))).collect();
    Var::constant(Tensor::from_vec(data, shape).expect("as many numbers as the shape has"))
}

pub(crate) fn arrays<T: Float>(json: &Value) -> Vec<Var<T>> {
    json.as_array().expect("a list of arrays").iter().map(array).collect()
}

fn activation<T: Float>(name: &str, x: &Var<T>) -> Var<T> {
    match name {
        "tanh" => x.tanh(),
        "relu" => x.relu(),
        "gelu" => x.gelu(),
        "sigmoid" => x.sigmoid(),
        "softplus" => x.softplus(),
        _ => panic!("no activation {name}"),
    }
}

/// The largest difference, relative to the largest element.
pub(crate) fn error<T: Float>(found: &[Var<T>], expected: &Value) -> f64 {
    let worst = found.iter().zip(arrays::<f64>(expected)).map(|(found, expected)| {
        assert_eq!(found.shape(), expected.shape());
        let pairs = found.value().to_vec().into_iter().zip(expected.value().to_vec());
        let difference = pairs.map(|(f, e)| (f.to_f64() - e).abs()).fold(0.0, f64::max);
        difference / expected.value().to_vec().into_iter().map(f64::abs).fold(0.0, f64::max)
    });
    worst.fold(0.0, f64::max)
}

fn compare<T: Float>(tolerance: f64) {
    let golden: Value = serde_json::from_str(include_str!("../golden/mlp.json")).expect("the file is JSON");
    let (params, along) = (arrays::<T>(&golden["params"]), arrays::<T>(&golden["along"]));
    let images = array::<T>(&golden["images"]);
    let labels: Vec<u32> =
        golden["labels"].as_array().unwrap().iter().map(|l| l.as_u64().unwrap() as u32).collect();
    let labels = Tensor::vector(&labels).reshape([-1, 1]);
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case["activation"].as_str().unwrap();
        let loss = |p: &Vec<Var<T>>| {
            let hidden = activation(name, &(images.matmul(&p[0]) + &p[1]));
            let logits = hidden.matmul(&p[2]) + &p[3];
            -logits.log_softmax(-1).gather(1, &labels).mean()
        };
        let (value, gradient) = value_and_grad(loss, &params);
        let operator = HessianOperator::new(loss, &params);
        let expected = case["loss"].as_f64().unwrap();
        assert!((value.item().to_f64() / expected - 1.0).abs() < tolerance, "{name}: loss");
        for (what, found, key) in [
            ("gradient", gradient, "gradient"),
            ("gradient of the operator", operator.gradient(), "gradient"),
            ("product", operator.apply(&along), "hessian_product"),
        ] {
            let error = error(&found, &case[key]);
            assert!(error < tolerance, "{name}: {what} differs by {error:e}");
        }
    }
}

#[test]
fn double_precision() {
    compare::<f64>(1e-10);
}

#[test]
fn single_precision() {
    compare::<f32>(1e-5);
}

fn compare_layer_norm<T: Float>(tolerance: f64) {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/layer_norm.json")).expect("the file is JSON");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for (i, case) in cases.iter().enumerate() {
        let epsilon = case["epsilon"].as_f64().unwrap();
        let (inputs, along) = (arrays::<T>(&case["inputs"]), arrays::<T>(&case["along"]));
        let norm = |v: &Vec<Var<T>>| v[0].layer_norm(&v[1], &v[2], epsilon);
        let value = error(&[norm(&inputs)], &Value::Array(vec![case["value"].clone()]));
        assert!(value < tolerance, "case {i}: value differs by {value:e}");
        let loss = |v: &Vec<Var<T>>| norm(v).sin().sum();
        let operator = HessianOperator::new(loss, &inputs);
        for (what, found, key) in [
            ("gradient", value_and_grad(loss, &inputs).1, "gradient"),
            ("gradient of the operator", operator.gradient(), "gradient"),
            ("product", operator.apply(&along), "hessian_product"),
        ] {
            let error = error(&found, &case[key]);
            assert!(error < tolerance, "case {i}: {what} differs by {error:e}");
        }
    }
}

#[test]
fn layer_norm_in_double_precision() {
    compare_layer_norm::<f64>(1e-12);
}

#[test]
fn layer_norm_in_single_precision() {
    compare_layer_norm::<f32>(1e-5);
}
