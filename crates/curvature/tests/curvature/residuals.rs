//! Least squares on residuals written in operations on `Var`.

use wengert_curvature::{FunctionResiduals, Objectives};
use wengert_nn::{Ctx, Layer, Linear, Params, Sequential, Tanh};
use wengert_optim::{Curvatures, LeastSquares, LevenbergMarquardt, Method, Objective, Operator, Residuals};
use wengert_tape::{Var, jacobian_reverse};
use wengert_tensor::Tensor;
use wengert_tensor::random::Generator;

fn random(shape: [usize; 2], seed: u64) -> Var<f64> {
    Var::constant(Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed)))
}

fn rosenbrock(x: &Var<f64>) -> Var<f64> {
    let (x, y) = (x.slice(..1), x.slice(1..));
    Var::cat(&[(&y - x.square()) * 10.0, 1.0 - &x], 0)
}

/// The same as with a Jacobian by hand, step for step.
#[test]
fn a_curve_fit() {
    let by_hand = LeastSquares::new(
        2,
        2,
        |x: &[f64], r: &mut [f64]| (r[0], r[1]) = (10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]),
        |x: &[f64], j: &mut [f64]| j.copy_from_slice(&[-20.0 * x[0], 10.0, -1.0, 0.0]),
    );
    let by_tape = LeastSquares::from_residuals(FunctionResiduals::new(2, 2, rosenbrock));
    let method = LevenbergMarquardt::default();
    let [a, b] = [method.minimize(&by_hand, &[-1.2, 1.0]), method.minimize(&by_tape, &[-1.2, 1.0])];
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(b.converged() && b.value < 1e-16);
    assert_eq!(a.iterations, b.iterations);
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-13 * b.abs().max(1.0), "{found:?} instead of {expected:?}");
    }
}

/// Products, the matrix and the gradient, with fewer and with more residuals than variables.
fn check(residuals: &dyn Residuals<f64>, objective: &dyn Objective<f64>, x: &[f64], expected: &[f64]) {
    let (m, n) = (residuals.count(), residuals.dimension());
    assert_eq!(expected.len(), m * n);
    close(&residuals.dense_jacobian(x), expected);
    let jacobian = residuals.jacobian(x);
    let v: Vec<f64> = (0..n).map(|i| (i as f64 + 0.5).sin()).collect();
    let u: Vec<f64> = (0..m).map(|i| (i as f64 + 0.5).cos()).collect();
    let (mut jv, mut ju) = (vec![f64::NAN; m], vec![f64::NAN; n]);
    for _ in 0..2 {
        jacobian.apply(&v, &mut jv);
        jacobian.apply_transpose(&u, &mut ju);
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    close(&jv, &expected.chunks(n).map(|row| dot(row, &v)).collect::<Vec<_>>());
    let column = |j: usize| expected.iter().skip(j).step_by(n).copied().collect::<Vec<_>>();
    close(&ju, &(0..n).map(|j| dot(&column(j), &u)).collect::<Vec<_>>());

    let (mut r, mut gradient) = (vec![f64::NAN; m], vec![f64::NAN; n]);
    residuals.evaluate(x, &mut r);
    let value = objective.value_and_gradient(x, &mut gradient);
    close(&[value, objective.value(x)], &[0.5 * dot(&r, &r); 2]);
    close(&gradient, &(0..n).map(|j| dot(&column(j), &r)).collect::<Vec<_>>());
    let normal = objective.gauss_newton(x).unwrap().dense();
    let products = (0..n * n).map(|i| dot(&column(i / n), &column(i % n)));
    close(&normal, &products.collect::<Vec<_>>());
}

#[test]
fn jacobians_of_functions() {
    for (m, n) in [(2, 5), (5, 2), (3, 3), (1, 1)] {
        let weights = random([m, n], 3);
        let f = |x: &Var<f64>| weights.matmul(&x.reshape([n, 1])).tanh() + x.sum().square();
        let x: Vec<f64> = (0..n).map(|i| 0.3 * i as f64 - 0.4).collect();
        let at = Var::constant(Tensor::vector(&x));
        let expected = jacobian_reverse(|x: &Var<f64>| f(x).reshape([m]), &at).value().to_vec();
        let problem = LeastSquares::from_residuals(FunctionResiduals::new(n, m, f));
        check(problem.residuals().unwrap(), &problem, &x, &expected);
    }
    // Residuals that do not depend on the variables.
    let constant = LeastSquares::from_residuals(FunctionResiduals::new(2, 3, |_| Var::from([1.0, 2.0, 3.0])));
    check(constant.residuals().unwrap(), &constant, &[0.0, 1.0], &[0.0; 6]);
}

#[test]
fn jacobians_of_models() {
    for examples in [1, 20] {
        let mut params: Params<f64> = Params::seeded(0);
        let net = Sequential::builder(params.root())
            .with(|p| Linear::new(p, 2, 3))
            .then(Tanh)
            .with(|p| Linear::new(p, 3, 1))
            .build();
        let (x, y) = (random([examples, 2], 1), random([examples, 1], 2));
        let residuals = |cx: &Ctx<f64>| net.forward(cx, &x) - &y;
        for frozen in [false, true] {
            if frozen {
                params.freeze("0.weight");
            }
            let n = params.len();
            let mut expected = Vec::new();
            for i in 0..examples {
                let row = |cx: &Ctx<f64>| residuals(cx).slice(i..i + 1).sum();
                expected.extend_from_slice(&params.value_and_grad(row).unwrap().1);
            }
            assert_eq!(expected.chunks(n).all(|row| row[0] == 0.0), frozen);
            let problem = params.least_squares(residuals);
            check(problem.residuals().unwrap(), &problem, params.values(), &expected);
        }
    }
}

#[test]
fn a_network_is_fitted() {
    let mut params: Params<f64> = Params::seeded(0);
    let net = Sequential::builder(params.root())
        .with(|p| Linear::new(p, 1, 6))
        .then(Tanh)
        .with(|p| Linear::new(p, 6, 1))
        .build();
    let x = Var::constant(Tensor::linspace(-2.0, 2.0, 30).reshape([30, 1]));
    let y = x.sin();
    let problem = params.least_squares(|cx| net.forward(cx, &x) - &y);
    let outcome = LevenbergMarquardt::default().minimize(&problem, params.values()).unwrap();
    assert!(outcome.converged() && outcome.value < 1e-3 * problem.value(params.values()), "{outcome}");
}
