//! What every closure method promises, tried on each of one list: scaling, bad input, walls.

use std::ops::ControlFlow;

use crate::methods::{Rosenbrock, START, Visit, every_method};
use wengert_optim::constrained::*;
use wengert_optim::*;

/// Runs every method from the same start and keeps all iterates.
struct Record {
    objective: Rosenbrock,
    runs: Vec<(String, Vec<Vec<f64>>, Outcome<f64>)>,
}

impl Visit for Record {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let mut points = Vec::new();
        let outcome = method.minimize_with(&self.objective, &START, |run| {
            points.push(run.current.point.clone());
            ControlFlow::Continue(())
        });
        self.runs.push((name.to_owned(), points, outcome.unwrap()));
    }
}

fn record(objective: Rosenbrock, stopping: &Stopping) -> Vec<(String, Vec<Vec<f64>>, Outcome<f64>)> {
    let mut record = Record { objective, runs: Vec::new() };
    every_method(stopping, objective.scale, &mut record);
    record.runs
}

/// Where f is weighed against constraints in units of their own, the ends of inner minimisations depend on its scale.
const WEIGHED: [&str; 2] = ["augmented Lagrangian", "quadratic penalty"];

/// Norms that mix gradients with distances: these methods may stop an iteration earlier or later.
const MIXED: [&str; 5] =
    ["L-BFGS-B, one bound", "L-BFGS-B, box", "projected gradient", "interior point", "KKT Newton"];

#[test]
fn scaling_f_by_a_power_of_two_changes_no_bit_of_any_iterate() {
    let limit = |tolerance| Stopping { max_iterations: 300, ..Stopping::gradient(tolerance) };
    let plain = record(Rosenbrock::new(1.0), &limit(1e-6));
    for exponent in [-40, -6, 8, 50] {
        // An even exponent: residuals are scaled by its root.
        let scale = 2f64.powi(exponent);
        let scaled = record(Rosenbrock::new(scale), &limit(1e-6 * scale));
        for ((name, a, first), (_, b, second)) in plain.iter().zip(&scaled) {
            if WEIGHED.contains(&name.as_str()) {
                continue;
            }
            let label = format!("{name}, 2^{exponent}: {first}, scaled {second}");
            let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
            assert_eq!(same, a.len().min(b.len()), "{label}");
            if !MIXED.contains(&name.as_str()) {
                assert_eq!((a.len(), first.reason), (b.len(), second.reason), "{label}");
                assert_eq!(first.counts, second.counts, "{label}");
            }
        }
    }
}

/// Gives every method what cannot be minimised.
struct BadInput;

impl Visit for BadInput {
    fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
        let f = Rosenbrock::new(1.0);
        let error = |f: &dyn Objective<f64>, start: &[f64]| method.minimize(f, start).unwrap_err();
        let empty = Problem::new(0, |_: &[f64]| 0.0);
        assert_eq!(error(&empty, &[]), MinimizeError::ZeroDimension, "{name}");
        for length in [0, 1, 3] {
            let start = vec![0.5; length];
            let expected = MinimizeError::WrongLength { what: "the start", expected: 2, found: length };
            assert_eq!(error(&f, &start), expected, "{name}");
        }
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let found = error(&f, &[0.0, bad]);
            assert!(matches!(found, MinimizeError::NonFiniteStart { index: 1, .. }), "{name}: {found}");
        }
        let walled = Rosenbrock { wall: 1e-3, ..f };
        let found = error(&walled, &START);
        assert!(matches!(found, MinimizeError::UndefinedAtStart { .. }), "{name}: {found}");
    }
}

#[test]
fn bad_input_is_a_typed_error_of_every_method() {
    every_method(&Stopping::default(), 1.0, &mut BadInput);
    for tolerance in [-1.0, f64::NAN] {
        struct Refuses;
        impl Visit for Refuses {
            fn visit<M: Method<f64>>(&mut self, name: &str, method: &M) {
                let refused = method.minimize(&Rosenbrock::new(1.0), &START);
                assert!(matches!(refused, Err(MinimizeError::InvalidSetting { .. })), "{name}");
            }
        }
        every_method(&Stopping::gradient(tolerance), 1.0, &mut Refuses);
    }
}

#[test]
fn walls_of_nan_are_stepped_back_from() {
    // The start has norm 1.562, the minimum √2, the way between less than 1.6: steps past it meet NaN.
    let stopping = Stopping { max_iterations: 3000, ..Stopping::gradient(1e-6) };
    let free = record(Rosenbrock::new(1.0), &stopping);
    let walled = record(Rosenbrock { wall: 1.6, ..Rosenbrock::new(1.0) }, &stopping);
    for ((name, points, outcome), (_, _, reference)) in walled.iter().zip(&free) {
        println!("{name}: {outcome}, without the wall {reference}");
        assert!(points.iter().all(|x| vector::norm(x) <= 1.6), "{name}: {outcome}");
        assert!(outcome.value.is_finite() && vector::all_finite(&outcome.point), "{name}: {outcome}");
        if name == "KKT Newton" {
            // The nearest points that satisfy the constraint are behind the wall.
            assert_eq!(outcome.reason, Reason::NonFinite, "{name}: {outcome}");
            continue;
        }
        assert_eq!(outcome.converged(), reference.converged(), "{name}: {outcome}, free {reference}");
        if outcome.converged() {
            assert!(outcome.gradient_norm <= 1e-6, "{name}: {outcome}");
            let error = (outcome.value - reference.value).abs();
            assert!(error < 1e-5, "{name}: {} and {}", outcome.value, reference.value);
        }
    }
}

#[test]
fn a_regularised_sum_of_squares_is_one() {
    let second = std::iter::once(1..2).collect();
    for (name, ridge) in [
        ("all", Ridge::new(Rosenbrock::new(1.0), 0.3)),
        ("second", Ridge::on(Rosenbrock::new(1.0), 0.3, second)),
    ] {
        let residuals = ridge.residuals().unwrap();
        let x = [0.7, -0.4];
        let mut r = vec![0.0; residuals.count()];
        residuals.evaluate(&x, &mut r);
        assert!((0.5 * vector::dot(&r, &r) - ridge.value(&x)).abs() < 1e-12, "{name}");
        let (mut gradient, mut other) = ([0.0; 2], [0.0; 2]);
        ridge.gradient(&x, &mut gradient);
        residuals.jacobian(&x).apply_transpose(&r, &mut other);
        assert!((0..2).all(|i| (gradient[i] - other[i]).abs() < 1e-12), "{name}: {gradient:?} {other:?}");
        let dense = residuals.dense_jacobian(&x);
        let (mut column, jacobian) = (vec![0.0; r.len()], residuals.jacobian(&x));
        for j in 0..2 {
            jacobian.apply(&[f64::from(j == 0), f64::from(j == 1)], &mut column);
            assert!(column.iter().enumerate().all(|(i, c)| dense[2 * i + j] == *c), "{name}");
        }
        let lm = LevenbergMarquardt::default().minimize(&ridge, &START).unwrap();
        let newton = Newton::default().minimize(&ridge, &START).unwrap();
        assert!(lm.converged() && (lm.value - newton.value).abs() < 1e-10, "{name}: {lm}, {newton}");
    }
    let plain = Problem::new(2, |x: &[f64]| x[0] * x[0]);
    assert!(Ridge::new(plain, 0.3).residuals().is_none());
}

#[test]
fn constraints_that_contradict_each_other_are_called_infeasible() {
    let f = Rosenbrock::new(1.0);
    let lines = Constraints::new(2)
        .equality(|x| x[0] + x[1] - 1.0, |_, g| g.fill(1.0))
        .equality(|x| x[0] + x[1] - 3.0, |_, g| g.fill(1.0));
    let few = || Stopping { max_iterations: 100, ..Stopping::default() };
    let methods: [(&str, Box<dyn Minimizer<f64> + '_>); 4] = [
        ("interior point", Box::new(InteriorPoint { stopping: few(), ..InteriorPoint::new(&lines) })),
        ("KKT Newton", Box::new(KktNewton::new(&lines).with_stopping(few()))),
        ("augmented Lagrangian", Box::new(AugmentedLagrangian::new(&lines))),
        ("quadratic penalty", Box::new(AugmentedLagrangian::quadratic_penalty(&lines))),
    ];
    for (name, method) in methods {
        let outcome = method.run(&f, &START).unwrap();
        assert_eq!(outcome.reason, Reason::Infeasible, "{name}: {outcome}");
        // The nearest to both is half-way.
        let violation = outcome.multipliers.unwrap().violation;
        assert!((violation - 1.0).abs() < 0.1, "{name}: {violation}");
    }
}
