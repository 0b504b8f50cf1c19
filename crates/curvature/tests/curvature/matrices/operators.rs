//! Hessians and Gauss–Newton matrices, and operators made from them.

use wengert_curvature::{FisherInformation, Objectives};
use wengert_nn::{CrossEntropy, Ctx, Init, Layer, Linear, Losses, Params};
use wengert_optim::operator::{Damped, Restricted, ScaledOperator, SumOperator};
use wengert_optim::{Curvatures, DenseOperator, Objective, Operator, Ridge};
use wengert_tape::{Var, hessian};
use wengert_tensor::Tensor;
use wengert_tensor::parallel::with_threads;
use wengert_tensor::random::Generator;

use super::models::{Case, all, mlp};
use super::{assert_close, assert_is};

/// JᵀHJ for the Hessian H of a loss of the outputs.
fn gauss_newton(case: &Case, loss: impl Fn(&Var<f64>) -> Var<f64>) -> Vec<f64> {
    let n = case.params.len();
    let outputs = case.flat_outputs(&case.point(), &case.x);
    let m = outputs.len();
    let curvature = hessian(loss, &outputs).value().to_vec();
    let j = Var::constant(Tensor::vector(&case.jacobian()[..])).reshape([m, n]);
    let h = Var::constant(Tensor::vector(&curvature[..])).reshape([m, m]);
    j.t().matmul(&h).matmul(&j).value().to_vec()
}

#[test]
fn hessians_and_gauss_newton_matrices_of_networks() {
    for case in all() {
        let loss = |y: &Var<f64>| y.cross_entropy(&case.labels);
        let (objective, at) = (case.objective(loss), case.params.values());
        let h = hessian(|flat: &Var<f64>| loss(&case.flat_outputs(flat, &case.x)), &case.point());
        assert_is(&format!("{}: Hessian", case.name), &*objective.hessian(at).unwrap(), &h.value().to_vec());
        let g = gauss_newton(&case, loss);
        assert_is(&format!("{}: Gauss–Newton", case.name), &*objective.gauss_newton(at).unwrap(), &g);
    }
}

#[test]
fn losses_that_couple_the_examples() {
    // The Hessian of the outputs is full: one block of all outputs.
    let case = mlp();
    let loss = |y: &Var<f64>| y.square().sum().square() + y.exp().sum().ln();
    let objective = case.objective(loss);
    let matrix = objective.gauss_newton(case.params.values()).unwrap();
    assert_is("coupled", &*matrix, &gauss_newton(&case, loss));
}

#[test]
fn diagonals_by_rows_and_by_columns() {
    // Fewer outputs than parameters are rows; more are columns.
    for examples in [2, 40] {
        let mut case = mlp();
        case.x = Var::constant(Tensor::normal([examples, 4], 0.0, 1.0, &mut Generator::seeded(2)));
        let loss = |y: &Var<f64>| y.powi(4).mean();
        let objective = case.objective(loss);
        let matrix = objective.gauss_newton(case.params.values()).unwrap();
        assert_is("diagonal", &*matrix, &gauss_newton(&case, loss));
    }
}

#[test]
fn frozen_parameters_have_zero_rows_and_columns() {
    let mut case = mlp();
    let full = case.classes().hessian(case.params.values()).unwrap().dense();
    assert_eq!(case.params.freeze("w1"), 1);
    let (n, at) = (case.params.len(), case.params.values());
    let masked: Vec<f64> = (0..n * n).map(|i| if i % n < 16 || i / n < 16 { 0.0 } else { full[i] }).collect();
    let objective = case.classes();
    assert_is("frozen", &*objective.hessian(at).unwrap(), &masked);
    let matrix = objective.gauss_newton(at).unwrap();
    assert!(matrix.dense()[..16 * n].iter().chain(&matrix.diagonal()[..16]).all(|&e| e == 0.0));
    assert_close("trace", &[matrix.trace()], &[matrix.diagonal().iter().sum()]);
}

#[test]
fn unreached_parameters_have_zero_curvature_if_allowed() {
    let mut params: Params<f64> = Params::seeded(0);
    let w = params.root().param("w", [2], Init::Ones);
    params.root().param("forgotten", [1], Init::Ones);
    let loss = |cx: &Ctx<f64>| cx.param(w).powi(4).sum();
    let hessian = || params.objective(loss).hessian(&[1.0, 2.0, 3.0]).map(|h| h.dense());
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(hessian));
    let message = *refused.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("does not depend on `forgotten`"), "{message}");
    params.allow_unreached(true);
    let objective = params.objective(loss);
    let expected = [12.0, 0.0, 0.0, 0.0, 48.0, 0.0, 0.0, 0.0, 0.0];
    assert_is("unreached", &*objective.hessian(&[1.0, 2.0, 3.0]).unwrap(), &expected);
    let model = params.model_objective(|cx| cx.param(w) * 3.0, |y| y.square().sum());
    let expected = [18.0, 0.0, 0.0, 0.0, 18.0, 0.0, 0.0, 0.0, 0.0];
    assert_is("unreached", &*model.gauss_newton(&[1.0, 2.0, 3.0]).unwrap(), &expected);
    // Linear in its only parameter, or free of all: no curvature.
    let linear = params.objective(|cx| cx.param(w).sum());
    assert_is("linear", &*linear.hessian(&[1.0, 2.0, 3.0]).unwrap(), &[0.0; 9]);
    let constant = params.model_objective(|_| Var::ones([2]), |y| y.square().sum());
    assert_is("constant", &*constant.gauss_newton(&[1.0, 2.0, 3.0]).unwrap(), &[0.0; 9]);
}

#[test]
fn damped_scaled_summed_and_restricted() {
    let case = mlp();
    let (objective, at, n) = (case.classes(), case.params.values(), case.params.len());
    let h = objective.hessian(at).unwrap();
    let dense = h.dense();
    let plus = |shift: f64, inside: &dyn Fn(usize) -> bool| -> Vec<f64> {
        let extra = |i: usize| if i / n == i % n && inside(i / n) { shift } else { 0.0 };
        dense.iter().enumerate().map(|(i, d)| d + extra(i)).collect()
    };
    assert_is("damped", &Damped::new(&h, 0.7), &plus(0.7, &|_| true));
    let biases = case.params.ranges("b*");
    let in_biases = |i: usize| biases.iter().any(|r| r.contains(&i));
    assert_is("damped biases", &Damped::on(&h, 0.7, biases.clone()), &plus(0.7, &in_biases));
    assert_is("scaled", &ScaledOperator::new(&h, -2.5), &dense.iter().map(|d| -2.5 * d).collect::<Vec<_>>());
    let mut sum = SumOperator::new(n);
    sum.add(2.0, &h);
    sum.add(-0.5, DenseOperator::new(dense.clone()));
    assert_is("sum", &sum, &dense.iter().map(|d| 1.5 * d).collect::<Vec<_>>());
    let group: Vec<usize> = biases.iter().cloned().flatten().collect();
    let block: Vec<f64> = group
        .iter()
        .flat_map(|&i| group.iter().map(move |&j| (i, j)))
        .map(|(i, j)| dense[i * n + j])
        .collect();
    let restricted = Restricted::new(&h, biases);
    assert_is("restricted", &restricted, &block);
    let mut whole = vec![1.0; n];
    restricted.scatter(&[0.0; 7], &mut whole);
    assert_eq!(restricted.gather(&whole), [0.0; 7]);
    assert_eq!(whole.iter().sum::<f64>(), (n - 7) as f64);
}

#[test]
fn a_ridge_is_the_penalty_of_the_context() {
    let case = mlp();
    let at = case.params.values();
    let plain = || case.objective(|y| y.cross_entropy(&case.labels));
    for (pattern, ridge) in
        [("*", Ridge::new(plain(), 0.3)), ("w*", Ridge::on(plain(), 0.3, case.params.ranges("w*")))]
    {
        let direct = case
            .params
            .objective(|cx| case.outputs(cx, &case.x).cross_entropy(&case.labels) + cx.l2_of(pattern, 0.3));
        let (mut g, mut expected) = (vec![0.0; at.len()], vec![0.0; at.len()]);
        let value = ridge.value_and_gradient(at, &mut g);
        assert_close("value", &[value, ridge.value(at)], &[direct.value_and_gradient(at, &mut expected); 2]);
        assert_close("gradient", &g, &expected);
        ridge.gradient(at, &mut g);
        assert_close("gradient alone", &g, &expected);
        assert_is("Hessian", &*ridge.hessian(at).unwrap(), &direct.hessian(at).unwrap().dense());
        let plain_trace = plain().gauss_newton(at).unwrap().trace();
        let penalised: usize = case.params.ranges(pattern).iter().map(ExactSizeIterator::len).sum();
        let trace = ridge.gauss_newton(at).unwrap().trace();
        assert_close("Gauss–Newton", &[trace], &[plain_trace + 0.3 * penalised as f64]);
    }
}

#[test]
fn products_have_the_same_bits_for_any_number_of_threads() {
    let products = || {
        let mut params = Params::seeded(0);
        let model = Linear::new(params.root(), 300, 200);
        let x = Var::constant(Tensor::<f32>::normal([256, 300], 0.0, 1.0, &mut Generator::seeded(1)));
        let labels = Tensor::from_fn([256], |i| (i[0] % 200) as u32);
        let objective =
            params.model_objective(|cx| model.forward(cx, &x).tanh() * 3.0, |y| y.cross_entropy(&labels));
        let (at, mut v) = (params.values(), vec![0f32; params.len()]);
        Generator::seeded(2).fill_normal(&mut v, 0.0, 1.0);
        let mut out = vec![0f32; 3 * v.len()];
        let (first, rest) = out.split_at_mut(v.len());
        let (second, third) = rest.split_at_mut(v.len());
        objective.hessian(at).unwrap().apply(&v, first);
        objective.gauss_newton(at).unwrap().apply(&v, second);
        let mut generator = Generator::seeded(3);
        objective.fisher_sampled(at, CrossEntropy::default(), 2, &mut generator).apply(&v, third);
        out.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
    };
    let expected = with_threads(1, products);
    for count in [2, 3, 8] {
        assert!(with_threads(count, products) == expected, "{count} threads");
    }
}
