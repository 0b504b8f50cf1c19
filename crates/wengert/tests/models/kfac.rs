//! K-FAC on models: the approximation against the exact matrix, and the optimiser.

use std::ops::ControlFlow;

use wengert::curvature::FlatLoss;
use wengert::optim::linear::{Settings, cg};
use wengert::optim::minimize::NewtonCgDirection;
use wengert::optim::minimize::state::KfacState;
use wengert::optim::{
    CurvatureAt, Kfac, Kronecker, KroneckerBlock, MinimizeError, Preconditioning, Reason, Run, Stopping, Want,
};
use wengert::prelude::*;
use wengert::tensor::linalg::symmetric_eigen;

use wengert::tensor::parallel::with_threads;

fn random(shape: impl Into<Shape>, seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::seeded(seed))
}

/// Points of a noisy subspace, to be learned by an autoencoder.
fn points(count: usize, seed: u64) -> Tensor<f64> {
    let directions = random([3, 12], 100);
    random([count, 3], seed).matmul(&directions).tanh() + random([count, 12], seed + 1) * 0.05
}

/// The mean squared error of an autoencoder of these points.
fn autoencoder<'a>(
    params: &Params<f64>,
    model: &'a Sequential<f64>,
    x: &'a Tensor<f64>,
) -> FlatLoss<'a, f64> {
    params.model_objective(|cx| model.forward(cx, &Var::from(x.clone())), |z| z.mse(&Var::from(x.clone())))
}

const SIZES: [usize; 5] = [12, 10, 3, 10, 12];

/// An objective with mini-batches.
struct Batches<'a, T: Float> {
    whole: FlatLoss<'a, T>,
    parts: Vec<FlatLoss<'a, T>>,
}

impl<T: Float> Objective<T> for Batches<'_, T> {
    fn dimension(&self) -> usize {
        self.whole.dimension()
    }
    fn value(&self, x: &[T]) -> f64 {
        self.whole.value(x)
    }
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.whole.value_and_gradient(x, gradient)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        Some(Box::new(&self.parts[index as usize % self.parts.len()]))
    }
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance, "element {i}: {a} and {b}");
    }
}

#[test]
fn exact_where_cotangents_do_not_depend_on_inputs() {
    // One linear layer with one output under squared error: the Hessian in the output is the same everywhere.
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 4, 1);
    let (x, y) = (Var::from(random([7, 4], 1)), Var::from(random([7, 1], 2)));
    let objective = params.model_objective(|cx| layer.forward(cx, &x), |z| z.mse(&y));
    let kronecker = objective.kronecker(params.values(), 3).unwrap();
    let exact = objective.gauss_newton(params.values()).unwrap();
    assert_close(&kronecker.dense(), &exact.dense(), 1e-13);
    assert_close(&kronecker.diagonal(), &exact.diagonal(), 1e-13);
}

#[test]
fn exact_blocks_for_a_single_example() {
    // With one example and one output there is nothing to be averaged: the blocks of the diagonal are exact.
    let mut params: Params<f64> = Params::seeded(1);
    let model = crate::common::perceptron(&mut params, &[3, 4, 1], Tanh);
    let x = Var::from(random([1, 3], 1));
    let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.powi(4).sum());
    let kronecker = objective.kronecker(params.values(), 3).unwrap().dense();
    let exact = objective.gauss_newton(params.values()).unwrap().dense();
    let n = params.len();
    for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
        let layer = |i| usize::from(i >= 16);
        let expected = if layer(i) == layer(j) { exact[i * n + j] } else { 0.0 };
        assert!((kronecker[i * n + j] - expected).abs() < 1e-12, "{i} {j}");
    }
}

/// A network with convolutions that tell of themselves, and its objective on softmax cross-entropy.
fn convolutional(params: &mut Params<f64>) -> Sequential<f64> {
    Sequential::builder(params.root())
        .with(|p| Conv2d::builder(2, 4, 3).padding(1).groups(2).build(p))
        .then(Tanh)
        .with(|p| Conv2d::builder(4, 3, [3, 2]).stride(2).no_bias().build(p))
        .then(Tanh)
        .then(Flatten::default())
        .with(|p| Linear::new(p, 12, 3))
        .build()
}

#[test]
fn the_inverse_is_that_of_the_damped_factors_and_positive_definite() {
    let mut params: Params<f64> = Params::seeded(1);
    let model = convolutional(&mut params);
    let x = Var::from(random([6, 2, 5, 5], 1));
    let labels = Tensor::from([0u32, 1, 2, 1, 0, 2]);
    let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.cross_entropy(&labels));
    let kronecker = objective.kronecker(params.values(), 3).unwrap();
    let n = params.len();
    let trace: f64 = kronecker.diagonal().iter().sum();
    let damping = 1e-3 * trace / n as f64;
    let inverse = kronecker.inverse(damping).unwrap().dense();

    // The damped factors, put together by hand.
    let damped = |a: &[f64], by: f64| -> Vec<f64> {
        let size = a.len().isqrt();
        (0..a.len()).map(|k| a[k] + if k % (size + 1) == 0 { by } else { 0.0 }).collect()
    };
    let blocks = kronecker.blocks().iter().map(|block| {
        let mean = |a: &[f64]| {
            let size = a.len().isqrt();
            a.iter().step_by(size + 1).sum::<f64>() / size as f64
        };
        let pi = (mean(block.inputs()) / mean(block.outputs())).sqrt();
        let (a, g) =
            (damped(block.inputs(), pi * damping.sqrt()), damped(block.outputs(), damping.sqrt() / pi));
        KroneckerBlock::new(block.weight(), block.bias(), a, g)
    });
    let damped = Kronecker::new(n, blocks.collect(), Vec::new());
    let mut product = vec![0.0; n];
    for i in 0..n {
        damped.apply(&inverse[i * n..(i + 1) * n], &mut product);
        for (j, p) in product.iter().enumerate() {
            assert!((p - f64::from(u8::from(i == j))).abs() < 1e-9, "{i} {j}");
        }
    }
    for matrix in [kronecker.dense(), inverse] {
        for (i, j) in (0..n).flat_map(|i| (0..i).map(move |j| (i, j))) {
            assert!(
                (matrix[i * n + j] - matrix[j * n + i]).abs() <= 1e-12 * matrix[i * n + i].abs().max(1.0)
            );
        }
        let (values, _) = symmetric_eigen(&matrix, n).unwrap();
        assert!(values[0] > -1e-12 * values[n - 1], "{}", values[0]);
    }
}

#[test]
fn exact_damping_is_exact() {
    let mut params: Params<f64> = Params::seeded(1);
    let model = convolutional(&mut params);
    let x = Var::from(random([6, 2, 5, 5], 1));
    let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.square().mean());
    let kronecker = objective.kronecker(params.values(), 3).unwrap();
    let inverse = kronecker.exact_inverse(1e-3).unwrap();
    let (v, n) = (random([params.len()], 5).to_vec(), params.len());
    let (mut moved, mut back) = (vec![0.0; n], vec![0.0; n]);
    kronecker.apply(&v, &mut moved);
    moved.iter_mut().zip(&v).for_each(|(m, v)| *m += 1e-3 * v);
    inverse.apply(&moved, &mut back);
    assert_close(&back, &v, 1e-10);
}

#[test]
fn conjugate_gradients_need_fewer_products_with_the_preconditioner() {
    // Softmax regression from zero, with features of very different sizes.
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 10, 3);
    let x = Var::from(random([300, 10], 1) * Tensor::from_fn([10], |i| 2f64.powi(-(i[0] as i32))));
    let labels = Tensor::from_fn([300], |i| (i[0] % 3) as u32);
    let objective = params.model_objective(|cx| layer.forward(cx, &x), |z| z.cross_entropy(&labels));
    let zero = vec![0.0; params.len()];
    let exact = objective.gauss_newton(&zero).unwrap();
    let damping = 1e-6;
    let damped = Problem::new(params.len(), |_: &[f64]| 0.0).with_hvp(|_, v, out| {
        exact.apply(v, out);
        out.iter_mut().zip(v).for_each(|(o, v)| *o += damping * v);
    });
    let matrix = damped.hessian(&zero).unwrap();
    let inverse = objective.kronecker(&zero, 0).unwrap().exact_inverse(damping).unwrap();
    let mut b = zero.clone();
    objective.gradient(&zero, &mut b);
    let solve = |preconditioner: Option<&dyn Operator<f64>>| {
        let mut x = zero.clone();
        let solved = cg(&*matrix, &b, &mut x, preconditioner, &Settings::tolerance(1e-6));
        assert!(solved.converged());
        solved.solve.iterations
    };
    let (plain, preconditioned) = (solve(None), solve(Some(&inverse)));
    assert!(2 * preconditioned < plain, "{preconditioned} and {plain}");
}

/// K-FAC for so many steps.
fn kfac(steps: u64) -> Kfac {
    Kfac { stopping: Stopping { max_iterations: steps, ..Stopping::gradient(1e-10) }, ..Kfac::default() }
}

#[test]
fn an_autoencoder_needs_far_fewer_steps_than_by_gradient_descent() {
    let mut params: Params<f64> = Params::seeded(1);
    let model = crate::common::perceptron(&mut params, &SIZES, Tanh);
    let x = points(200, 1);
    let objective = autoencoder(&params, &model, &x);
    let outcome = kfac(60).minimize(&objective, params.values()).unwrap();
    assert!(outcome.trace.windows(2).all(|pair| pair[1].value <= pair[0].value));
    // At the rate, by factors of three, that does best.
    let by_sgd = |rate: f64| {
        let (mut at, mut gradient) = (params.values().to_vec(), vec![0.0; params.len()]);
        let mut sgd = Sgd::new(rate);
        for _ in 0..600 {
            objective.value_and_gradient(&at, &mut gradient);
            sgd.step(&mut at, &gradient);
        }
        objective.value(&at)
    };
    let sgd = [0.3, 1.0, 3.0, 9.0].map(by_sgd).into_iter().fold(f64::INFINITY, f64::min);
    assert!(outcome.value < sgd, "after 60 steps {}, after 600 of gradient descent {sgd}", outcome.value);
}

#[test]
fn converges_on_softmax_with_convolutions() {
    let mut params: Params<f64> = Params::seeded(1);
    let model = convolutional(&mut params);
    let x = Var::from(random([30, 2, 5, 5], 1));
    let labels = Tensor::from_fn([30], |i| (i[0] % 3) as u32);
    let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.cross_entropy(&labels));
    let method =
        Kfac { stopping: Stopping { target_value: Some(1e-3), ..kfac(150).stopping }, ..Kfac::default() };
    let outcome = method.minimize(&objective, params.values()).unwrap();
    assert_eq!(outcome.reason, Reason::TargetReached, "{outcome} {}", outcome.value);
}

/// Mini-batches of an autoencoder, and what K-FAC makes of them.
fn by_batches<R>(with: impl FnOnce(&Batches<'_, f64>, &[f64]) -> R) -> R {
    let mut params: Params<f64> = Params::seeded(1);
    let model = crate::common::perceptron(&mut params, &SIZES, Tanh);
    let x = points(400, 1);
    let parts: Vec<Tensor<f64>> = x.split(100, 0);
    let whole = autoencoder(&params, &model, &x);
    let parts = parts.iter().map(|part| autoencoder(&params, &model, part)).collect();
    with(&Batches { whole, parts }, params.values())
}

fn in_batches(iterations: u64) -> Kfac {
    Kfac { steps: 4, ..kfac(iterations) }
}

#[test]
fn batches_lower_the_whole_objective() {
    by_batches(|objective, start| {
        let outcome = in_batches(20).minimize(objective, start).unwrap();
        assert!(
            outcome.value < 0.1 * outcome.trace[0].value,
            "{} from {}",
            outcome.value,
            outcome.trace[0].value
        );
        assert!(outcome.counts.products > 0 && outcome.counts.gradients >= 100);
    });
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let run = || {
        let mut params: Params = Params::seeded(0);
        let model = crate::common::perceptron(&mut params, &[784, 120, 10], Relu);
        let x = Var::from(Tensor::normal([256, 784], 0.0, 1.0, &mut Generator::seeded(1)));
        let labels = Tensor::from_fn([256], |i| (i[0] % 10) as u32);
        let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.cross_entropy(&labels));
        let stopping = Stopping { max_iterations: 5, ..Stopping::default() };
        let outcome = Kfac { stopping, ..Kfac::default() }.minimize(&objective, params.values()).unwrap();
        assert!(outcome.value < outcome.trace[0].value);
        outcome.point.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = with_threads(1, run);
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, run) == one, "{threads} threads");
    }
}

#[test]
fn a_checkpoint_continues_with_the_same_bits() {
    by_batches(|objective, start| {
        let method = in_batches(9);
        let mut saved = String::new();
        let whole = method.minimize_with(objective, start, |run| {
            // Between two estimates and two inversions.
            if run.iterations == 3 {
                saved = serde_json::to_string(run).unwrap();
            }
            ControlFlow::Continue(())
        });
        let run: Run<f64, KfacState<f64>> = serde_json::from_str(&saved).unwrap();
        assert!(run.state.damping() > 0.0);
        let resumed = method.resume(objective, run, |_| ControlFlow::Continue(())).unwrap();
        let (whole, bits) = (whole.unwrap(), |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        assert_eq!(bits(&resumed.point), bits(&whole.point));
        assert_eq!(resumed.counts, whole.counts);
    });
}

/// An objective that is not defined far from the origin.
struct Within<'a>(FlatLoss<'a, f64>, f64);

impl Objective<f64> for Within<'_> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn value(&self, x: &[f64]) -> f64 {
        if x.iter().any(|x| x.abs() > self.1) { f64::NAN } else { self.0.value(x) }
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_and_gradient(x, gradient);
        self.value(x)
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        if let Want::Kronecker { .. } = want { self.0.curvature(want, x) } else { None }
    }
}

#[test]
fn values_that_are_not_finite_shrink_the_step() {
    // Also: without a Gauss–Newton matrix the factors take its place.
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 3, 2);
    let (x, y) = (Var::from(random([20, 3], 1)), Var::from(random([20, 2], 2) * 10.0));
    let objective = || params.model_objective(|cx| layer.forward(cx, &x), |z| z.mse(&y));
    let free = kfac(50).minimize(&objective(), params.values()).unwrap();
    let limit = 0.7 * free.point.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let outcome = kfac(50).minimize(&Within(objective(), limit), params.values()).unwrap();
    assert!(outcome.point.iter().all(|x| x.abs() <= limit) && outcome.value.is_finite());
    assert!(outcome.value < outcome.trace[0].value);
}

#[test]
fn scaling_the_objective_leaves_the_iterates_the_same() {
    let mut params: Params<f64> = Params::seeded(1);
    let model = crate::common::perceptron(&mut params, &SIZES, Tanh);
    let x = points(50, 1);
    let run = |scale: f64| {
        let x = Var::from(x.clone());
        let objective = params.model_objective(|cx| model.forward(cx, &x), |z| z.mse(&x) * scale);
        kfac(10).minimize(&objective, params.values()).unwrap().point
    };
    assert_close(&run(1.0), &run(1024.0), 1e-9);
}

#[test]
fn misuse_is_named() {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 3, 2);
    let x = Var::from(random([5, 3], 1));
    let plain = params.objective(|cx| layer.forward(cx, &x).square().mean());
    let error = Kfac::default().minimize(&plain, params.values()).unwrap_err();
    assert_eq!(error, MinimizeError::Missing { method: "Kfac", what: "Kronecker factors" });
    let model = params.model_objective(|cx| layer.forward(cx, &x), |z| z.square().mean());
    let settings = [
        Kfac { initial: 0.0, ..Kfac::default() },
        Kfac { least: f64::NAN, ..Kfac::default() },
        Kfac { decay: 1.0, ..Kfac::default() },
        Kfac { inverse_every: 0, ..Kfac::default() },
        Kfac { steps: 0, ..Kfac::default() },
    ];
    for method in settings {
        let error = method.minimize(&model, params.values()).unwrap_err();
        assert!(matches!(error, MinimizeError::InvalidSetting { .. }), "{error}");
    }
}

#[test]
#[should_panic(expected = "kronecker: 0..6 and 4..5 overlap")]
fn overlapping_parts_are_named() {
    let block = KroneckerBlock::new(0, None, vec![1.0; 9], vec![1.0; 4]);
    let _ = Kronecker::<f64>::new(7, vec![block], vec![(4, vec![1.0])]);
}

#[test]
fn sums_over_batches_and_penalties_have_factors_too() {
    let mut params: Params<f64> = Params::seeded(1);
    let layer = Linear::new(params.root(), 4, 1);
    let (x, y) = (random([7, 4], 1), random([7, 1], 2));
    let part = |x: &Tensor<f64>, y: &Tensor<f64>| {
        let (x, y, layer) = (Var::from(x.clone()), Var::from(y.clone()), layer.clone());
        params.model_objective(move |cx| layer.forward(cx, &x), move |z| z.mse(&y))
    };
    let whole = part(&x, &y).gauss_newton(params.values()).unwrap().dense();
    let cuts = [0..4, 4..7];
    let parts = cuts.clone().map(|cut| part(&x.slice(cut.clone()), &y.slice(cut))).into();
    let batched = wengert::optim::Batched::mean(parts, &cuts.map(|cut| cut.len()));
    assert_close(&batched.kronecker(params.values(), 0).unwrap().dense(), &whole, 1e-13);
    let ridge = Ridge::new(batched, 0.5);
    let expected: Vec<f64> = ridge.gauss_newton(params.values()).unwrap().dense();
    assert_close(&ridge.kronecker(params.values(), 0).unwrap().dense(), &expected, 1e-13);
}

/// The factors as a preconditioner: the same minimum with fewer products, and a typed error where there are none.
#[test]
fn kronecker_factors_precondition_newton_methods() {
    // Features of very different sizes.
    let sizes: Vec<f64> = (0..20).map(|i| 10f64.powf(i as f64 / 10.0)).collect();
    let x = Var::from(random([100, 20], 1) * Tensor::vector(&sizes));
    let labels = Tensor::vector(&(0..100).map(|i| i % 3).collect::<Vec<u32>>());
    let mut params: Params<f64> = Params::seeded(0);
    let model = Linear::new(params.root(), 20, 3);
    let objective = params.model_objective(|cx| model.forward(cx, &x), |y| y.cross_entropy(&labels));
    let objective = Ridge::new(objective, 1e-3);
    let solve = |preconditioning| {
        let direction = NewtonCgDirection { preconditioning, ..NewtonCgDirection::default() };
        let method = NewtonCg::new(direction).with_stopping(Stopping::gradient(1e-8));
        method.minimize(&objective, &vec![0.0; objective.dimension()])
    };
    let plain = solve(Preconditioning::None).unwrap();
    let preconditioned = solve(Preconditioning::kronecker()).unwrap();
    assert!(plain.converged() && preconditioned.converged(), "{plain}; {preconditioned}");
    assert!((plain.value - preconditioned.value).abs() < 1e-12);
    let cost = |o: &Outcome<f64>| o.counts.gradients + o.counts.products;
    assert!(2 * cost(&preconditioned) < cost(&plain), "{plain}; {preconditioned}");

    let without = FunctionObjective::new(2, |x: &Var<f64>| x.square().sum());
    let direction =
        NewtonCgDirection { preconditioning: Preconditioning::kronecker(), ..NewtonCgDirection::default() };
    let error = NewtonCg::new(direction).minimize(&without, &[1.0, 2.0]).unwrap_err();
    assert!(matches!(error, MinimizeError::Missing { what: "Kronecker factors", .. }), "{error}");
}

/// A batch that has nothing to say leaves point and damping as they are; the factors that a run begins with are those of
/// its first step.
#[test]
fn stationary_batches_are_let_be() {
    let mut params: Params<f64> = Params::seeded(0);
    let model = Linear::new(params.root(), 3, 2);
    let x = Var::from(random([8, 3], 1));
    let nothing = params.model_objective(|cx| model.forward(cx, &x), |y| (y * 0.0).square().sum());
    let mut gradient = vec![f64::NAN; params.len()];
    nothing.value_and_gradient(params.values(), &mut gradient);
    assert!(gradient.iter().all(|&g| g == 0.0));
    let something = || params.model_objective(|cx| model.forward(cx, &x), |y| y.square().mean());
    let objective = Batches { whole: something(), parts: vec![something(), nothing] };
    let kfac =
        Kfac { steps: 2, stopping: Stopping { max_iterations: 1, ..Stopping::default() }, ..Kfac::default() };
    let mut dampings = Vec::new();
    let outcome = kfac.minimize_with(&objective, params.values(), |run| {
        dampings.push(run.state.damping());
        ControlFlow::Continue(())
    });
    let outcome = outcome.unwrap();
    assert!(outcome.value < outcome.trace[0].value, "{outcome}");
    // Adapted after the first step alone.
    assert_eq!(dampings.len(), 2);
    assert!(dampings[1] <= dampings[0], "{dampings:?}");
    // The start, its factors, the gradients of two batches, and the end: no factors for the first step again.
    assert_eq!(outcome.counts.gradients, 5, "{outcome}");
}
