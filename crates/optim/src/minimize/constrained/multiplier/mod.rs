//! The augmented Lagrangian method, and with multipliers of zero the quadratic penalty method.

use crate::minimize::rounding;
use serde::{Deserialize, Serialize};

mod augmented;

use self::augmented::Augmented;
use super::constraints::{Constraints, ConstraintsAt};
use super::feasibility::{Found, Violation};
use super::kkt::{Sizes, check_multipliers, judge, reduced_gradient};
use super::lbfgs_b::LbfgsB;
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::method::Method;
use crate::minimize::noise::is_short;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::{Multipliers, Outcome, Reason};
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};

/// The augmented Lagrangian method (Hestenes and Powell, 1969; Birgin and Martínez, 2014): L-BFGS-B on
/// f + Σ ½ρ (c_E − y/ρ)² + Σ ½ρ max(0, λ/ρ − c_I)², with y and λ estimated from one minimisation to the next. First derivatives
/// only.
///
/// An iteration is one such minimisation; the norm is the [KKT residual](Multipliers::kkt_residual), as
/// [everywhere in this module](crate::minimize::constrained).
///
/// The penalty works on constraints over the size of their gradient at the start, so that it does not depend on their units;
/// the penalty's own unit is that of f.
pub struct AugmentedLagrangian<'c, T> {
    /// The constraints.
    pub constraints: &'c Constraints<'c, T>,
    /// Whether y and λ are estimated; yes. Without it is the [quadratic penalty method](Self::quadratic_penalty).
    pub estimates: bool,
    /// The factor on ρ where violation and complementarity do not fall to a quarter, or, without estimates, after every
    /// minimisation; above 1, 10.
    pub growth: f64,
    /// The first ρ, at most 1e15; `None`, the default, balances f and the violation at the start.
    pub initial_penalty: Option<f64>,
    /// When to stop.
    pub stopping: Stopping,
}

impl<'c, T: Float> AugmentedLagrangian<'c, T> {
    /// With default settings, but at most 100 minimisations.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        let stopping = Stopping { max_iterations: 100, ..Stopping::default() };
        Self { constraints, estimates: true, growth: 10.0, initial_penalty: None, stopping }
    }

    /// The quadratic penalty method: multipliers of zero, and a ρ that grows after every minimisation. Slower and less exact; for
    /// comparison, and for problems whose multipliers do not exist.
    pub fn quadratic_penalty(constraints: &'c Constraints<'c, T>) -> Self {
        Self { estimates: false, ..Self::new(constraints) }
    }
}

/// What [`AugmentedLagrangian`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MultiplierState {
    sizes: Sizes,
    penalty: f64,
    /// What the minimised function has, for constraints over their size.
    estimates: Vec<f64>,
    multipliers: Multipliers,
    /// What the test of convergence looks at.
    norm: f64,
    /// The tolerance of the next minimisation.
    tolerance: f64,
    /// The largest distance from complementary constraints and multipliers at the start, and after the last minimisation.
    start_distance: f64,
    distance: Option<f64>,
    /// Minimisations in a row that led nowhere.
    unchanged: u32,
    /// How often minimisations were given up for less violation.
    restorations: u32,
    /// Why the next iteration will be refused.
    ended: Option<Reason>,
    /// The constraints at the current point; evaluated again where it is missing.
    #[serde(skip)]
    found: Option<ConstraintsAt>,
}

/// How many times farther from the constraints than the start a minimisation may end.
const FAR: f64 = 1e4;

/// Above this the penalty has been raised in vain.
const LARGEST_PENALTY: f64 = 1e15;

impl<T: Float> Method<T> for AugmentedLagrangian<'_, T> {
    type State = MultiplierState;
    // A lower value may only be less feasible.
    const KEEPS_BEST: bool = false;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("growth", self.growth, "above 1", |g| g > 1.0 && g.is_finite())?;
        match self.initial_penalty {
            Some(penalty) => {
                MinimizeError::require("initial_penalty", penalty, "above 0 and at most 1e15", |p| {
                    p > 0.0 && p <= LARGEST_PENALTY
                })
            }
            None => Ok(()),
        }
    }

    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        self.constraints.check(start.len())?;
        self.constraints.bounds().project(start);
        Ok(())
    }

    fn check(&self, state: &MultiplierState, dimension: usize) -> Result<(), MinimizeError> {
        self.constraints.check(dimension)?;
        let MultiplierState { sizes, penalty, estimates, multipliers, norm, tolerance, .. } = state;
        let count = self.constraints.equalities() + self.constraints.inequalities();
        sizes.check(count)?;
        Field("penalty").positive(*penalty)?;
        Field("tolerance").non_negative(*tolerance)?;
        Field("norm").non_negative(*norm)?;
        Field("start_distance").non_negative(state.start_distance)?;
        Field("distance").non_negative(state.distance.unwrap_or(0.0))?;
        Field("estimates").vector(estimates, count)?;
        check_multipliers(multipliers, self.constraints, dimension)
    }

    fn begin(&self, _: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<MultiplierState, MinimizeError> {
        let found = self.constraints.at(&at.point);
        let sizes = Sizes::new(&found);
        let shortfalls = sizes.shortfalls(self.constraints, &found.values);
        // ½ρ‖c‖² of the order of |f| (or of a step of length 1 along the gradient).
        let size = at.value.abs().max(vector::norm(&at.gradient));
        let violated = vector::norm_inf(&shortfalls).powi(2).max(1.0);
        let balanced = if size > 0.0 { 10.0 * size / violated } else { 10.0 };
        let balanced = balanced.clamp(f64::MIN_POSITIVE, 1e-3 * LARGEST_PENALTY);
        let mut state = MultiplierState {
            sizes,
            penalty: self.initial_penalty.unwrap_or(balanced),
            estimates: vec![0.0; found.values.len()],
            multipliers: Multipliers::default(),
            norm: f64::NAN,
            tolerance: f64::INFINITY,
            start_distance: vector::norm_inf(&shortfalls),
            distance: None,
            unchanged: 0,
            restorations: 0,
            ended: if found.is_finite() { None } else { Some(Reason::NonFinite) },
            found: None,
        };
        self.judge(at, &found, &mut state, &vec![0.0; found.values.len()]);
        state.tolerance = 0.1 * state.norm;
        state.found = Some(found);
        Ok(state)
    }

    fn optimality(&self, _: &Iterate<T>, state: &MultiplierState) -> f64 {
        state.norm
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut MultiplierState,
    ) -> Result<f64, Reason> {
        if let Some(reason) = state.ended {
            return Err(reason);
        }
        let wanted = self.stopping.gradient_tolerance;
        let found = state.found.take().unwrap_or_else(|| self.constraints.at(&at.point));
        let augmented = Augmented::new(problem, self.constraints, state, (at.clone(), found.clone()));
        let mut inner = LbfgsB::new(self.constraints.bounds().clone());
        inner.stopping = Stopping::gradient(state.tolerance.max(0.1 * wanted));
        inner.stopping.max_iterations = 1000;
        let solved = inner.minimize(&augmented, &at.point).map_err(|_| Reason::NonFinite)?;
        let Some((next, next_found)) = augmented.recall(solved.point) else { return Err(Reason::NonFinite) };
        let distance = vector::norm_inf(&augmented.distances(&next_found.values));
        let before = state.distance.unwrap_or(f64::INFINITY);
        let size = vector::norm_inf(&at.point).max(1.0);
        let ran_away = solved.reason == Reason::Unbounded || distance > FAR * size.max(state.start_distance);
        if ran_away && state.penalty < LARGEST_PENALTY {
            // Where f falls faster than the penalty rises, a larger one may hold it.
            state.penalty *= self.growth;
            state.found = Some(found);
            return Ok(0.0);
        }
        let found = next_found;
        let multipliers = augmented.multipliers(&found.values);
        let length = at.move_to(next);
        self.judge(at, &found, state, &multipliers);
        state.distance = Some(distance);
        let still = is_short(length, &at.point);
        state.unchanged = if still { state.unchanged.saturating_add(1) } else { 0 };
        let given_up = state.penalty > LARGEST_PENALTY || state.unchanged > 3;
        if given_up || self.stationary_violation(problem, at, &found, state) {
            return self.restore(problem, at, &found, state).map(|more| length + more);
        }
        if self.estimates {
            state.estimates = multipliers;
        }
        // At the floor of rounding a larger penalty only costs accuracy.
        let exact = distance <= rounding::of::<T>(100.0, size);
        if !self.estimates || (distance > 0.25 * before && !exact) {
            state.penalty *= self.growth;
        }
        state.tolerance = (0.1 * state.tolerance).min(0.1 * state.norm).max(0.1 * wanted);
        state.found = Some(found);
        Ok(length)
    }

    fn finish(&self, state: &MultiplierState, outcome: &mut Outcome<T>) {
        outcome.multipliers = Some(state.multipliers.clone());
    }
}

impl<T: Float> AugmentedLagrangian<'_, T> {
    /// Completes multipliers and KKT residual from those of the constraints over their size.
    fn judge(&self, at: &Iterate<T>, found: &ConstraintsAt, state: &mut MultiplierState, scaled: &[f64]) {
        let y: Vec<f64> = scaled.iter().enumerate().map(|(i, y)| y / state.sizes.get(i)).collect();
        let reduced = reduced_gradient(&at.gradient, found, y.iter());
        let bounds = self.constraints.bounds();
        // A bound that a step along the gradient would meet has it for its multiplier.
        let multipliers = |bound: &[T], sign: f64| -> Vec<f64> {
            let one = |((g, x), bound): ((&f64, &T), &T)| {
                let (slope, room) = (sign * g, sign * (x.to_f64() - bound.to_f64()));
                if slope > 0.0 && room <= slope { slope } else { 0.0 }
            };
            reduced.iter().zip(&at.point).zip(bound).map(one).collect()
        };
        let (lower, upper) = (multipliers(bounds.lower(), 1.0), multipliers(bounds.upper(), -1.0));
        let equalities = self.constraints.equalities();
        state.multipliers = Multipliers {
            equalities: y[..equalities].to_vec(),
            inequalities: y[equalities..].to_vec(),
            lower,
            upper,
            ..Multipliers::default()
        };
        let tolerance = self.stopping.gradient_tolerance;
        state.norm = judge(self.constraints, &state.sizes, at, found, &mut state.multipliers, tolerance);
    }

    /// Whether the constraints are violated where the violation is stationary.
    fn stationary_violation(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        found: &ConstraintsAt,
        state: &MultiplierState,
    ) -> bool {
        let MultiplierState { sizes, multipliers, .. } = state;
        let constraints = self.constraints;
        let tested = sizes.tested(constraints, &found.values, multipliers.violation);
        tested > self.stopping.gradient_tolerance
            && Violation { constraints, sizes, problem }.is_stationary(&at.point, found, constraints.bounds())
    }

    /// Minimises the violation alone, and starts again from there.
    fn restore(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        found: &ConstraintsAt,
        state: &mut MultiplierState,
    ) -> Result<f64, Reason> {
        let MultiplierState { sizes, multipliers, norm, restorations, .. } = &*state;
        let constraints = self.constraints;
        let tested = sizes.tested(constraints, &found.values, multipliers.violation);
        if tested <= self.stopping.gradient_tolerance || *restorations > 4 {
            return Err(at.stuck(true, *norm));
        }
        let violation = Violation { constraints, sizes, problem };
        let (point, ended) = match violation.reduce(&at.point, constraints.bounds()) {
            Found::Better(point) => (point, None),
            Found::Least(point) => (point, Some(Reason::Infeasible)),
            Found::Nothing => return Err(at.stuck(true, *norm)),
        };
        let next = Iterate::at(problem, point);
        if !next.is_finite() {
            return Err(Reason::NonFinite);
        }
        let length = at.move_to(next);
        let found = constraints.at(&at.point);
        state.estimates.fill(0.0);
        state.penalty = state.penalty.min(1e-3 * LARGEST_PENALTY);
        (state.distance, state.unchanged, state.ended) = (None, 0, ended);
        state.restorations = state.restorations.saturating_add(1);
        self.judge(at, &found, state, &vec![0.0; found.values.len()]);
        state.tolerance = state.tolerance.max(0.1 * state.norm);
        state.found = Some(found);
        Ok(length)
    }
}
