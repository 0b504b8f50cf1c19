//! The first losses, layers and models against PyTorch: see `make.py`.

use serde_json::Value;
use wengert_nn::*;
use wengert_tape::{Var, check_grads, hvp};

use crate::support::{close, compare, labels, numbers, section, tensor, with_params};

fn golden(name: &str) -> Vec<Value> {
    section(include_str!("golden.json"), name)
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
        let target = || Var::<f64>::constant(tensor(&case["target"]));
        let cross_entropy = || {
            let label_smoothing = case["label_smoothing"].as_f64().unwrap();
            CrossEntropy { reduction, label_smoothing, ..CrossEntropy::default() }
        };
        match case["name"].as_str().unwrap() {
            "ce_labels" => compare::<f64>(case, |x| cross_entropy().loss(&x[0], &labels(&case["labels"]))),
            "ce_axis" => {
                let labels = labels(&case["labels"]).reshape([2, 2, 2]);
                compare::<f64>(case, |x| CrossEntropy { axis: 1, ..cross_entropy() }.loss(&x[0], &labels));
            }
            "ce_probabilities" => compare::<f64>(case, |x| cross_entropy().loss(&x[0], &target())),
            "mse" => compare::<f64>(case, |x| Mse { reduction }.loss(&x[0], &target())),
            "l1" => compare::<f64>(case, |x| L1 { reduction }.loss(&x[0], &target())),
            "huber" => compare::<f64>(case, |x| Huber { reduction, delta: 1.5 }.loss(&x[0], &target())),
            "smooth_l1" => compare::<f64>(case, |x| SmoothL1 { reduction, beta: 0.7 }.loss(&x[0], &target())),
            "bce" => compare::<f64>(case, |x| Bce { reduction }.loss(&x[0], &target())),
            "bce_with_logits" => {
                let loss = BceWithLogits { reduction, positive_weight: 2.5 };
                compare::<f64>(case, |x| loss.loss(&(&x[0] * 10.0), &target()));
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
        params.infer(|cx| compare::<f64>(case, |x| layer.forward(cx, &x[0])));
        let x = Var::from([-2.5, -0.7, 0.4, 3.0]);
        params.infer(|cx| check_grads(|v| layer.forward(cx, &v[0]), &[x], 3)).unwrap();
    }
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
                params.infer(|cx| compare::<f64>(&case, |x| layer.forward(cx, &x[0])));
            }
            name => {
                let layer =
                    AvgPool2d::new([3, 2]).stride([2, 1]).padding(1).count_padding(name.ends_with("True"));
                params.infer(|cx| compare::<f64>(&case, |x| layer.forward(cx, &x[0])));
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
