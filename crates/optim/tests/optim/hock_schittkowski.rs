//! Hock and Schittkowski's problems by every method for constraints, as they are and in other units.

mod collection;
mod formula;

use collection::{Classic, Units, collection};
use serde_json::Value;
use wengert_optim::constrained::*;
use wengert_optim::*;

type Solve = fn(&Classic, f64) -> Outcome<f64>;

fn stopping(gradient_tolerance: f64, max_iterations: u64) -> Stopping {
    Stopping { gradient_tolerance, max_iterations, ..Stopping::default() }
}

fn interior_point(problem: &Classic, tolerance: f64) -> Outcome<f64> {
    let constraints = problem.constraints();
    let method = InteriorPoint { stopping: stopping(tolerance, 500), ..InteriorPoint::new(&constraints) };
    method.minimize(problem, &problem.begin()).unwrap()
}

fn augmented_lagrangian(problem: &Classic, tolerance: f64) -> Outcome<f64> {
    let constraints = problem.constraints();
    let stopping = stopping(tolerance, 100);
    let method = AugmentedLagrangian { stopping, ..AugmentedLagrangian::new(&constraints) };
    method.minimize(problem, &problem.begin()).unwrap()
}

fn quadratic_penalty(problem: &Classic, tolerance: f64) -> Outcome<f64> {
    let constraints = problem.constraints();
    let method = AugmentedLagrangian {
        stopping: stopping(tolerance, 100),
        ..AugmentedLagrangian::quadratic_penalty(&constraints)
    };
    method.minimize(problem, &problem.begin()).unwrap()
}

/// What every outcome must be, converged or not: nothing is said that is not so.
fn is_honest(problem: &Classic, outcome: &Outcome<f64>) {
    let label = format!("HS {}: {outcome}, f = {}", problem.number, outcome.value);
    let constraints = problem.constraints();
    let found = outcome.multipliers.as_ref().unwrap();
    assert!(found.lower.iter().chain(&found.upper).all(|m| *m >= 0.0), "{label}");
    let bounds = constraints.bounds();
    for ((x, low), high) in outcome.point.iter().zip(bounds.lower()).zip(bounds.upper()) {
        assert!(low <= x && x <= high, "{label}");
    }
    let violation = problem.violation(&outcome.point);
    assert!((found.violation - violation).abs() <= 1e-9 * violation, "{label}: {violation}, {found:?}");
    if outcome.converged() {
        assert!(found.inequalities.iter().all(|m| *m >= 0.0), "{label}");
        let residual = problem.stationarity(&outcome.point, found).max(violation);
        assert!(
            residual <= 1.001 * outcome.tolerance && found.kkt_residual <= outcome.tolerance,
            "{label}: {residual}"
        );
    }
}

/// As the last, and if it has converged the value is that of a minimum.
fn is_right(problem: &Classic, outcome: &Outcome<f64>, slack: f64) {
    is_honest(problem, outcome);
    let label = format!("HS {}: {outcome}, f = {}", problem.number, outcome.value);
    assert!(!outcome.converged() || problem.distance(outcome.value) < slack, "{label}");
}

#[test]
fn interior_point_solves_all() {
    let peers: Value = serde_json::from_str(include_str!("../golden/hock_schittkowski.json")).unwrap();
    let (mut iterations, mut evaluations, mut of_slsqp) = (0, 0, 0);
    let problems = collection();
    assert!(problems.len() > 60);
    for problem in &problems {
        let outcome = interior_point(problem, 1e-6);
        is_right(problem, &outcome, 2e-5);
        assert!(outcome.converged(), "HS {}: {outcome}, f = {}", problem.number, outcome.value);
        iterations += outcome.iterations;
        evaluations += outcome.counts.values;
        of_slsqp += peers[problem.number.to_string()]["SLSQP"][2].as_u64().unwrap().min(500);
    }
    println!("{iterations} iterations, {evaluations} evaluations, SLSQP {of_slsqp}");
    assert!(iterations < 800 && evaluations < of_slsqp, "{iterations}, {evaluations}");
}

#[test]
fn augmented_lagrangian_solves_all() {
    for problem in collection() {
        let outcome = augmented_lagrangian(&problem, 1e-6);
        is_right(&problem, &outcome, 1e-4);
        assert!(outcome.converged(), "HS {}: {outcome}, f = {}", problem.number, outcome.value);
    }
}

#[test]
fn quadratic_penalty_comes_near() {
    let mut converged = 0;
    for problem in collection() {
        let outcome = quadratic_penalty(&problem, 1e-4);
        is_right(&problem, &outcome, 1e-3);
        converged += usize::from(outcome.converged());
        // Where it does not converge it has at least come near.
        assert!(
            problem.distance(outcome.value) < 1e-3,
            "HS {}: {outcome}, {}",
            problem.number,
            outcome.value
        );
    }
    assert!(converged > 60, "{converged}");
}

#[test]
fn units_of_constraints_do_not_matter() {
    for constraints in [vec![1e-6], vec![1e6], vec![1e-4, 1e4, 1.0], vec![1e6, 1e-6]] {
        let methods: [(&str, Solve); 2] =
            [("interior point", interior_point), ("augmented Lagrangian", augmented_lagrangian)];
        for (name, solve) in methods {
            let (mut converged, all) = (0, collection().len());
            for mut problem in collection() {
                problem.units = Units { constraints: constraints.clone(), ..Units::default() };
                let outcome: Outcome<f64> = solve(&problem, 1e-6);
                is_right(&problem, &outcome, 1e-4);
                if !outcome.converged() {
                    println!("{name} {constraints:?} HS {}: {outcome} {}", problem.number, outcome.value);
                }
                converged += usize::from(outcome.converged());
                assert_ne!(outcome.reason, Reason::Infeasible, "{name}, HS {}: {outcome}", problem.number);
            }
            // 1e-6 of a constraint of size 1e6 is at the floor of rounding for a first-order method.
            assert!(converged + 5 >= all, "{name}, {constraints:?}: {converged} of {all}");
        }
    }
}

#[test]
fn units_of_variables_and_of_f_do_not_matter() {
    let all = [
        Units { variables: vec![1e3], ..Units::default() },
        Units { variables: vec![1e-3], ..Units::default() },
        Units { variables: vec![1e2, 1e-2, 1.0], ..Units::default() },
        Units { objective: 1e4, ..Units::default() },
        Units { objective: 1e-4, ..Units::default() },
    ];
    for units in all {
        let mut converged = 0;
        for mut problem in collection() {
            let least = units.variables.iter().fold(1.0f64, |m, v| m.min(*v));
            let tolerance = 1e-6 * units.objective * least;
            problem.units = units.clone();
            let outcome = interior_point(&problem, tolerance);
            is_honest(&problem, &outcome);
            converged += usize::from(outcome.converged());
            assert_ne!(outcome.reason, Reason::Infeasible, "HS {}: {outcome}", problem.number);
        }
        assert!(converged + 2 >= collection().len(), "{:?}: {converged}", units.variables);
    }
}
