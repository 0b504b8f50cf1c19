//! Losses, layers and models against PyTorch: see `golden/make.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, check_grads, hvp, value_and_grad};
use wengert_tensor::Tensor;

fn golden(section: &str) -> Vec<Value> {
    let text = include_str!("golden/golden.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all[section].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn tensor(value: &Value) -> Tensor<f64> {
    let shape: Vec<usize> = numbers(&value["shape"]).iter().map(|&d| d as usize).collect();
    Tensor::vector(&numbers(&value["values"])).reshape(wengert_tensor::Shape::from(shape))
}

fn labels(value: &Value) -> Tensor<u32> {
    Tensor::vector(&numbers(value).iter().map(|&l| l as u32).collect::<Vec<_>>())
}

#[track_caller]
fn close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1f64, |m, e| if e.abs() < 1e6 { m.max(e.abs()) } else { m });
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        // Relative to the largest number, or to the number itself where it is huge.
        assert!((f - e).abs() <= 1e-10 * scale.max(e.abs()), "{what}, element {i}: {f:e} instead of {e:e}");
    }
}

/// Compares the output of `f` and the gradients of its weighted sum.
fn compare(case: &Value, f: impl Fn(&[Var<f64>]) -> Var<f64>) {
    let name = case["name"].as_str().unwrap();
    let inputs: Vec<Var<f64>> =
        case["inputs"].as_array().unwrap().iter().map(|t| Var::constant(tensor(t))).collect();
    let output = f(&inputs);
    let expected = tensor(&case["output"]);
    assert_eq!(output.shape(), expected.shape(), "{name}");
    close(name, &output.value().to_vec(), &expected.to_vec());
    let weights = match output.len() {
        1 => Tensor::full([1], -1.0),
        n => Tensor::linspace(-1.0, 2.0, n),
    };
    let weights = Var::constant(weights.reshape(output.shape()));
    let (_, grads) = value_and_grad(|x: &Vec<Var<f64>>| (f(x) * &weights).sum(), &inputs);
    for (grad, expected) in grads.iter().zip(case["grads"].as_array().unwrap()) {
        close(&format!("gradient of {name}"), &grad.value().to_vec(), &tensor(expected).to_vec());
    }
}

fn reduction(case: &Value) -> Reduction {
    match case["reduction"].as_str().unwrap() {
        "mean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        _ => Reduction::None,
    }
}

#[test]
fn losses_are_those_of_pytorch() {
    let cases = golden("losses");
    assert_eq!(cases.len(), 36);
    for case in &cases {
        let reduction = reduction(case);
        let target = || Var::constant(tensor(&case["target"]));
        let cross_entropy = || {
            let label_smoothing = case["label_smoothing"].as_f64().unwrap();
            CrossEntropy { reduction, label_smoothing, ..CrossEntropy::default() }
        };
        match case["name"].as_str().unwrap() {
            "ce_labels" => compare(case, |x| cross_entropy().loss(&x[0], &labels(&case["labels"]))),
            "ce_axis" => {
                let labels = labels(&case["labels"]).reshape([2, 2, 2]);
                compare(case, |x| CrossEntropy { axis: 1, ..cross_entropy() }.loss(&x[0], &labels));
            }
            "ce_probabilities" => compare(case, |x| cross_entropy().loss(&x[0], &target())),
            "mse" => compare(case, |x| Mse { reduction }.loss(&x[0], &target())),
            "l1" => compare(case, |x| L1 { reduction }.loss(&x[0], &target())),
            "huber" => compare(case, |x| Huber { reduction, delta: 1.5 }.loss(&x[0], &target())),
            "smooth_l1" => compare(case, |x| SmoothL1 { reduction, beta: 0.7 }.loss(&x[0], &target())),
            "bce" => compare(case, |x| Bce { reduction }.loss(&x[0], &target())),
            "bce_with_logits" => {
                let loss = BceWithLogits { reduction, positive_weight: 2.5 };
                compare(case, |x| loss.loss(&(&x[0] * 10.0), &target()));
            }
            other => panic!("no test for {other}"),
        }
    }
}

#[test]
fn activations_are_those_of_pytorch() {
    let params: Params<f64> = Params::seeded(0);
    let layers: Vec<(&str, Box<dyn Layer<f64>>)> = vec![
        ("Relu", Box::new(Relu)),
        ("LeakyRelu", Box::new(LeakyRelu { slope: 0.2 })),
        ("Elu", Box::new(Elu { alpha: 1.3 })),
        ("Silu", Box::new(Silu)),
        ("Gelu", Box::new(Gelu)),
        ("GeluTanh", Box::new(GeluTanh)),
        ("Tanh", Box::new(Tanh)),
        ("Sigmoid", Box::new(Sigmoid)),
        ("Softplus", Box::new(Softplus)),
        ("Softmax", Box::new(Softmax::default())),
        ("LogSoftmax", Box::new(LogSoftmax::default())),
    ];
    for (case, (name, layer)) in golden("activations").iter().zip(&layers) {
        assert_eq!(case["name"], *name);
        params.infer(|cx| compare(case, |x| layer.forward(cx, &x[0])));
        let x = Var::from([-2.5, -0.7, 0.4, 3.0]);
        params.infer(|cx| check_grads(|v| layer.forward(cx, &v[0]), &[x], 3)).unwrap();
    }
}

/// The layer at given parameters, as a function of input and parameters.
fn with_params(layer: &dyn Layer<f64>, params: &Params<f64>, case: &Value) {
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
            let weights = Tensor::linspace(-1.0, 2.0, y.len()).reshape(y.shape());
            (y * Var::constant(weights)).sum()
        })
        .unwrap();
    let expected: Vec<f64> = grads[1..].iter().flat_map(|g| tensor(g).to_vec()).collect();
    close(case["name"].as_str().unwrap(), &found, &expected);
    let of_params = |vars: &[Var<f64>]| layer.forward(&params.context(Mode::Train, vars), &x).tanh();
    check_grads(of_params, &params.vars(), 2).unwrap();
}

#[test]
fn layers_are_those_of_pytorch() {
    for case in golden("layers") {
        let mut params: Params<f64> = Params::seeded(0);
        match case["name"].as_str().unwrap() {
            "Linear" => with_params(&Linear::new(params.root(), 4, 5), &params, &case),
            "Conv2d" => {
                let layer =
                    Conv2d::builder(4, 6, [3, 2]).stride([2, 1]).padding([1, 2]).dilation([2, 1]).groups(2);
                with_params(&layer.build(params.root()), &params, &case);
            }
            "MaxPool2d" => {
                let layer = MaxPool2d::new([3, 2]).stride([2, 1]).padding(1).dilation([1, 2]);
                params.infer(|cx| compare(&case, |x| layer.forward(cx, &x[0])));
            }
            name => {
                let layer =
                    AvgPool2d::new([3, 2]).stride([2, 1]).padding(1).count_padding(name.ends_with("True"));
                params.infer(|cx| compare(&case, |x| layer.forward(cx, &x[0])));
            }
        }
    }
}

#[test]
fn models_have_pytorchs_loss_gradient_and_curvature() {
    for case in golden("models") {
        let mut params: Params<f64> = Params::seeded(0);
        let model = match case["name"].as_str().unwrap() {
            "mlp" => Sequential::builder(params.root())
                .with(|p| Linear::new(p, 6, 5))
                .then(Tanh)
                .with(|p| Linear::new(p, 5, 3))
                .build(),
            _ => Sequential::builder(params.root())
                .with(|p| Conv2d::builder(1, 2, 3).padding(1).build(p))
                .then(Relu)
                .then(MaxPool2d::new(2))
                .with(|p| Conv2d::new(p, 2, 3, 3))
                .then(Relu)
                .then(AvgPool2d::new(2))
                .then(Flatten::default())
                .with(|p| Linear::new(p, 12, 4))
                .build(),
        };
        let names: Vec<&str> = params.iter().map(|(name, ..)| name).collect();
        let expected: Vec<&str> =
            case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        assert_eq!(names, expected);
        params.set_values(&numbers(&case["params"]));
        let (x, labels) = (Var::constant(tensor(&case["x"])), labels(&case["labels"]));
        let (loss, grads) = params.value_and_grad(|cx| model.forward(cx, &x).cross_entropy(&labels)).unwrap();
        close("loss", &[loss], &[case["loss"].as_f64().unwrap()]);
        close("gradient", &grads, &numbers(&case["gradient"]));
        let mut along = params.clone();
        along.set_values(&numbers(&case["vector"]));
        let of_params = |vars: &Vec<Var<f64>>| {
            model.forward(&params.context(Mode::Train, vars), &x).cross_entropy(&labels)
        };
        let product = hvp(of_params, &params.vars(), &along.vars());
        let product: Vec<f64> = product.iter().flat_map(|part| part.value().to_vec()).collect();
        close("product", &product, &numbers(&case["product"]));
    }
}
