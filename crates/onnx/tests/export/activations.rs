//! Activations and losses of the neural networks' crate, in both precisions.

use wengert_nn::{Activations, CrossEntropy, Huber, Losses, Params, SmoothL1};
use wengert_onnx::Export;
use wengert_tape::{Data, Var};
use wengert_tensor::{Float, Tensor};

use crate::files;

/// All that are methods, of an input and of a target between 0 and 1.
fn functions<T: Float>(x: &Var<T>, t: &Var<T>) -> Vec<(&'static str, Var<T>)> {
    let p = (x * 0.02 + 0.5).clamp(0.0, 1.0);
    vec![
        ("relu", x.relu()),
        ("elu", x.elu(0.7)),
        ("leaky_relu", x.leaky_relu(0.03)),
        ("silu", x.silu()),
        ("gelu", x.gelu()),
        ("gelu_tanh", x.gelu_tanh()),
        ("selu", x.selu()),
        ("celu", x.celu(0.6)),
        ("mish", x.mish()),
        ("swish", x.swish(1.3)),
        ("hardswish", x.hardswish()),
        ("hardsigmoid", x.hardsigmoid()),
        ("hardtanh", x.hardtanh(-0.7, 1.2)),
        ("squared_relu", x.squared_relu()),
        ("log_sigmoid", x.log_sigmoid()),
        ("softsign", x.softsign()),
        ("tanhshrink", x.tanhshrink()),
        ("hardshrink", x.hardshrink(0.6)),
        ("softshrink", x.softshrink(0.6)),
        ("threshold", x.threshold(0.4, -2.0)),
        ("prelu", x.prelu(&(t * 0.1))),
        ("glu", x.glu(-1)),
        ("geglu", x.geglu(-1)),
        ("mse", x.mse(t)),
        ("l1", x.l1(t)),
        ("huber", Huber { delta: 0.25, ..Huber::default() }.loss(x, t)),
        ("smooth_l1", SmoothL1 { beta: 0.25, ..SmoothL1::default() }.loss(x, t)),
        ("bce", p.bce(t)),
        ("bce_with_logits", x.bce_with_logits(t)),
        ("cross_entropy", CrossEntropy::default().loss(x, t)),
    ]
}

fn check<T: Float>(precision: &str) {
    let params: Params<T> = Params::seeded(0);
    // Large and small numbers of both signs, and 0.
    let numbers = [-30.0, -3.5, -1.0, -0.6, -0.1, -1e-4, 0.0, 1e-4, 0.3, 0.6, 3.5, 30.0].map(T::from_f64);
    let x = Tensor::vector(&numbers).reshape([2, 6]);
    let t = Tensor::linspace(0.05, 0.95, 12).reshape([2, 6]);
    for (opset, number) in [17, 20].into_iter().flat_map(|opset| (0..30).map(move |number| (opset, number))) {
        let export = Export::new().input("x", x.clone()).input("t", t.clone()).opset(opset).batch("batch");
        let pick = |x: &Var<T>, t: &Var<T>| functions(x, t).swap_remove(number);
        let (name, y) = pick(&Var::constant(x.clone()), &Var::constant(t.clone()));
        let model = export.model(&params, |_, i| vec![pick(i.float(0), i.float(1)).1]).unwrap();
        let mut given = vec![Data::Float(x.clone()), Data::Float(t.clone())];
        given.truncate(model.inputs().len());
        let runs = [(given, vec![Data::Float(y.into_value())])];
        files::write(&format!("function_{name}_{precision}_{opset}"), &model, &runs);
        files::read_back(&model, &runs)
            .unwrap_or_else(|error| panic!("{name} in {precision} precision: {error}"));
    }
}

#[test]
fn activations_and_losses_in_single_precision() {
    check::<f32>("single");
}

#[test]
fn activations_and_losses_in_double_precision() {
    check::<f64>("double");
}
