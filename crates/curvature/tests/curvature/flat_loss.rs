//! Losses as functions of the flat vector: pure, and the same function as that of the parameter tensors.

use wengert_curvature::Objectives;
use wengert_nn::{Ctx, Dropout, Init, Lambda, Layer, Linear, Losses, Mode, Params, Sequential};
use wengert_optim::{Curvatures, Objective, Operator};
use wengert_tape::{Var, grad, hvp};
use wengert_tensor::random::Generator;
use wengert_tensor::{Shape, Tensor};

fn random(shape: impl Into<Shape>, seed: u64) -> Var<f64> {
    Var::constant(Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed)))
}

#[test]
fn evaluations_are_pure() {
    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [1], Init::Ones);
    let count = params.at("norm").buffer("count", Tensor::zeros([1]));
    let x = Var::ones([1000]);
    let loss = |cx: &Ctx<f64>| {
        cx.set_buffer(count, &cx.buffer(count) + 1.0);
        Dropout::new(0.5).forward(cx, &(&x * cx.param(w))).mean() + cx.buffer(count).item()
    };
    let objective = params.objective(loss);
    let value = objective.value(&[1.0]);
    let mut gradient = [0.0];
    for _ in 0..2 {
        assert_eq!(objective.value_and_gradient(&[1.0], &mut gradient), value);
        assert_eq!(objective.second_order(&[1.0], &mut gradient).unwrap().0, value);
    }
    assert_eq!(params.buffers()[0].1.item(), 0.0);
    assert_eq!(params.step(), 0);
}

/// With dropout, whose masks are those of the step.
#[test]
fn the_derivatives_are_those_by_the_parameter_tensors() {
    let mut params: Params<f64> = Params::seeded(0);
    let net = Sequential::builder(params.at("net"))
        .with(|p| Linear::new(p, 3, 5))
        .then(Lambda::new(|_, x| x.tanh()))
        .then(Dropout::new(0.25))
        .with(|p| Linear::new(p, 5, 2))
        .build();
    let x = random([2, 3], 1);
    let loss = |cx: &Ctx<f64>| net.forward(cx, &x).square().mean();
    let of_vars = |vars: &Vec<Var<f64>>| loss(&params.context(Mode::Train, vars));
    let flat = |vars: Vec<Var<f64>>| vars.iter().flat_map(|v| v.value().to_vec()).collect::<Vec<f64>>();

    let (vars, n) = (params.vars(), params.len());
    let objective = params.objective(loss);
    let mut gradient = vec![f64::NAN; n];
    let value = objective.value_and_gradient(params.values(), &mut gradient);
    assert_eq!(of_vars(&vars).item(), value);
    let along = grad(of_vars, &vars);
    assert_eq!(flat(along.clone()), gradient);

    // The recorded gradient, and a product with and without keeping the recording.
    let hessian = objective.hessian_operator(params.values());
    let (mut recorded, mut product, mut once) = (vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; n]);
    assert_eq!(hessian.value(), value);
    hessian.gradient(&mut recorded);
    hessian.apply(&gradient, &mut product);
    hessian.apply_once(&gradient, &mut once);
    assert_eq!(once, product);
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-14);
    assert!(close(&recorded, &gradient), "{recorded:?} {gradient:?}");
    let expected = flat(hvp(of_vars, &vars, &along));
    assert!(close(&product, &expected), "{product:?} {expected:?}");
}

#[test]
fn frozen_parameters_have_neither_gradient_nor_curvature() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Linear::new(params.root(), 2, 1);
    let (x, y) = (random([4, 2], 1), random([4, 1], 2));
    let outputs = |cx: &Ctx<f64>| model.forward(cx, &x);
    let all = params.model_objective(outputs, |p| p.mse(&y));
    let mut products = [[0.0; 3]; 3];
    all.hessian_operator(params.values()).apply(&[1.0, 2.0, 0.0], &mut products[0]);
    // The model is linear and the loss a square: the two matrices are equal.
    all.gauss_newton(params.values()).unwrap().apply(&[1.0, 2.0, 0.0], &mut products[1]);
    params.freeze("bias");
    let part = params.model_objective(outputs, |p| p.mse(&y));
    part.hessian_operator(params.values()).apply_once(&[1.0, 2.0, 5.0], &mut products[2]);
    let [hessian, gauss_newton, of_part] = products;
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert!(hessian.iter().zip(gauss_newton).all(|(&a, b)| close(a, b)), "{products:?}");
    assert!(close(hessian[0], of_part[0]) && close(hessian[1], of_part[1]), "{products:?}");
    assert!(hessian[2] != 0.0 && of_part[2] == 0.0, "{products:?}");
    let mut gradient = [f64::NAN; 3];
    part.value_and_gradient(params.values(), &mut gradient);
    assert!(gradient[0] != 0.0 && gradient[2] == 0.0);
}
