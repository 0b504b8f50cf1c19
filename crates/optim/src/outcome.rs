//! What a method returns.

use serde::{Deserialize, Serialize};

use crate::objective::Counts;
use crate::second::LeastCurvature;
use crate::vector::{self, Float};

/// Why a method stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// The gradient (or KKT) test holds at the returned point.
    Converged,
    /// The value asked for was reached.
    TargetReached,
    /// The iterations are used up.
    MaxIterations,
    /// The evaluations or products are used up.
    MaxEvaluations,
    /// The time is used up.
    TimeLimit,
    /// The callback stopped it.
    Callback,
    /// What the next step could gain is below the rounding of the values, or the step below that of the point: the point
    /// is as good as the working precision lets the method tell.
    PrecisionLimit,
    /// No step lowers the value as the gradient promises, and rounding does not explain it: derivatives that are wrong, or a
    /// function with kinks or jumps.
    NoProgress,
    /// The value falls without limit.
    Unbounded,
    /// The objective gives infinity or NaN wherever the method turns.
    NonFinite,
    /// The constraints could not be satisfied: the point is one of locally least violation.
    Infeasible,
    /// A preconditioner is not positive definite.
    IndefinitePreconditioner,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Converged => "converged",
            Self::TargetReached => "target value reached",
            Self::MaxIterations => "iteration budget used up",
            Self::MaxEvaluations => "evaluation budget used up",
            Self::TimeLimit => "time used up",
            Self::Callback => "stopped by the callback",
            Self::PrecisionLimit => "limit of precision: what is left to gain is below rounding",
            Self::NoProgress => "no progress: no step lowers the value as its gradient promises",
            Self::Unbounded => "unbounded below",
            Self::NonFinite => "non-finite values in every direction",
            Self::Infeasible => "infeasible constraints",
            Self::IndefinitePreconditioner => "preconditioner not positive definite",
        })
    }
}

impl Reason {
    /// Why a method that has no further step stopped: whether a trial had a finite value, and whether what the first promised
    /// was below [rounding](crate::search).
    pub(crate) fn stuck(finite: bool, drowned: bool) -> Self {
        match (finite, drowned) {
            (false, _) => Self::NonFinite,
            (true, true) => Self::PrecisionLimit,
            (true, false) => Self::NoProgress,
        }
    }
}

/// One line of a [trace](Outcome::trace).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Iterations so far.
    pub iteration: u64,
    /// f at the iterate.
    pub value: f64,
    /// The norm that the convergence test looks at.
    pub gradient_norm: f64,
    /// The length ‖xₖ − xₖ₋₁‖₂ of the step that led here (0 at the start).
    pub step: f64,
    /// Evaluations so far.
    pub counts: Counts,
    /// Seconds so far.
    pub seconds: f64,
}

/// Lagrange multipliers at a solution; see [`crate::constrained`] for their signs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Multipliers {
    /// One for every equality constraint.
    pub equalities: Vec<f64>,
    /// One for every inequality constraint, at least 0.
    pub inequalities: Vec<f64>,
    /// One for every lower bound, at least 0.
    pub lower: Vec<f64>,
    /// One for every upper bound, at least 0.
    pub upper: Vec<f64>,
    /// The largest violation of a constraint.
    pub violation: f64,
    /// The residual of the KKT conditions: of stationarity, feasibility and complementarity the largest element.
    pub kkt_residual: f64,
}

/// The result of a minimisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<T> {
    /// The best point found.
    pub point: Vec<T>,
    /// f there.
    pub value: f64,
    /// ∇f there.
    pub gradient: Vec<T>,
    /// The norm there that the convergence test looks at.
    pub gradient_norm: f64,
    /// What the norm had to fall to.
    pub tolerance: f64,
    /// Why the method stopped.
    pub reason: Reason,
    /// Iterations made.
    pub iterations: u64,
    /// Evaluations made.
    pub counts: Counts,
    /// Seconds taken.
    pub seconds: f64,
    /// One record for the start and for every iteration.
    pub trace: Vec<Record>,
    /// Multipliers, from methods for constrained problems.
    pub multipliers: Option<Multipliers>,
    /// The least curvature that was found at the point before convergence was claimed, from methods with second derivatives
    /// (see [`CurvatureProbe`](crate::CurvatureProbe)).
    pub curvature: Option<LeastCurvature>,
}

impl<T> Outcome<T> {
    /// Whether the gradient (or KKT) test holds at the returned point.
    pub fn converged(&self) -> bool {
        self.reason == Reason::Converged
    }
}

impl<T> std::fmt::Display for Outcome<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let relation = if self.gradient_norm <= self.tolerance { "<=" } else { ">" };
        write!(
            f,
            "{}: |g| {:.1e} {relation} {:e}; {} iterations, {}",
            self.reason, self.gradient_norm, self.tolerance, self.iterations, self.counts
        )
    }
}

/// Why a minimisation could not start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MinimizeError {
    /// The problem has no variables.
    #[error("the problem has no variables")]
    ZeroDimension,
    /// A vector of the wrong length.
    #[error("{what} has {found} elements, the problem has {expected}")]
    WrongLength {
        /// Which vector.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// The start has an infinite or NaN element.
    #[error("element {index} of the start is {value}")]
    NonFiniteStart {
        /// Which element.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The objective, or its gradient, is infinite or NaN at the start.
    #[error("the objective or its gradient is not finite at the start (f = {value})")]
    UndefinedAtStart {
        /// f at the start.
        value: f64,
    },
    /// A lower bound above the upper, or NaN.
    #[error("bounds of variable {index} are inconsistent: [{lower}, {upper}]")]
    InconsistentBounds {
        /// Which variable.
        index: usize,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// The method needs something that the objective does not give.
    #[error("{method} needs {what}, which this objective does not give")]
    Missing {
        /// The method.
        method: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// A setting outside its range.
    #[error("{name} = {value} must be {requirement}")]
    InvalidSetting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// A setting that has no effect beside another.
    #[error("{method} does not take {what}")]
    NotTaken {
        /// The method.
        method: &'static str,
        /// What it was given.
        what: &'static str,
    },
    /// A checkpoint that no run of this method on this objective can have written.
    #[error("the checkpoint's {field} is {found}, but must be {expected}")]
    Checkpoint {
        /// The field at fault.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
}

impl MinimizeError {
    /// An [`InvalidSetting`](Self::InvalidSetting) unless `holds(value)`.
    pub(crate) fn require(
        name: &'static str,
        value: f64,
        requirement: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<(), Self> {
        if holds(value) { Ok(()) } else { Err(Self::InvalidSetting { name, value, requirement }) }
    }

    /// An [`InvalidSetting`](Self::InvalidSetting) for a number of 0, if there is one.
    pub(crate) fn at_least_one(name: &'static str, number: Option<u64>) -> Result<(), Self> {
        Self::require(name, number.map_or(1.0, |n| n as f64), "at least 1", |n| n >= 1.0)
    }

    /// A [`WrongLength`](Self::WrongLength) unless the lengths agree.
    pub(crate) fn length(what: &'static str, found: usize, expected: usize) -> Result<(), Self> {
        if found == expected { Ok(()) } else { Err(Self::WrongLength { what, expected, found }) }
    }

    /// Checks a start of a problem of `dimension` variables.
    pub(crate) fn start<T: Float>(start: &[T], dimension: usize) -> Result<(), Self> {
        if dimension == 0 {
            return Err(Self::ZeroDimension);
        }
        Self::length("the start", start.len(), dimension)?;
        match vector::all_finite(start) {
            true => Ok(()),
            false => {
                let index = start.iter().position(|x| !x.is_finite()).unwrap_or(0);
                Err(Self::NonFiniteStart { index, value: start[index].to_f64() })
            }
        }
    }
}
