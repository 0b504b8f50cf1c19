//! Budgets end a method within one evaluation, wherever in an iteration it is, and what is refused is not taken for a bad step.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::methods::{Rosenbrock, START, Visit, every_method};
use wengert_optim::*;

/// Rosenbrock's function, which counts what is asked for since the last of its `granted` values.
struct Watched {
    inner: Rosenbrock,
    granted: u64,
    values: Cell<u64>,
    late: Cell<u64>,
}

impl Watched {
    fn note(&self) {
        if self.values.get() >= self.granted {
            self.late.set(self.late.get() + 1);
        }
    }
}

impl Objective<f64> for Watched {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.note();
        self.values.set(self.values.get() + 1);
        self.inner.value(x)
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.inner.gradient(x, gradient);
        self.value(x)
    }
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) {
        self.note();
        self.inner.gradient(x, gradient);
    }
    fn curvature(&self, want: Want, x: &[f64]) -> Option<CurvatureAt<'_, f64>> {
        self.note();
        self.inner.curvature(want, x)
    }
    fn residuals(&self) -> Option<&dyn Residuals<f64>> {
        self.inner.residuals().map(|_| self as &dyn Residuals<f64>)
    }
}

impl Residuals<f64> for Watched {
    fn dimension(&self) -> usize {
        2
    }
    fn count(&self) -> usize {
        2
    }
    fn evaluate(&self, x: &[f64], out: &mut [f64]) {
        self.note();
        self.values.set(self.values.get() + 1);
        self.inner.evaluate(x, out);
    }
    fn jacobian(&self, x: &[f64]) -> Box<dyn Jacobian<f64> + '_> {
        self.note();
        self.inner.jacobian(x)
    }
}

struct Evaluations;

impl Visit for Evaluations {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        // Mini-batches are evaluated elsewhere, and inner minimisations have starts of their own.
        if ["Hessian-free, mini-batches", "stochastic L-BFGS"].contains(&name) {
            return;
        }
        let granted = method.stopping().max_evaluations.unwrap();
        let watched =
            Watched { inner: Rosenbrock::new(1.0), granted, values: Cell::new(0), late: Cell::new(0) };
        let outcome = method.minimize(&watched, &START).unwrap();
        let label = format!("{name} with {granted} evaluations: {outcome}");
        // Residuals are evaluated once a point, and counted as its value.
        assert!(outcome.counts.values <= granted && watched.values.get() <= outcome.counts.values, "{label}");
        let ended = [Reason::MaxEvaluations, Reason::Converged, Reason::MaxIterations];
        assert!(ended.contains(&outcome.reason), "{label}");
        // The gradient that completes the last iterate, and curvature that was asked for there; not another step's.
        assert!(watched.late.get() <= 3, "{label}: {} requests after the last value", watched.late.get());
    }
}

#[test]
fn nothing_is_tried_after_the_last_evaluation() {
    for granted in 1..=12 {
        let stopping =
            Stopping { max_evaluations: Some(granted), max_iterations: 300, ..Stopping::gradient(1e-12) };
        every_method(&stopping, 1.0, &mut Evaluations);
    }
}

struct Products;

impl Visit for Products {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let granted = method.stopping().max_products.unwrap();
        let outcome = method.minimize(&Rosenbrock::new(1.0), &START).unwrap();
        let label = format!("{name} with {granted} products: {outcome}");
        assert!(outcome.counts.products <= granted, "{label}");
        let ended = [Reason::MaxEvaluations, Reason::Converged, Reason::MaxIterations];
        assert!(ended.contains(&outcome.reason), "{label}");
        // A matrix that was refused is no step.
        assert!(outcome.point.iter().all(|x| x.is_finite()) && outcome.value.is_finite(), "{label}");
    }
}

/// A matrix of two variables takes two products: an odd budget has no room for the last one.
#[test]
fn a_matrix_does_not_overdraw_the_products() {
    for granted in 1..=15 {
        let stopping =
            Stopping { max_products: Some(granted), max_iterations: 300, ..Stopping::gradient(1e-12) };
        every_method(&stopping, 1.0, &mut Products);
    }
}

#[test]
fn the_time_of_the_start_counts_once() {
    let begun = Instant::now();
    let (calls, spent) = (Cell::new(0), Cell::new(0.0));
    let slow = Problem::new(1, |x: &[f64]| {
        std::thread::sleep(Duration::from_millis(if calls.get() == 0 { 50 } else { 0 }));
        calls.set(calls.get() + 1);
        if calls.get() == 1 {
            spent.set(begun.elapsed().as_secs_f64());
        }
        x[0] * x[0]
    })
    .with_gradient(|x, g| g[0] = 2.0 * x[0]);
    // Nine tenths more than the start takes: enough for others, which take no time.
    let stopping = Stopping { max_seconds: Some(0.095), ..Stopping::default() };
    let outcome = Lbfgs::default().with_stopping(stopping).minimize(&slow, &[3.0]).unwrap();
    // On a machine that was busy meanwhile, the budget may be spent in truth.
    let wall = begun.elapsed().as_secs_f64();
    assert!(outcome.converged() || wall > 0.095, "{outcome}, {wall} s, of which the start {}", spent.get());
    assert!(outcome.seconds <= wall, "{} seconds of {wall}", outcome.seconds);
}

/// n residuals of n variables that every variable takes part in, whose values take a while.
fn dense(n: usize, evaluations: &Cell<u64>) -> impl Objective<f64> {
    LeastSquares::new(
        n,
        n,
        move |x: &[f64], r: &mut [f64]| {
            let sum: f64 = x.iter().sum();
            r.iter_mut().zip(x).enumerate().for_each(|(i, (r, x))| *r = x.exp() + sum / n as f64 - i as f64);
            evaluations.set(evaluations.get() + 1);
            std::thread::sleep(Duration::from_millis(3));
        },
        move |x, j| {
            j.fill(1.0 / n as f64);
            (0..n).for_each(|i| j[i * n + i] += x[i].exp());
        },
    )
}

#[test]
fn a_budget_of_time_that_is_spent_costs_no_work() {
    let whole = Cell::new(0);
    let method = |seconds| {
        let stopping = Stopping { max_seconds: seconds, ..Stopping::gradient(1e-10) };
        LevenbergMarquardt::default().with_stopping(stopping)
    };
    let unlimited = method(None).minimize(&dense(40, &whole), &[0.0; 40]).unwrap();
    assert!(unlimited.converged(), "{unlimited}");
    for share in [0.0, 0.1, 0.3, 0.6] {
        let evaluations = Cell::new(0);
        let limited =
            method(Some(share * unlimited.seconds)).minimize(&dense(40, &evaluations), &[0.0; 40]).unwrap();
        assert!(limited.reason == Reason::TimeLimit || limited.converged(), "{limited}");
        assert!(evaluations.get() <= whole.get(), "{limited}: {} of {}", evaluations.get(), whole.get());
    }
}

#[test]
fn a_start_that_is_moved_is_evaluated_once() {
    use constrained::*;
    let f = Rosenbrock::new(1.0);
    let bounds = Bounds::uniform(2, 2.0, 6.0).unwrap();
    let stopping = Stopping { max_evaluations: Some(1), ..Stopping::default() };
    let constraints = Constraints::new(2).with_bounds(bounds.clone());
    let inside = |o: Outcome<f64>, name: &str| {
        assert_eq!((o.counts.values, o.reason), (1, Reason::MaxEvaluations), "{name}: {o}");
        assert!(o.point.iter().all(|x| (2.0..=6.0).contains(x)), "{name}: {:?}", o.point);
    };
    let start = [-5.0, 7.0];
    let s = || stopping.clone();
    inside(LbfgsB { stopping: s(), ..LbfgsB::new(bounds.clone()) }.minimize(&f, &start).unwrap(), "L-BFGS-B");
    let method = ProjectedGradient { stopping: s(), ..ProjectedGradient::new(bounds.clone()) };
    inside(method.minimize(&f, &start).unwrap(), "projected gradient");
    let method = ProximalGradient { stopping: s(), ..ProximalGradient::new(bounds) };
    inside(method.minimize(&f, &start).unwrap(), "proximal gradient");
    let method = InteriorPoint { stopping: s(), ..InteriorPoint::new(&constraints) };
    inside(method.minimize(&f, &start).unwrap(), "interior point");
    let method = AugmentedLagrangian { stopping: s(), ..AugmentedLagrangian::new(&constraints) };
    inside(method.minimize(&f, &start).unwrap(), "augmented Lagrangian");
}

/// The way down from a saddle is an iteration too.
#[test]
fn saddles_at_the_end_of_the_iterations() {
    let wells = Problem::new(3, |x: &[f64]| x.iter().map(|x| (x * x - 1.0).powi(2)).sum())
        .with_gradient(|x, g| (0..3).for_each(|i| g[i] = 4.0 * x[i] * (x[i] * x[i] - 1.0)))
        .with_hvp(|x, v, out| (0..3).for_each(|i| out[i] = (12.0 * x[i] * x[i] - 4.0) * v[i]));
    for max_iterations in [0, 1, 2, 500] {
        let stopping = Stopping { max_iterations, ..Stopping::default() };
        let methods: [(&str, Box<dyn Minimizer<f64>>); 4] = [
            ("damped Newton", Box::new(DampedNewton { stopping: stopping.clone(), ..Default::default() })),
            ("Newton-CG", Box::new(NewtonCg::default().with_stopping(stopping.clone()))),
            ("trust region", Box::new(TrustRegionNewton::default().with_stopping(stopping.clone()))),
            ("Hessian-free", Box::new(HessianFree { stopping: stopping.clone(), ..Default::default() })),
        ];
        for (name, method) in methods {
            let o = method.run(&wells, &[0.0; 3]).unwrap();
            assert!(o.iterations <= max_iterations, "{name}: {o}");
            assert_eq!(o.trace.last().map(|record| record.value), Some(o.value), "{name}: {o}");
            match max_iterations {
                0 => assert_eq!((o.reason, o.value), (Reason::MaxIterations, 3.0), "{name}: {o}"),
                500 => assert!(o.converged() && o.value < 1e-10, "{name}: {o}"),
                _ => {}
            }
        }
    }
}
