//! When to stop.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::MinimizeError;
use super::objective::{Counts, Limits};
use super::outcome::Reason;

/// When a method stops: the test of convergence and the budgets. The same for every method.
///
/// ```
/// use wengert_optim::Stopping;
///
/// let stopping = Stopping { gradient_tolerance: 1e-8, max_seconds: Some(60.0), ..Stopping::default() };
/// assert_eq!(stopping.max_iterations, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// Converged when the largest absolute element of the gradient (of the projected or generalised gradient where there
    /// are bounds or an L1 term, of the KKT residual where there are constraints) is at most this; 1e-6.
    pub gradient_tolerance: f64,
    /// Converged also when it is at most this fraction of its value at the start; 0, which is never.
    pub relative_tolerance: f64,
    /// Iterations allowed; 10 000.
    pub max_iterations: u64,
    /// Evaluations of f allowed, to the letter: an iteration that would need more is given up. Unlimited.
    pub max_evaluations: Option<u64>,
    /// Curvature products allowed, likewise; a dense matrix or a diagonal of n variables counts as n. Unlimited.
    pub max_products: Option<u64>,
    /// Seconds allowed; checked before every evaluation, product and factorisation, so that a run ends within one of them.
    /// The evaluation at the start is always made. Unlimited.
    pub max_seconds: Option<f64>,
    /// Stops at the first point whose value is at most this. None.
    pub target_value: Option<f64>,
}

impl Default for Stopping {
    fn default() -> Self {
        Self {
            gradient_tolerance: 1e-6,
            relative_tolerance: 0.0,
            max_iterations: 10_000,
            max_evaluations: None,
            max_products: None,
            max_seconds: None,
            target_value: None,
        }
    }
}

impl Stopping {
    /// The default with another [`gradient_tolerance`](Self::gradient_tolerance).
    pub fn gradient(tolerance: f64) -> Self {
        Self { gradient_tolerance: tolerance, ..Self::default() }
    }

    /// Refuses tolerances, budgets and targets that mean nothing.
    pub(crate) fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require(
            "gradient_tolerance",
            self.gradient_tolerance,
            "finite and at least 0",
            |v| v >= 0.0 && v.is_finite(),
        )?;
        MinimizeError::require("relative_tolerance", self.relative_tolerance, "in [0, 1)", |v| {
            (0.0..1.0).contains(&v)
        })?;
        MinimizeError::at_least_one("max_evaluations", self.max_evaluations)?;
        MinimizeError::at_least_one("max_products", self.max_products)?;
        MinimizeError::require("max_seconds", self.max_seconds.unwrap_or(0.0), "at least 0", |v| v >= 0.0)?;
        MinimizeError::require("target_value", self.target_value.unwrap_or(0.0), "finite", f64::is_finite)
    }

    /// The norm at or below which a run that began with `initial_norm` has converged.
    pub(crate) fn tolerance(&self, initial_norm: f64) -> f64 {
        self.gradient_tolerance.max(self.relative_tolerance * initial_norm)
    }

    /// Up to where a run, with this much time left on its clock, is granted evaluations.
    pub(crate) fn limits(&self, clock: Instant, earlier: f64) -> Limits {
        let left = self.max_seconds.map(|max| Duration::try_from_secs_f64((max - earlier).max(0.0)));
        Limits {
            values: self.max_evaluations.unwrap_or(u64::MAX),
            products: self.max_products.unwrap_or(u64::MAX),
            // More seconds than a clock holds are no limit.
            deadline: left.and_then(|left| clock.checked_add(left.ok()?)),
        }
    }

    /// Up to where what a method needs at its start is granted: time and values are not refused there.
    pub(crate) fn first_limits(&self) -> Limits {
        Limits { products: self.max_products.unwrap_or(u64::MAX), ..Limits::NONE }
    }

    /// The budget that is used up, if one is.
    pub(crate) fn exhausted(&self, iterations: u64, counts: Counts, seconds: f64) -> Option<Reason> {
        if iterations >= self.max_iterations {
            Some(Reason::MaxIterations)
        } else if self.max_evaluations.is_some_and(|max| counts.values >= max)
            || self.max_products.is_some_and(|max| counts.products >= max)
        {
            Some(Reason::MaxEvaluations)
        } else if self.max_seconds.is_some_and(|max| seconds >= max) {
            Some(Reason::TimeLimit)
        } else {
            None
        }
    }
}
