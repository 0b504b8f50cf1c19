//! What a method returns.

use serde::{Deserialize, Serialize};

use super::objective::Counts;
use super::probe::LeastCurvature;

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
    /// function with kinks or jumps, or one that is not defined beyond a wall which the point has come up to.
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
    /// was below [rounding](crate::minimize::search).
    pub(crate) fn stuck(finite: bool, drowned: bool) -> Self {
        match (finite, drowned) {
            (false, _) => Self::NonFinite,
            (true, true) => Self::PrecisionLimit,
            (true, false) => Self::NoProgress,
        }
    }
}

/// One line of a [trace](Outcome::trace).
///
/// ```
/// use wengert_optim::{Lbfgs, Method, Problem, Record};
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// let outcome = Lbfgs::default().minimize(&f, &[3.0])?;
/// let first: &Record = &outcome.trace[0];
/// assert_eq!((first.iteration, first.value, first.gradient_norm), (0, 9.0, 6.0));
/// assert!(outcome.trace.iter().skip(1).all(|record| record.step > 0.0));
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
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

/// Lagrange multipliers at a solution; see [`crate::minimize::constrained`] for their signs.
///
/// ```
/// use wengert_optim::constrained::{Bounds, Constraints, InteriorPoint};
/// use wengert_optim::{Method, Multipliers, Problem};
/// // The point of x ≥ 1 that is nearest to 0: the bound holds it with the force x.
/// let f = Problem::new(1, |x: &[f64]| 0.5 * x[0] * x[0]).with_gradient(|x, g| g[0] = x[0]).with_hvp(|_, v, out| out[0] = v[0]);
/// let constraints = Constraints::new(1).with_bounds(Bounds::new(vec![1.0], vec![f64::INFINITY])?);
/// let outcome = InteriorPoint::new(&constraints).minimize(&f, &[2.0])?;
/// let Multipliers { lower, violation, .. } = outcome.multipliers.unwrap();
/// assert!((lower[0] - 1.0).abs() < 1e-6 && violation < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
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
///
/// ```
/// use wengert_optim::{Lbfgs, Method, Outcome, Problem, Reason};
/// let f = Problem::new(1, |x: &[f64]| (x[0] - 3.0).powi(2)).with_gradient(|x, g| g[0] = 2.0 * (x[0] - 3.0));
/// let outcome: Outcome<f64> = Lbfgs::default().minimize(&f, &[0.0])?;
/// assert_eq!(outcome.reason, Reason::Converged);
/// assert!((outcome.point[0] - 3.0).abs() < 1e-6 && outcome.gradient_norm <= outcome.tolerance);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
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
    /// (see [`CurvatureProbe`](crate::minimize::CurvatureProbe)).
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
