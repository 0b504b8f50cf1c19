//! Newton's method on the KKT conditions: the primal–dual interior point method, and without inequalities plain.

#![allow(clippy::needless_range_loop, reason = "one index runs through up to six vectors")]

use serde::{Deserialize, Serialize};

mod local;
mod restore;
mod search;
mod step;

use self::local::{Local, fixes};
use self::step::least_squares_multipliers;
use super::constraints::Constraints;
use super::kkt::{Sizes, check_multipliers};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::method::Method;
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::{Multipliers, Outcome, Reason};
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};

/// The primal–dual interior point method with a filter line search (Wächter and Biegler, 2006) for general
/// constraints, with whole matrices: for up to some hundred variables. Needs a Hessian.
///
/// It works on f scaled to a gradient of 10 at the start, and constraints scaled to one between 1 and 100. Variables with l = u are held there. Where Newton's
/// steps lead nowhere, the violation alone is minimised; where it cannot be reduced to 0, the outcome is
/// [`Infeasible`](Reason::Infeasible).
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
    /// The first barrier parameter μ, for an objective scaled to a gradient of about 10; in (0, 1), 0.1.
    pub initial_barrier: f64,
    /// When to stop; the norm is the [KKT residual](Multipliers::kkt_residual), as [everywhere in this
    /// module](crate::minimize::constrained).
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
///
/// ```
/// use wengert_optim::constrained::{Constraints, KktNewton};
/// use wengert_optim::{Method, Problem};
/// // The nearest point to 0 on x + y = 2.
/// let f = Problem::new(2, |x: &[f64]| 0.5 * (x[0] * x[0] + x[1] * x[1]))
///     .with_gradient(|x, g| g.copy_from_slice(x))
///     .with_hvp(|_, v, out| out.copy_from_slice(v));
/// let line = Constraints::new(2).equality(|x: &[f64]| x[0] + x[1] - 2.0, |_, g| g.fill(1.0));
/// let outcome = KktNewton::new(&line).minimize(&f, &[5.0, 0.0])?;
/// assert!((outcome.point[0] - 1.0).abs() < 1e-8 && (outcome.point[1] - 1.0).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
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
    sizes: Sizes,
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
    /// Steps may not lead to more, nor be judged by the barrier function alone above the other.
    max_violation: f64,
    small_violation: f64,
    /// Fresh starts since the last step.
    restarts: u32,
    /// Why the next iteration will be refused.
    ended: Option<Reason>,
    /// What the test of convergence looks at.
    norm: f64,
    reported: Multipliers,
    /// Made again where it is missing.
    #[serde(skip)]
    local: Option<Local>,
}

impl InteriorPointState {
    /// The factor on constraint `i`: its gradient at the start between 1 and 100.
    fn factor(&self, i: usize) -> f64 {
        let size = self.sizes.get(i);
        if size < 1.0 { size.recip() } else { (STEEPEST / size).min(1.0) }
    }

    /// The share of the way to a bound that a step may go.
    fn keep(&self) -> f64 {
        (1.0 - self.barrier).clamp(0.99, 1.0 - 1e-10)
    }
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

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("initial_barrier", self.initial_barrier, "in (0, 1)", |b| b > 0.0 && b < 1.0)
    }

    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        self.constraints.check(start.len())?;
        self.move_inside(start);
        Ok(())
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        self.constraints.check(dimension)?;
        let (equalities, inequalities) = (self.constraints.equalities(), self.constraints.inequalities());
        let total = dimension + inequalities;
        state.sizes.check(equalities + inequalities)?;
        Field("slacks").vector(&state.slacks, inequalities)?;
        state.slacks.iter().try_for_each(|&slack| Field("slacks").positive(slack))?;
        Field("multipliers").vector(&state.multipliers, equalities + inequalities)?;
        Field("lower").vector(&state.lower, total)?;
        Field("upper").vector(&state.upper, total)?;
        Field("scale").positive(state.scale)?;
        Field("barrier").positive(state.barrier)?;
        Field("shift").non_negative(state.shift)?;
        Field("max_violation").non_negative(state.max_violation)?;
        Field("small_violation").non_negative(state.small_violation)?;
        Field("norm").non_negative(state.norm)?;
        check_multipliers(&state.reported, self.constraints, dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        if problem.hessian(&at.point).is_none() {
            return Err(MinimizeError::Missing { method: "InteriorPoint", what: "a Hessian" });
        }
        let found = self.constraints.at(&at.point);
        let norm = vector::norm_inf(&at.gradient);
        let mut state = InteriorPointState {
            scale: if norm > 0.0 { SLOPE / norm } else { 1.0 },
            sizes: Sizes::new(&found),
            barrier: self.initial_barrier,
            slacks: Vec::new(),
            multipliers: vec![0.0; found.values.len()],
            lower: Vec::new(),
            upper: Vec::new(),
            filter: Vec::new(),
            shift: 0.0,
            max_violation: f64::MAX,
            small_violation: f64::MAX,
            restarts: 0,
            ended: if found.is_finite() { None } else { Some(Reason::NonFinite) },
            norm: f64::NAN,
            reported: Multipliers::default(),
            local: None,
        };
        state.slacks = (self.constraints.equalities()..found.values.len())
            .map(|i| into_interior(state.factor(i) * found.values[i], 0.0, f64::INFINITY))
            .collect();
        let local = self.local(at, found, &state);
        state.lower = local.low.iter().map(|l| f64::from(u8::from(l.is_finite()))).collect();
        state.upper = local.high.iter().map(|h| f64::from(u8::from(h.is_finite()))).collect();
        if state.ended.is_none() {
            state.multipliers = least_squares_multipliers(&local, &state);
            let violation = vector::norm_1(&local.c).max(1.0);
            state.max_violation = 1e4 * violation;
            state.small_violation = 1e-4 * violation;
        }
        self.judge(at, &local, &mut state);
        state.local = Some(local);
        Ok(state)
    }

    fn optimality(&self, _: &Iterate<T>, state: &Self::State) -> f64 {
        state.norm
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        if let Some(reason) = state.ended {
            return Err(reason);
        }
        let local = match state.local.take() {
            Some(local) => local,
            None => self.local(at, self.constraints.at(&at.point), state),
        };
        if self.stuck(problem, at, &local, state) {
            return self.restore(problem, at, state, local);
        }
        if vector::norm_inf(&at.point) > FARTHEST {
            return Err(Reason::Unbounded);
        }
        // Barrier problems are solved ever more accurately; several may be solved already.
        let least = (0.1 * self.stopping.gradient_tolerance * state.scale.min(1.0)).max(LEAST_BARRIER);
        while state.barrier > least && self.error(&local, state, state.barrier) <= 10.0 * state.barrier {
            state.barrier = (0.2 * state.barrier).min(state.barrier.powf(1.5)).max(least);
            state.filter.clear();
        }
        let hessian = self.hessian(problem, at, &local, state).ok_or(Reason::NonFinite)?;
        let system = self.system(&local, &hessian, state);
        let step = system.and_then(|system| Some((system.step(&local, state)?, system)));
        let Some((step, system)) = step else {
            return self.restore(problem, at, state, local);
        };
        let error = self.error(&local, state, state.barrier);
        let (length, local) = match self.search(problem, at, state, &local, &system, &step) {
            Some(found) => found,
            None => match self.polish(problem, at, state, &local, &step, error) {
                Some(found) => found,
                None => return self.restore(problem, at, state, local),
            },
        };
        self.judge(at, &local, state);
        state.local = Some(local);
        Ok(length)
    }

    fn finish(&self, state: &Self::State, outcome: &mut Outcome<T>) {
        outcome.multipliers = Some(state.reported.clone());
    }
}

/// What the gradient of f is scaled to at the start.
const SLOPE: f64 = 10.0;

/// Steeper constraints are scaled to this, flatter ones than 1 to that.
const STEEPEST: f64 = 100.0;

/// Farther out than this f is taken to fall without limit.
const FARTHEST: f64 = 1e20;

/// The barrier parameter ends here whatever is asked for.
const LEAST_BARRIER: f64 = 1e-30;

impl<T: Float> InteriorPoint<'_, T> {
    /// Moves `x` well inside the bounds, or onto those that fix it.
    fn move_inside(&self, x: &mut [T]) {
        let (low, high) = self.constraints.bounds().to_f64();
        for (i, x) in x.iter_mut().enumerate() {
            *x = if fixes::<T>(low[i], high[i]) {
                T::from_f64(x.to_f64().clamp(low[i], high[i]))
            } else {
                T::from_f64(into_interior(x.to_f64(), low[i], high[i]))
            };
        }
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

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.0.stopping
    }
    fn validate(&self) -> Result<(), MinimizeError> {
        self.0.validate()
    }
    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        self.0.place(start)
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
