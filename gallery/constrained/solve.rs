//! One problem by one method.

use wengert::optim::constrained::{AugmentedLagrangian, InteriorPoint, KktNewton, LbfgsB, ProjectedGradient};
use wengert::optim::{MinimizeError, Multipliers, Stopping};
use wengert::prelude::*;

use crate::problems::{Classic, Solver};
use crate::table::Row;

/// The KKT residual asked for, and of the methods that approach it slowly.
const EXACT: f64 = 1e-8;
const ROUGH: f64 = 1e-4;

/// Solves the problem from its start.
///
/// # Errors
/// If the minimisation cannot start.
pub(crate) fn solve(problem: &Classic, solver: Solver) -> Result<Row, MinimizeError> {
    let c = &problem.constraints;
    let (f, start) = (&problem.objective, &problem.start[..]);
    let bounds = || c.bounds().clone();
    let stopping = |max_iterations| Stopping { max_iterations, ..Stopping::gradient(EXACT) };
    let (method, outcome) = match solver {
        Solver::InteriorPoint => (
            "interior point",
            InteriorPoint { stopping: stopping(500), ..InteriorPoint::new(c) }.minimize(f, start)?,
        ),
        Solver::KktNewton => {
            ("Newton-KKT", KktNewton::new(c).with_stopping(stopping(500)).minimize(f, start)?)
        }
        Solver::AugmentedLagrangian => {
            ("augmented Lagrangian", AugmentedLagrangian::new(c).minimize(f, start)?)
        }
        Solver::QuadraticPenalty => {
            // The penalty's error falls with 1/ρ, and its condition grows with ρ.
            let stopping = Stopping { max_iterations: 100, ..Stopping::gradient(ROUGH) };
            (
                "quadratic penalty",
                AugmentedLagrangian { stopping, ..AugmentedLagrangian::quadratic_penalty(c) }
                    .minimize(f, start)?,
            )
        }
        Solver::LbfgsB => {
            ("L-BFGS-B", LbfgsB { stopping: stopping(10_000), ..LbfgsB::new(bounds()) }.minimize(f, start)?)
        }
        Solver::ProjectedGradient => {
            let stopping = Stopping { max_iterations: 50_000, ..Stopping::gradient(1e-6) };
            (
                "projected gradient",
                ProjectedGradient { stopping, ..ProjectedGradient::new(bounds()) }.minimize(f, start)?,
            )
        }
    };
    let multipliers = outcome.multipliers.clone().unwrap_or_else(|| of_bounds(problem, &outcome));
    let tolerance = if solver == Solver::QuadraticPenalty { 10.0 * ROUGH } else { 1e-6 };
    Ok(Row { problem: problem.name, method, optimum: problem.optimum, tolerance, multipliers, outcome })
}

/// Methods for bounds alone give no multipliers: where a bound holds x, they are the gradient.
fn of_bounds(problem: &Classic, outcome: &Outcome<f64>) -> Multipliers {
    let bounds = problem.constraints.bounds();
    let held = |at: &[f64], sign: f64| {
        let one = |((x, g), bound): ((&f64, &f64), &f64)| if x == bound { (sign * g).max(0.0) } else { 0.0 };
        outcome.point.iter().zip(&outcome.gradient).zip(at).map(one).collect()
    };
    Multipliers {
        lower: held(bounds.lower(), 1.0),
        upper: held(bounds.upper(), -1.0),
        kkt_residual: outcome.gradient_norm,
        ..Multipliers::default()
    }
}
