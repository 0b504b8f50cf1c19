//! Newton's method with a damping adapted by how well the model predicts.

use serde::{Deserialize, Serialize};

use super::{ANY_FALL, curvature_scale};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::forcing::Forcing;
use crate::minimize::linear::ShiftedSystems;
use crate::minimize::method::Method;
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::Reason;
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::trial::Trials;
use crate::minimize::vector::{self, Float};

/// Damped Newton: steps of (H + αI) d = −g by conjugate gradients, with α raised where H + αI shows negative curvature or
/// the model predicts badly, and lowered where it predicts well, so that the end is Newton's method.
///
/// ```
/// use wengert_optim::{DampedNewton, Method, Problem};
/// let f = Problem::new(2, |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2))
///     .with_gradient(|x, g| {
///         g[0] = -2.0 * (1.0 - x[0]) - 400.0 * x[0] * (x[1] - x[0] * x[0]);
///         g[1] = 200.0 * (x[1] - x[0] * x[0]);
///     })
///     .with_hessian(|x, h| h.copy_from_slice(&[
///         2.0 + 1200.0 * x[0] * x[0] - 400.0 * x[1], -400.0 * x[0], -400.0 * x[0], 200.0,
///     ]));
/// let outcome = DampedNewton { initial: 0.01, ..DampedNewton::default() }.minimize(&f, &[-1.2, 1.0])?;
/// assert!(outcome.converged() && outcome.value < 1e-10);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DampedNewton {
    /// The first α, relative to ‖H g‖/‖g‖; 1e-3.
    pub initial: f64,
    /// Products a step; `None`, the default, is ten times the dimension.
    pub max_products: Option<usize>,
    /// When to stop.
    pub stopping: Stopping,
    /// The test for a saddle before convergence is claimed.
    pub probe: CurvatureProbe,
}

impl Default for DampedNewton {
    fn default() -> Self {
        Self {
            initial: 1e-3,
            max_products: None,
            stopping: Stopping::default(),
            probe: CurvatureProbe::default(),
        }
    }
}

/// What [`DampedNewton`] remembers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DampedState {
    forcing: Forcing,
    /// ‖H g‖/‖g‖ at the start, or 10⁻⁶‖g‖/‖x‖ if that is more.
    scale: f64,
    damping: f64,
}

impl<T: Float> Method<T> for DampedNewton {
    type State = DampedState;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn reads_hessian(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("initial", self.initial, "positive", |i| i > 0.0 && i.is_finite())?;
        MinimizeError::at_least_one("max_products", self.max_products.map(|p| p as u64))
    }

    fn check(&self, state: &DampedState, _: usize) -> Result<(), MinimizeError> {
        Field("damping").non_negative(state.damping)?;
        Field("scale").positive(state.scale)?;
        state.forcing.check()
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<DampedState, MinimizeError> {
        let hessian = problem
            .hessian(&at.point)
            .ok_or(MinimizeError::Missing { method: "DampedNewton", what: "a Hessian" })?;
        let scale = curvature_scale(&*hessian, at);
        Ok(DampedState { forcing: Forcing::begin(at), scale, damping: self.initial * scale })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut DampedState,
    ) -> Result<f64, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let tolerance = state.forcing.since_the_start(problem, at);
        let n = at.point.len();
        let mut systems =
            ShiftedSystems::new(&*hessian, &at.gradient, tolerance, self.max_products.unwrap_or(n));
        let mut trials = Trials::new(problem, at, ANY_FALL);
        for _ in 0..60 {
            problem.granted()?;
            let solution = match systems.solve(state.damping) {
                Ok(solution) => solution,
                Err(Some(least)) => {
                    // At least past the negative curvature that was met.
                    state.damping = (4.0 * state.damping).max(-2.0 * least);
                    continue;
                }
                // Refused, or not finite.
                Err(None) => break,
            };
            let step = solution.step;
            let trial = trials.step(&step, solution.reduction);
            let raise = |damping: f64| damping.max(1e-10 * state.scale) * 4.0;
            if trial.accepted && trial.ratio > 1e-4 {
                if trial.ratio < 0.25 {
                    state.damping = raise(state.damping);
                } else if trial.ratio > 0.75 {
                    state.damping *= 0.1;
                }
                *at = trial.into_iterate();
                return Ok(vector::norm(&step));
            }
            if trial.is_flat() || !state.damping.is_finite() {
                break;
            }
            state.damping = raise(state.damping);
        }
        Err(trials.stuck())
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>, _state: &mut DampedState) -> Escape {
        self.probe.escape(problem, at)
    }
}
