//! Penalty and augmented Lagrangian methods.

use serde::{Deserialize, Serialize};

use super::lbfgs_b::LbfgsB;
use super::problem::Constraints;
use crate::objective::{Counted, Objective};
use crate::outcome::{MinimizeError, Multipliers, Outcome, Reason};
use crate::second::{Field, Iterate, Method};
use crate::stopping::Stopping;
use crate::vector::{self, Float};

/// The augmented Lagrangian method (Hestenes and Powell, 1969; Birgin and Martínez, 2014): L-BFGS-B on
/// f + Σ ½ρ (c_E − y/ρ)² + Σ ½ρ max(0, λ/ρ − c_I)², with y and λ estimated from one minimisation to the next. First derivatives
/// only.
///
/// An iteration is one such minimisation; the norm is the [KKT residual](Multipliers::kkt_residual).
pub struct AugmentedLagrangian<'c, T> {
    /// The constraints.
    pub constraints: &'c Constraints<'c, T>,
    /// The factor on ρ where the violation does not fall to a quarter; 10.
    pub growth: f64,
    /// The first ρ; `None`, the default, balances f and the violation at the start.
    pub initial_penalty: Option<f64>,
    /// When to stop.
    pub stopping: Stopping,
}

/// The quadratic penalty method: as [`AugmentedLagrangian`] with multipliers of zero and ρ ever larger. Slower and
/// less exact; for comparison, and for problems whose multipliers do not exist.
pub struct QuadraticPenalty<'c, T> {
    /// The constraints.
    pub constraints: &'c Constraints<'c, T>,
    /// The factor on ρ after every minimisation; 10.
    pub growth: f64,
    /// The first ρ; `None`, the default, balances f and the violation at the start.
    pub initial_penalty: Option<f64>,
    /// When to stop.
    pub stopping: Stopping,
}

impl<'c, T: Float> AugmentedLagrangian<'c, T> {
    /// With default settings, but at most 100 minimisations.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        let stopping = Stopping { max_iterations: 100, ..Stopping::default() };
        Self { constraints, growth: 10.0, initial_penalty: None, stopping }
    }
}

impl<'c, T: Float> QuadraticPenalty<'c, T> {
    /// With default settings, but at most 100 minimisations.
    pub fn new(constraints: &'c Constraints<'c, T>) -> Self {
        let stopping = Stopping { max_iterations: 100, ..Stopping::default() };
        Self { constraints, growth: 10.0, initial_penalty: None, stopping }
    }
}

/// What [`AugmentedLagrangian`] and [`QuadraticPenalty`] remember.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MultiplierState {
    penalty: f64,
    /// What the minimised function has.
    estimates: Vec<f64>,
    multipliers: Multipliers,
    /// The tolerance of the next minimisation.
    tolerance: f64,
    /// After the last minimisation.
    violation: Option<f64>,
    unchanged: u32,
}

/// f plus the terms for the constraints.
struct Augmented<'a, T: Float> {
    objective: &'a dyn Objective<T>,
    constraints: &'a Constraints<'a, T>,
    penalty: f64,
    estimates: &'a [f64],
}

impl<T: Float> Augmented<'_, T> {
    /// The penalty term and, for each constraint, the factor on its gradient.
    fn terms(&self, x: &[T]) -> (f64, Vec<f64>) {
        let mut value = 0.0;
        let equalities = self.constraints.equalities();
        let terms = self.constraints.values(x).into_iter().zip(self.estimates).enumerate();
        let factors = terms.map(|(i, (c, estimate))| {
            let mut shifted = c - estimate / self.penalty;
            if i >= equalities {
                shifted = shifted.min(0.0);
            }
            value += 0.5 * self.penalty * shifted * shifted;
            self.penalty * shifted
        });
        let factors = factors.collect();
        (value, factors)
    }
}

impl<T: Float> Objective<T> for Augmented<'_, T> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }
    fn value(&self, x: &[T]) -> f64 {
        self.objective.value(x) + self.terms(x).0
    }
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let value = self.objective.value_and_gradient(x, gradient);
        let (penalty, factors) = self.terms(x);
        for (factor, g) in factors.iter().zip(self.constraints.gradients(x)) {
            vector::axpy(*factor, &g, gradient);
        }
        value + penalty
    }
    fn exhausted(&self) -> bool {
        self.objective.exhausted()
    }
}

/// What both methods share.
struct Common<'a, T> {
    constraints: &'a Constraints<'a, T>,
    growth: f64,
    initial_penalty: Option<f64>,
    stopping: &'a Stopping,
    /// Whether multipliers are estimated.
    estimate: bool,
}

impl<T: Float> Common<'_, T> {
    fn check(&self, state: &MultiplierState, dimension: usize) -> Result<(), MinimizeError> {
        self.constraints.check(dimension)?;
        let (equalities, inequalities) = (self.constraints.equalities(), self.constraints.inequalities());
        let MultiplierState { penalty, estimates, multipliers, tolerance, violation, unchanged: _ } = state;
        Field("penalty").positive(*penalty)?;
        Field("tolerance").non_negative(*tolerance)?;
        Field("violation").non_negative(violation.unwrap_or(0.0))?;
        Field("estimates").vector(estimates, equalities + inequalities)?;
        Field("multipliers.equalities").vector(&multipliers.equalities, equalities)?;
        Field("multipliers.inequalities").vector(&multipliers.inequalities, inequalities)?;
        Field("multipliers.lower").vector(&multipliers.lower, dimension)?;
        Field("multipliers.upper").vector(&multipliers.upper, dimension)?;
        Field("multipliers.violation").non_negative(multipliers.violation)?;
        Field("multipliers.kkt_residual").non_negative(multipliers.kkt_residual)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<MultiplierState, MinimizeError> {
        self.constraints.check(at.point.len())?;
        MinimizeError::require("growth", self.growth, "above 1", |g| g > 1.0 && g.is_finite())?;
        if let Some(penalty) = self.initial_penalty {
            MinimizeError::require("initial_penalty", penalty, "positive", |p| p > 0.0 && p.is_finite())?;
        }
        let before = at.point.clone();
        self.constraints.bounds().project(&mut at.point);
        if at.point != before {
            *at = Iterate::at(problem, std::mem::take(&mut at.point));
        }
        let values = self.constraints.values(&at.point);
        let mut state = MultiplierState {
            penalty: 1.0,
            estimates: vec![0.0; values.len()],
            multipliers: Multipliers::default(),
            tolerance: f64::INFINITY,
            violation: None,
            unchanged: 0,
        };
        let violated = self.constraints.violation(&at.point);
        // ½ρ‖c‖² of the order of |f| (or of a step of length 1 along the gradient).
        let size = at.value.abs().max(vector::norm(&at.gradient));
        let balanced = if size > 0.0 { 10.0 * size / violated.powi(2).max(1.0) } else { 10.0 };
        state.penalty = self.initial_penalty.unwrap_or(balanced);
        self.judge(at, &mut state, &vec![0.0; values.len()]);
        state.tolerance = 0.1 * state.multipliers.kkt_residual;
        Ok(state)
    }

    /// Computes the KKT residual with `multipliers` for the constraints.
    fn judge(&self, at: &Iterate<T>, state: &mut MultiplierState, multipliers: &[f64]) {
        let mut gradient = at.gradient.clone();
        for (m, g) in multipliers.iter().zip(self.constraints.gradients(&at.point)) {
            vector::axpy(-m, &g, &mut gradient);
        }
        let equalities = self.constraints.equalities();
        let bounds = self.constraints.bounds();
        let stationarity = bounds.projected_norm(&at.point, &gradient);
        let values = self.constraints.values(&at.point);
        // Complementarity as min(c, λ): 0 where one vanishes and the other is not negative.
        let complementarity = values
            .iter()
            .zip(multipliers)
            .skip(equalities)
            .fold(0.0f64, |worst, (c, m)| worst.max(c.min(*m).abs()));
        let violation = self.constraints.violation(&at.point);
        let at_bound =
            |bound: &[T]| -> Vec<bool> { at.point.iter().zip(bound).map(|(x, b)| x == b).collect() };
        let part = |active: Vec<bool>, sign: f64| -> Vec<f64> {
            let one = |(g, active): (&T, bool)| if active { (sign * g.to_f64()).max(0.0) } else { 0.0 };
            gradient.iter().zip(active).map(one).collect()
        };
        state.multipliers = Multipliers {
            equalities: multipliers[..equalities].to_vec(),
            inequalities: multipliers[equalities..].to_vec(),
            lower: part(at_bound(bounds.lower()), 1.0),
            upper: part(at_bound(bounds.upper()), -1.0),
            violation,
            kkt_residual: stationarity.max(violation).max(complementarity),
        };
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut MultiplierState,
    ) -> Result<f64, Reason> {
        let wanted = self.stopping.gradient_tolerance;
        let augmented = Augmented {
            objective: problem,
            constraints: self.constraints,
            penalty: state.penalty,
            estimates: &state.estimates,
        };
        let mut inner = LbfgsB::new(self.constraints.bounds().clone());
        inner.stopping = Stopping::gradient(state.tolerance.max(0.1 * wanted));
        inner.stopping.max_iterations = 1000;
        let solved = inner.minimize(&augmented, &at.point).map_err(|_| Reason::NonFinite)?;
        let (_, factors) = augmented.terms(&solved.point);
        let multipliers: Vec<f64> = factors.iter().map(|f| -f).collect();
        let mut step = solved.point.clone();
        vector::axpy(-1.0, &at.point, &mut step);
        let next = Iterate::at(problem, solved.point);
        if !next.is_finite() {
            return Err(Reason::NonFinite);
        }
        *at = next;
        self.judge(at, state, &multipliers);
        let violation = state.multipliers.violation;
        let before = state.violation.replace(violation).unwrap_or(f64::INFINITY);
        let length = vector::norm(&step);
        state.unchanged = if length <= T::EPSILON.to_f64() * vector::norm(&at.point) {
            state.unchanged.saturating_add(1)
        } else {
            0
        };
        if state.penalty > 1e15 || state.unchanged > 3 {
            let stuck = at.stuck(true, state.multipliers.kkt_residual);
            return Err(if violation > 1e3 * wanted { Reason::Infeasible } else { stuck });
        }
        if self.estimate {
            state.estimates = multipliers;
        }
        if !self.estimate || violation > 0.25 * before {
            state.penalty *= self.growth;
        }
        state.tolerance = (0.1 * state.tolerance).min(0.1 * state.multipliers.kkt_residual).max(0.1 * wanted);
        Ok(length)
    }
}

macro_rules! method {
    ($name:ident, $estimate:literal) => {
        impl<'c, T: Float> $name<'c, T> {
            fn common(&self) -> Common<'_, T> {
                let Self { constraints, growth, initial_penalty, stopping } = self;
                Common {
                    constraints,
                    growth: *growth,
                    initial_penalty: *initial_penalty,
                    stopping,
                    estimate: $estimate,
                }
            }
        }

        impl<T: Float> Method<T> for $name<'_, T> {
            type State = MultiplierState;
            // A lower value may only be less feasible.
            const KEEPS_BEST: bool = false;

            fn stopping(&self) -> &Stopping {
                &self.stopping
            }
            fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
                self.common().check(state, dimension)
            }
            fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
                self.constraints.check(start.len())?;
                self.constraints.bounds().project(start);
                Ok(())
            }
            fn begin(
                &self,
                problem: &Counted<'_, T>,
                at: &mut Iterate<T>,
            ) -> Result<Self::State, MinimizeError> {
                self.common().begin(problem, at)
            }
            fn advance(
                &self,
                problem: &Counted<'_, T>,
                at: &mut Iterate<T>,
                state: &mut Self::State,
            ) -> Result<f64, Reason> {
                self.common().advance(problem, at, state)
            }
            fn optimality(&self, _: &Iterate<T>, state: &Self::State) -> f64 {
                state.multipliers.kkt_residual
            }
            fn finish(&self, state: &Self::State, outcome: &mut Outcome<T>) {
                outcome.multipliers = Some(state.multipliers.clone());
            }
        }
    };
}
method!(AugmentedLagrangian, true);
method!(QuadraticPenalty, false);
