//! Misuse panics with the operation, what was wrong, and the caller's line.

#[path = "../../../tape/tests/tape/documented_panics.rs"]
mod documented_panics;
#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;

use wengert_curvature::{
    Family, Fisher, FisherInformation, FunctionObjective, FunctionResiduals, Likelihood, Objectives, Targets,
};
use wengert_nn::{BceWithLogits, CrossEntropy, Init, Mse, Params, Reduction};
use wengert_optim::{Curvatures, Objective, Operator, Residuals, Ridge};
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

use documented_panics::assert_all_provoked;
use panics::{caught, says};

/// The same where a call through a table of functions loses the line.
#[track_caller]
fn means(expected: &str, work: impl FnOnce()) {
    assert_eq!(caught(work).message, expected);
}

/// Every function that says when it panics is called in this file.
#[test]
fn every_documented_panic_is_provoked() {
    assert_all_provoked(env!("CARGO_MANIFEST_DIR"), &["tests/curvature/misuse.rs"], 8, "apply_once");
}

const NO_SCALAR: &str = "the loss has shape [2], not that of a scalar: take its mean or sum";

#[test]
fn flat_losses() {
    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    params.root().param("unused", [1], Init::Ones);
    let (x, short) = ([1.0; 3], [1.0]);
    let (mut out, mut two) = ([0.0; 3], [0.0; 2]);
    let length = "the parameter vector has 1 elements, for 3 parameters";
    let reached = "the loss does not depend on `unused`: use it, `freeze` it, or call `allow_unreached`";

    let loss = params.objective(|cx| cx.param(w).sum());
    says(&format!("value_and_gradient: {length}"), || {
        loss.value_and_gradient(&short, &mut out);
    });
    says(&format!("value_and_gradient: {reached}"), || {
        loss.value_and_gradient(&x, &mut out);
    });
    says(&format!("hessian: {length}"), || drop(loss.hessian(&short)));
    says(&format!("hessian: {length}"), || drop(loss.hessian_operator(&short)));
    says(&format!("hessian: {reached}"), || drop(loss.hessian(&x)));
    says(&format!("hessian: {length}"), || drop(loss.second_order(&short, &mut out)));
    for operation in ["fisher", "fisher_sampled", "empirical_fisher"] {
        let text =
            format!("{operation}: the loss and the model's outputs must be apart: use `model_objective`");
        says(&text, || match operation {
            "fisher" => drop(loss.fisher(&x, Mse::default())),
            "fisher_sampled" => {
                drop(loss.fisher_sampled(&x, Mse::default(), 1, &mut Generator::seeded(0)));
            }
            _ => drop(loss.empirical_fisher(&x, Reduction::Mean)),
        });
    }

    says(&format!("value: {length}"), || {
        loss.value(&short);
    });

    params.allow_unreached(true);
    let several = params.model_objective(|cx| cx.param(w), |y| y * 2.0);
    says(&format!("value: {NO_SCALAR}"), || {
        several.value(&x);
    });
    says(&format!("value_and_gradient: {NO_SCALAR}"), || {
        several.value_and_gradient(&x, &mut out);
    });
    says("value_and_gradient: the slice to write to has 2 elements, for 3 parameters", || {
        params.objective(|cx| cx.param(w).sum()).value_and_gradient(&x, &mut two);
    });
    says(&format!("hessian: {NO_SCALAR}"), || drop(several.hessian(&x)));
    says(&format!("gauss_newton: {NO_SCALAR}"), || drop(several.gauss_newton(&x)));
    says(&format!("empirical_fisher: {NO_SCALAR}"), || drop(several.empirical_fisher(&x, Reduction::Sum)));
    for targets in [Targets::Model, Targets::Data] {
        says(&format!("kronecker: {NO_SCALAR}"), || drop(several.kronecker_factors(&x, targets, 0)));
    }

    let model = params.model_objective(|cx| cx.param(w), |y| y.square().sum());
    says(&format!("gauss_newton: {length}"), || drop(model.gauss_newton(&short)));
    says(&format!("fisher: {length}"), || drop(model.fisher(&short, Mse::default())));
    says(&format!("kronecker: {length}"), || drop(model.kronecker_factors(&short, Targets::Model, 0)));
    says("fisher: axis 1 is out of range for shape [2] of rank 1", || {
        model.fisher(&x, Likelihood::new(Family::Categorical { axis: 1 }));
    });
    says("fisher: the variance 0 of the Gaussian is not positive and finite", || {
        model.fisher(&x, Likelihood::new(Family::Gaussian { variance: 0.0 }));
    });
    says("fisher_sampled: at least one sample is needed", || {
        model.fisher_sampled(&x, Mse::default(), 0, &mut Generator::seeded(0));
    });
    says("fisher: binary cross-entropy with the weight 2 of positive targets is no likelihood", || {
        let _ = Likelihood::from(BceWithLogits { positive_weight: 2.0, ..BceWithLogits::default() });
    });
    says("fisher: cross-entropy with weights of the classes is no likelihood", || {
        let _ = Likelihood::from(CrossEntropy { class_weights: Some(vec![1.0]), ..CrossEntropy::default() });
    });

    let (hessian, matrix) = (model.hessian_operator(&x), model.gauss_newton_operator(&x).unwrap());
    let vector = "the vector has 1 elements, for 3 parameters";
    let slice = "the slice to write to has 2 elements, for 3 parameters";
    says(&format!("Hessian::apply: {vector}"), || hessian.apply(&short, &mut out));
    says(&format!("Hessian::apply: {slice}"), || hessian.apply(&x, &mut two));
    says(&format!("Hessian::gradient: {slice}"), || hessian.gradient(&mut two));
    says(&format!("GaussNewton::apply: {vector}"), || matrix.apply(&short, &mut out));
    says(&format!("GaussNewton::apply: {slice}"), || matrix.apply(&x, &mut two));
    says(&format!("Hessian::apply_once: {vector}"), || {
        model.hessian_operator(&x).apply_once(&short, &mut out)
    });
}

#[test]
fn functions() {
    let (point, mut out) = ([1.0, 2.0], [0.0; 2]);
    let several = FunctionObjective::new(2, |x: &Var<f64>| x * 2.0);
    says(&format!("FunctionObjective: {NO_SCALAR}"), || {
        several.value(&point);
    });
    says(&format!("FunctionObjective: {NO_SCALAR}"), || {
        several.value_and_gradient(&point, &mut out);
    });
    says(&format!("FunctionObjective: {NO_SCALAR}"), || drop(several.hessian(&point)));
    says(&format!("FunctionObjective: {NO_SCALAR}"), || drop(several.second_order(&point, &mut out)));
    let length = "FunctionObjective: a point of 1 elements, not 2";
    let squares = FunctionObjective::new(2, |x: &Var<f64>| x.square().sum());
    says(length, || {
        squares.value(&[1.0]);
    });
    says(length, || {
        squares.value_and_gradient(&[1.0], &mut out);
    });
    says(length, || drop(squares.hessian(&[1.0])));
    says("FunctionObjective: a slice of 1 elements to write 2 to", || {
        squares.value_and_gradient(&point, &mut [0.0]);
    });
}

#[test]
fn sums_and_penalties() {
    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    let x = [1.0; 2];
    let batches = [Tensor::<f64>::ones([3]), Tensor::ones([2])];
    let whole = params.objective(|cx| cx.param(w).sum());
    let over = params.objective_over(&batches, |cx, _| cx.param(w).sum());
    let text = "the loss and the model's outputs must be apart: use `model_objective`";
    says(&format!("fisher: {text}"), || drop(whole.fisher(&x, Mse::default())));
    let kind = Fisher::Exact(Mse::default().into());
    says(&format!("fisher: {text}"), || drop(whole.fisher_matrix(&x, &kind)));
    says(&format!("fisher: {text}"), || drop(over.fisher(&x, Mse::default())));
    says(&format!("empirical_fisher: {text}"), || drop(over.empirical_fisher(&x, Reduction::Mean)));
    let ridge = Ridge::new(params.objective(|cx| cx.param(w).sum()), 0.1);
    says(&format!("fisher: {text}"), || drop(ridge.fisher(&x, Mse::default())));
    let model = params.model_objective_over(&batches, |cx, _| cx.param(w), |y, _| y.square().sum());
    says("fisher_sampled: at least one sample is needed", || {
        drop(model.fisher_sampled(&x, Mse::default(), 0, &mut Generator::seeded(0)));
    });
    says("Batched: no examples in 0 parts", || {
        params.objective_over(&[] as &[Tensor<f64>], |cx, _| cx.param(w).sum());
    });
    says("Batched: no examples in 0 parts", || {
        params.model_objective_over(&[] as &[Tensor<f64>], |cx, _| cx.param(w), |y, _| y.sum());
    });
}

#[test]
fn residuals() {
    let mut out = [0.0; 3];
    let three = FunctionResiduals::new(2, 3, |x: &Var<f64>| x * 2.0);
    says("FunctionResiduals: 2 residuals, not 3", || three.evaluate(&[1.0, 2.0], &mut out));
    says("FunctionResiduals: 2 residuals, not 3", || drop(three.jacobian(&[1.0, 2.0])));
    says("FunctionResiduals: 1 variables, not 2", || three.evaluate(&[1.0], &mut out));
    let two = FunctionResiduals::new(2, 2, |x: &Var<f64>| x * 2.0);
    says("FunctionResiduals: 1 variables, not 2", || drop(two.dense_jacobian(&[1.0])));
    says("FunctionResiduals: a slice of 3 elements to write 2 to", || two.evaluate(&[1.0, 2.0], &mut out));
    let jacobian = two.jacobian(&[1.0, 2.0]);
    means("FunctionResiduals: 3 variables, not 2", || jacobian.apply(&[0.0; 3], &mut [0.0; 2]));
    means("FunctionResiduals: 3 residuals, not 2", || jacobian.apply_transpose(&[0.0; 3], &mut [0.0; 2]));

    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    let problem = params.least_squares(|cx| cx.param(w) * 3.0);
    let text = "least_squares: the parameter vector has 1 elements, for 2 parameters";
    means(text, || {
        problem.value(&[1.0]);
    });
    let residuals = problem.residuals().unwrap();
    means(text, || drop(residuals.jacobian(&[1.0])));
    means("least_squares: a slice of 3 elements to write 2 to", || residuals.evaluate(&[1.0, 2.0], &mut out));
    let jacobian = residuals.jacobian(&[1.0, 2.0]);
    means("least_squares: 3 residuals, not 2", || jacobian.apply_transpose(&[0.0; 3], &mut [0.0; 2]));
    let text = "least_squares: the vector has 3 elements, for 2 parameters";
    means(text, || jacobian.apply(&[0.0; 3], &mut [0.0; 2]));
}
