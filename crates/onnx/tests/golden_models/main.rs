//! Models with numbers of other programs, which `scripts/golden.py` writes: every operator against onnxruntime, and networks
//! exported by PyTorch against its outputs and derivatives.

mod file;
mod zoo;

use file::{Case, cases};
use wengert_nn::{Mode, Params};
use wengert_onnx::{Model, Value};
use wengert_tape::{Var, hvp, jvp};
use wengert_tensor::{Float, Tensor};

fn of(name: &str) -> Vec<Case> {
    // Those of operators have two lists, those of networks four.
    let lists = if name == "networks.bin" { 4 } else { 2 };
    cases(&format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR")), lists)
}

fn read<T: Float>(case: &Case) -> (Params<T>, Model<T>) {
    let mut params = Params::seeded(0);
    let model = Model::from_bytes(params.root(), &case.model)
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    (params, model)
}

fn value<T: Float>(bytes: &[u8]) -> Value<T> {
    Value::from_tensor_bytes(bytes).expect("a tensor of the golden file")
}

fn tensor<T: Float>(bytes: &[u8]) -> Tensor<T> {
    value(bytes).float().expect("floating-point numbers").value().clone()
}

/// Compares floating-point numbers closely, and others exactly.
fn close<T: Float>(found: &Value<T>, expected: &Value<T>, tolerance: f64) -> Result<(), String> {
    if found.shape() != expected.shape() {
        return Err(format!("shape {} and not {}", found.shape(), expected.shape()));
    }
    match (found, expected) {
        (Value::Float(x), Value::Float(y)) => {
            for (x, y) in x.value().iter().zip(y.value().iter()) {
                let (x, y) = (x.to_f64(), y.to_f64());
                let same =
                    x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= tolerance * (1.0 + y.abs());
                if !same {
                    return Err(format!("{x} and not {y}"));
                }
            }
        }
        (Value::Int(x), Value::Int(y)) if x.to_vec() == y.to_vec() => {}
        (Value::Bool(x), Value::Bool(y)) if x.value() == y.value() => {}
        _ => return Err(format!("{found:?} and not {expected:?}")),
    }
    Ok(())
}

fn assert_close<T: Float>(name: &str, found: &Value<T>, expected: &Value<T>, tolerance: f64) {
    close(found, expected, tolerance).unwrap_or_else(|problem| panic!("{name}: {problem}"));
}

fn check_outputs<T: Float>(case: &Case, tolerance: f64) {
    let (params, model) = read::<T>(case);
    let names: Vec<String> = model.inputs().iter().map(|input| input.name().to_owned()).collect();
    let inputs: Vec<(&str, Value<T>)> =
        names.iter().zip(&case.lists[0]).map(|(name, bytes)| (name.as_str(), value(bytes))).collect();
    let outputs = params
        .infer(|cx| model.forward(cx, &inputs))
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    for (found, expected) in outputs.into_values().iter().zip(&case.lists[1]) {
        assert_close(&case.name, found, &value(expected), tolerance);
    }
}

/// Operators whose numbers are drawn at random, which `hostile/random.rs` tries.
const NOT_COMPARED: [&str; 5] =
    ["Bernoulli", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"];

#[test]
fn every_operator_gives_the_outputs_of_onnxruntime() {
    let cases = of("operators.bin");
    for case in &cases {
        check_outputs::<f32>(case, 1e-5);
        check_outputs::<f64>(case, 1e-5);
    }
    let models: Vec<&[u8]> = cases.iter().map(|case| &case.model[..]).collect();
    for operator in Model::<f32>::operators() {
        let is_there =
            models.iter().any(|model| model.windows(operator.len()).any(|at| at == operator.as_bytes()));
        assert!(is_there || NOT_COMPARED.contains(&operator), "no golden model has the operator {operator}");
    }
}

#[test]
fn networks_of_pytorch_give_its_outputs() {
    for case in of("networks.bin") {
        check_outputs::<f32>(&case, 2e-5);
        check_outputs::<f64>(&case, 2e-5);
    }
}

/// The sum of the squares of the only output.
fn loss(model: &Model<f64>, cx: &wengert_nn::Ctx<f64>, x: Value<f64>) -> Var<f64> {
    let outputs = model.forward(cx, &[("x", x)]).expect("the input fits");
    outputs.into_values()[0].float().expect("floating-point numbers").square().sum()
}

#[test]
fn gradients_are_those_of_pytorch() {
    let mut compared = 0;
    for case in of("networks.bin") {
        let (mut params, model) = read::<f64>(&case);
        params.allow_unreached(true);
        let x: Value<f64> = value(&case.lists[0][0]);
        let (_, grads) = params.value_and_grad(|cx| loss(&model, cx, x.clone())).expect("gradients");
        for bytes in &case.lists[2] {
            let (name, expected) = (file::name(bytes), value::<f64>(bytes));
            if name == "x" {
                let x = x.float().expect("floating-point numbers");
                let by_x = wengert_tape::grad(
                    |x: &Var<f64>| params.infer_in(Mode::Eval, |cx| loss(&model, cx, x.into())),
                    x,
                );
                assert_close(&format!("{} by x", case.name), &by_x.into(), &expected, 5e-5);
                compared += 1;
            } else {
                let found =
                    grads.get(&name).unwrap_or_else(|| panic!("{}: there is no parameter {name}", case.name));
                let found =
                    Var::from(Tensor::from_slice(found, expected.shape().clone()).expect("as many numbers"));
                assert_close(&format!("{} by {name}", case.name), &found.into(), &expected, 5e-5);
                compared += 1;
            }
        }
    }
    assert!(compared > 60, "only {compared} gradients were compared");
}

#[test]
fn products_with_hessians_are_those_of_pytorch_and_forward_mode_agrees() {
    for case in of("networks.bin").iter().filter(|case| !case.lists[3].is_empty()) {
        let (params, model) = read::<f64>(case);
        let x = Var::from(tensor::<f64>(&case.lists[0][0]));
        let v: Vec<f64> = (1..=x.len()).map(|i| i as f64 * 0.1).collect();
        let v = Var::from(Tensor::from_vec(v, x.shape().clone()).expect("as many numbers"));
        let f = |x: &Var<f64>| params.infer(|cx| loss(&model, cx, x.into()));
        let product = hvp(f, &x, &v);
        assert_close(&format!("{}: H·v", case.name), &product.into(), &value(&case.lists[3][0]), 2e-4);
        let (_, slope) = jvp(f, &x, &v);
        let expected = (wengert_tape::grad(f, &x) * &v).sum().item();
        assert!(
            (slope.item() - expected).abs() < 1e-9 * (1.0 + expected.abs()),
            "{}: {slope} {expected}",
            case.name
        );
    }
}
