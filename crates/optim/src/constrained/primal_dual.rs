//! Newton's method on the KKT conditions: the primal–dual interior point method, and without inequalities plain.

#![allow(clippy::needless_range_loop, reason = "one index runs through up to six vectors")]

use serde::{Deserialize, Serialize};

mod search;
mod step;

use self::search::{to_boundary, to_zero};
use self::step::least_squares_multipliers;
use super::problem::Constraints;
use crate::objective::{Counted, Objective};
use crate::outcome::{MinimizeError, Multipliers, Outcome, Reason};
use crate::second::{Field, Iterate, Method};
use crate::stopping::Stopping;
use crate::vector::{self, Float};

/// The primal–dual interior point method with a filter line search (Wächter and Biegler, 2006) for general
/// constraints, with whole matrices: for up to some hundred variables. Needs a Hessian.
///
/// ```
/// use wengert_optim::constrained::{Bounds, Constraints, InteriorPoint};
/// use wengert_optim::{Method, Problem};
///
/// // min (x − 2)² + (y − 1)² with x + y ≤ 2 and y ≥ 0: (1.5, 0.5), multiplier 1.
/// let f = Problem::new(2, |x: &[f64]| (x[0] - 2.0).powi(2) + (x[1] - 1.0).powi(2))
///     .with_gradient(|x, g| { g[0] = 2.0 * (x[0] - 2.0); g[1] = 2.0 * (x[1] - 1.0); })
///     .with_hvp(|_, v, out| { out[0] = 2.0 * v[0]; out[1] = 2.0 * v[1]; });
/// let constraints = Constraints::new(2)
///     .inequality(|x| 2.0 - x[0] - x[1], |_, g| g.fill(-1.0))
///     .with_bounds(Bounds::new(vec![f64::NEG_INFINITY, 0.0], vec![f64::INFINITY; 2])?);
/// let outcome = InteriorPoint::new(&constraints).minimize(&f, &[0.0, 0.0])?;
/// assert!(outcome.converged() && (outcome.point[0] - 1.5).abs() < 1e-5);
/// assert!((outcome.multipliers.unwrap().inequalities[0] - 1.0).abs() < 1e-5);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct InteriorPoint<'c, T> {
    /// The constraints.
    pub constraints: &'c Constraints<'c, T>,
    /// The first barrier parameter μ, for an objective scaled to a gradient of about 10; 0.1.
    pub initial_barrier: f64,
    /// When to stop; the norm is the [KKT residual](Multipliers::kkt_residual).
    pub stopping: Stopping,
}

impl<'c, T: Float> InteriorPoint<'c, T> {
    /// With default settings, but at most 500 iterations.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        let stopping = Stopping { max_iterations: 500, ..Stopping::default() };
        Self { constraints, initial_barrier: 0.1, stopping }
    }
}

/// Newton's method on the Lagrangian of a problem with equalities alone: each step solves the KKT system
/// `[∇²L −Jᵀ; J 0]`, its Hessian made positive on the null space of J where it is not, with the filter line search of
/// [`InteriorPoint`].
pub struct KktNewton<'c, T>(InteriorPoint<'c, T>);

impl<'c, T: Float> KktNewton<'c, T> {
    /// With default settings.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        Self(InteriorPoint::new(constraints))
    }

    /// Takes another stopping rule.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.0.stopping = stopping;
        self
    }
}

/// What [`InteriorPoint`] remembers. The variables are x and a slack s ≥ 0 for every inequality, c_I(x) − s = 0.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InteriorPointState {
    /// The factor on f.
    scale: f64,
    barrier: f64,
    slacks: Vec<f64>,
    /// Multipliers of the equalities and inequalities.
    multipliers: Vec<f64>,
    /// Multipliers of the lower and upper bounds of x and s; zero where there is none.
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Pairs of violation and barrier function that steps must improve on.
    filter: Vec<(f64, f64)>,
    /// The last shift of the Hessian.
    shift: f64,
    max_violation: f64,
    residual: f64,
    violation: f64,
}

/// f, c and derivatives at a point, with the slacks.
struct Local {
    /// x and s.
    w: Vec<f64>,
    gradient: Vec<f64>,
    /// c_E and c_I − s.
    c: Vec<f64>,
    /// The Jacobian of c by rows.
    jacobian: Vec<Vec<f64>>,
    low: Vec<f64>,
    high: Vec<f64>,
}

/// A Newton step in x and s, the multipliers, and the multipliers of the bounds.
struct NewtonStep {
    w: Vec<f64>,
    multipliers: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl<T: Float> Method<T> for InteriorPoint<'_, T> {
    type State = InteriorPointState;
    const KEEPS_BEST: bool = false;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        self.constraints.check(dimension)?;
        let (equalities, inequalities) = (self.constraints.equalities(), self.constraints.inequalities());
        let total = dimension + inequalities;
        Field("slacks").vector(&state.slacks, inequalities)?;
        state.slacks.iter().try_for_each(|&slack| Field("slacks").positive(slack))?;
        Field("multipliers").vector(&state.multipliers, equalities + inequalities)?;
        Field("lower").vector(&state.lower, total)?;
        Field("upper").vector(&state.upper, total)?;
        Field("scale").positive(state.scale)?;
        Field("barrier").positive(state.barrier)?;
        Field("shift").non_negative(state.shift)?;
        Field("max_violation").non_negative(state.max_violation)?;
        Field("residual").non_negative(state.residual)?;
        Field("violation").non_negative(state.violation)
    }

    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        self.constraints.check(start.len())?;
        let (low, high) = self.constraints.bounds().to_f64();
        for ((x, low), high) in start.iter_mut().zip(low).zip(high) {
            *x = T::from_f64(into_interior(x.to_f64(), low, high));
        }
        Ok(())
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        self.constraints.check(at.point.len())?;
        MinimizeError::require("initial_barrier", self.initial_barrier, "positive", |b| {
            b > 0.0 && b.is_finite()
        })?;
        if problem.hessian(&at.point).is_none() {
            return Err(MinimizeError::Missing { method: "InteriorPoint", what: "a Hessian" });
        }
        let (low, high) = self.constraints.bounds().to_f64();
        let mut moved = false;
        for (i, x) in at.point.iter_mut().enumerate() {
            if low[i] == high[i] {
                return Err(MinimizeError::InconsistentBounds { index: i, lower: low[i], upper: high[i] });
            }
            let inside = T::from_f64(into_interior(x.to_f64(), low[i], high[i]));
            moved |= inside != *x;
            *x = inside;
        }
        if moved {
            *at = Iterate::at(problem, std::mem::take(&mut at.point));
        }
        let values = self.constraints.values(&at.point);
        let slacks: Vec<f64> = values[self.constraints.equalities()..]
            .iter()
            .map(|c| into_interior(*c, 0.0, f64::INFINITY))
            .collect();
        let norm = vector::norm_inf(&at.gradient);
        let total = at.point.len() + slacks.len();
        let mut state = InteriorPointState {
            scale: if norm > 0.0 { 10.0 / norm } else { 1.0 },
            barrier: self.initial_barrier,
            slacks,
            multipliers: vec![0.0; values.len()],
            lower: vec![0.0; total],
            upper: vec![0.0; total],
            filter: Vec::new(),
            shift: 0.0,
            max_violation: f64::INFINITY,
            residual: f64::INFINITY,
            violation: f64::INFINITY,
        };
        let local = self.local(at, &state);
        for i in 0..total {
            state.lower[i] = f64::from(u8::from(local.low[i].is_finite()));
            state.upper[i] = f64::from(u8::from(local.high[i].is_finite()));
        }
        state.multipliers = least_squares_multipliers(&local, &state);
        state.max_violation = 1e4 * vector::norm_1(&local.c).max(1.0);
        self.judge(at, &mut state);
        Ok(state)
    }

    fn optimality(&self, _: &Iterate<T>, state: &Self::State) -> f64 {
        state.residual
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        let local = self.local(at, state);
        // Barrier problems are solved ever more accurately; several may be solved already.
        let least = 0.1 * self.stopping.gradient_tolerance * state.scale.min(1.0);
        while state.barrier > least && self.errors(&local, state, state.barrier).0 <= 10.0 * state.barrier {
            state.barrier = (0.2 * state.barrier).min(state.barrier.powf(1.5)).max(least);
            state.filter.clear();
        }
        let hessian = self.hessian(problem, at, state).ok_or(Reason::NonFinite)?;
        let Some(step) = self.newton_step(&local, &hessian, state) else {
            return self.restore(problem, at, state, &local);
        };
        let keep = (1.0 - state.barrier).max(0.99);
        let most = to_boundary(&local, &step.w, keep);
        match self.search(problem, at, state, &local, &step, most) {
            Some(length) => {
                let alpha =
                    to_zero(&state.lower, &step.lower, keep).min(to_zero(&state.upper, &step.upper, keep));
                vector::axpy(alpha, &step.lower, &mut state.lower);
                vector::axpy(alpha, &step.upper, &mut state.upper);
                self.judge(at, state);
                Ok(length)
            }
            None => self.restore(problem, at, state, &local),
        }
    }

    fn finish(&self, state: &Self::State, outcome: &mut Outcome<T>) {
        let n = outcome.point.len();
        let unscaled = |m: &[f64]| -> Vec<f64> { m.iter().map(|m| m / state.scale).collect() };
        let equalities = self.constraints.equalities();
        outcome.multipliers = Some(Multipliers {
            equalities: unscaled(&state.multipliers[..equalities]),
            inequalities: unscaled(&state.multipliers[equalities..]),
            lower: unscaled(&state.lower[..n]),
            upper: unscaled(&state.upper[..n]),
            violation: state.violation,
            kkt_residual: state.residual,
        });
    }
}

/// A value well inside its bounds (section 3.6 of the paper).
fn into_interior(x: f64, low: f64, high: f64) -> f64 {
    let width = 1e-2 * (high - low);
    let below = low + (1e-2 * low.abs().max(1.0)).min(width);
    let above = high - (1e-2 * high.abs().max(1.0)).min(width);
    match (low.is_finite(), high.is_finite()) {
        (true, true) => x.max(below).min(above),
        (true, false) => x.max(low + 1e-2 * low.abs().max(1.0)),
        (false, true) => x.min(high - 1e-2 * high.abs().max(1.0)),
        (false, false) => x,
    }
}

impl<T: Float> Method<T> for KktNewton<'_, T> {
    type State = InteriorPointState;
    const KEEPS_BEST: bool = false;

    fn stopping(&self) -> &Stopping {
        &self.0.stopping
    }
    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        self.0.check(state, dimension)
    }
    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        if self.0.constraints.inequalities() > 0 || self.0.constraints.bounds().any() {
            return Err(MinimizeError::Missing {
                method: "KktNewton",
                what: "a problem with equalities alone",
            });
        }
        self.0.begin(problem, at)
    }
    fn optimality(&self, at: &Iterate<T>, state: &Self::State) -> f64 {
        self.0.optimality(at, state)
    }
    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        self.0.advance(problem, at, state)
    }
    fn finish(&self, state: &Self::State, outcome: &mut Outcome<T>) {
        self.0.finish(state, outcome);
    }
}
