//! Line searches: how far to go along a descent direction.
//!
//! Each works on the function φ(α) = f(x + α d) of one variable, a [`Line`], so they serve any element type and
//! can be tried alone:
//!
//! ```
//! use wengert_optim::search::{Line, LineSearch, MoreThuente, Start};
//!
//! struct Parabola;
//! impl Line for Parabola {
//!     fn value(&mut self, a: f64) -> f64 { (a - 3.0).powi(2) }
//!     fn value_and_slope(&mut self, a: f64) -> (f64, f64) { ((a - 3.0).powi(2), 2.0 * (a - 3.0)) }
//! }
//! let found = MoreThuente::default().search(&mut Parabola, Start::new(9.0, -6.0, 1.0)).unwrap();
//! assert!((found.step - 3.0).abs() < 2.7); // |φ'| ≤ 0.9 |φ'(0)|
//! ```
//!
//! A trial whose value is not finite is stepped back from. Where differences of f drown in rounding, the Wolfe
//! searches go by slopes alone (the approximate Wolfe conditions of Hager and Zhang, 2005).

mod armijo;
mod exact;
mod hager_zhang;
mod more_thuente;
mod ray;
mod strong_wolfe;
mod weak_wolfe;

pub use armijo::Armijo;
pub use exact::ExactQuadratic;
pub use hager_zhang::HagerZhang;
pub use more_thuente::MoreThuente;
pub use ray::Ray;
pub use strong_wolfe::StrongWolfe;
pub use weak_wolfe::WeakWolfe;

use super::error::MinimizeError;
use super::noise::Noise;
use crate::minimize::rounding;

/// φ(α) = f(x + α d).
///
/// ```
/// use wengert_optim::search::{Line, LineSearch, Start, StrongWolfe};
/// /// φ(α) = (α − 3)².
/// struct Parabola;
/// impl Line for Parabola {
///     fn value(&mut self, step: f64) -> f64 { (step - 3.0).powi(2) }
///     fn value_and_slope(&mut self, step: f64) -> (f64, f64) { (self.value(step), 2.0 * (step - 3.0)) }
/// }
/// let exactly = StrongWolfe { curvature: 0.01, ..StrongWolfe::default() };
/// let found = exactly.search(&mut Parabola, Start::new(9.0, -6.0, 1.0))?;
/// assert!((found.step - 3.0).abs() < 0.1);
/// # Ok::<(), wengert_optim::search::SearchFailure>(())
/// ```
pub trait Line {
    /// φ(α).
    fn value(&mut self, step: f64) -> f64;
    /// φ(α) and φ'(α).
    fn value_and_slope(&mut self, step: f64) -> (f64, f64);
    /// φ''(0) = dᵀ∇²f d, if known.
    fn curvature(&mut self) -> Option<f64> {
        None
    }
    /// The relative rounding error of a value.
    fn precision(&self) -> f64 {
        rounding::relative::<f64>(1.0)
    }
    /// The rounding of values near here beyond their [precision](Self::precision), as searches have found it so far.
    fn rounding(&self) -> f64 {
        0.0
    }
    /// Takes note of rounding that a search has found.
    fn note_rounding(&mut self, _rounding: f64) {}
    /// Whether this step leads far away, on the scale of the point that the line goes through: if not, a function that falls as
    /// far as this may well have a minimum, and it was the direction that was short. True if nothing is known of that scale.
    fn is_far(&self, _step: f64) -> bool {
        true
    }
    /// Whether evaluations are [refused](crate::Objective::exhausted), so that what is not finite says nothing of φ.
    fn exhausted(&self) -> bool {
        false
    }
}

/// Where a search starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// φ(0).
    pub value: f64,
    /// φ'(0), negative.
    pub slope: f64,
    /// The first trial.
    pub step: f64,
    /// The largest step allowed.
    pub max_step: f64,
}

impl Start {
    /// A start with no limit on the step.
    pub fn new(value: f64, slope: f64, step: f64) -> Self {
        Self { value, slope, step, max_step: f64::INFINITY }
    }

    /// Whether the search's settings make sense, φ' < 0, and so does the rest.
    fn check(&self, search: &dyn LineSearch) -> Result<(), SearchFailure> {
        search.validate().map_err(|_| SearchFailure::Settings)?;
        let sane = self.value.is_finite() && self.step > 0.0 && self.step.is_finite() && self.max_step > 0.0;
        if sane && self.slope < 0.0 && self.slope.is_finite() {
            Ok(())
        } else {
            Err(SearchFailure::NotDescent)
        }
    }

    /// φ(α) − φ(0) ≤ c α φ'(0).
    fn sufficient(&self, c: f64, trial: &Trial) -> bool {
        trial.change <= c * trial.step * self.slope
    }
}

/// A step that a search settled on.
///
/// ```
/// use wengert_optim::Problem;
/// use wengert_optim::search::{Found, LineSearch, Ray, Start, WeakWolfe};
/// let f = Problem::new(1, |x: &[f64]| x[0].abs()).with_gradient(|x, g| g[0] = x[0].signum());
/// let mut ray = Ray::new(&f, &[2.0], &[-1.0]);
/// let Found { step, value, satisfied } = WeakWolfe::default().search(&mut ray, Start::new(2.0, -1.0, 1.0))?;
/// assert!(satisfied && value < 2.0 && (value - (2.0 - step).abs()).abs() < 1e-15);
/// # Ok::<(), wengert_optim::search::SearchFailure>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// α.
    pub step: f64,
    /// φ(α).
    pub value: f64,
    /// Whether the conditions hold; if not, the value is lower than at the start, or as low to rounding, and no more could be had.
    pub satisfied: bool,
}

/// Why a search found nothing.
///
/// ```
/// use wengert_optim::Problem;
/// use wengert_optim::search::{Armijo, LineSearch, Ray, SearchFailure, Start};
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// // Uphill.
/// let mut ray = Ray::new(&f, &[1.0], &[2.0]);
/// let failure = Armijo::default().search(&mut ray, Start::new(1.0, 4.0, 1.0)).unwrap_err();
/// assert_eq!(failure, SearchFailure::NotDescent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchFailure {
    /// The slope at the start is not negative.
    #[error("not a descent direction")]
    NotDescent,
    /// No step however small has a finite value.
    #[error("no step has a finite value")]
    NonFinite,
    /// No step however small has a lower value.
    #[error("no step has a lower value")]
    NoProgress,
    /// φ falls without limit.
    #[error("the function falls without limit along the line")]
    Unbounded,
    /// The search needs φ''(0) > 0, and it is not known or not so.
    #[error("the curvature along the line is unknown or not positive")]
    Curvature,
    /// The budget of evaluations or of time is used up.
    #[error("the budget is used up")]
    Exhausted,
    /// The search has settings that mean nothing; see [`LineSearch::validate`].
    #[error("the settings of the search mean nothing")]
    Settings,
}

/// Ends a search whose steps have become too long, with φ still falling; `reached` is the lowest.
fn ran_away(line: &dyn Line, reached: &Trial) -> Result<Found, SearchFailure> {
    if line.is_far(reached.step) { Err(SearchFailure::Unbounded) } else { reached.or_no_progress() }
}

/// Ends a search at a value that is not finite because evaluations are refused, or because φ falls without limit.
fn undefined(line: &dyn Line, value: f64) -> Result<(), SearchFailure> {
    if value.is_finite() {
        Ok(())
    } else if value == f64::NEG_INFINITY {
        Err(SearchFailure::Unbounded)
    } else if line.exhausted() {
        Err(SearchFailure::Exhausted)
    } else {
        Ok(())
    }
}

/// Checks the conditions and the budget that all Wolfe searches have: sufficient decrease, curvature, trials.
fn validate_wolfe(decrease: f64, curvature: f64, max_trials: u32) -> Result<(), MinimizeError> {
    MinimizeError::require("decrease", decrease, "in (0, 1)", |d| d > 0.0 && d < 1.0)?;
    MinimizeError::require("curvature", curvature, "at least decrease and below 1", |c| {
        c >= decrease && c < 1.0
    })?;
    MinimizeError::at_least_one("max_trials", Some(max_trials.into()))
}

/// A line search.
///
/// ```
/// use wengert_optim::search::{Found, Line, LineSearch, SearchFailure, Start};
/// /// The first of ever shorter steps that is lower at all.
/// #[derive(Debug)]
/// struct Halving;
/// impl LineSearch for Halving {
///     fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
///         let steps = (0..50).map(|i| start.step * 0.5f64.powi(i));
///         let mut tried = steps.map(|step| (step, line.value(step)));
///         let (step, value) = tried.find(|(_, value)| *value < start.value).ok_or(SearchFailure::NoProgress)?;
///         Ok(Found { step, value, satisfied: true })
///     }
/// }
/// use wengert_optim::Problem;
/// use wengert_optim::search::Ray;
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// let found = Halving.search(&mut Ray::new(&f, &[1.0], &[-2.0]), Start::new(1.0, -4.0, 1.0))?;
/// assert_eq!((found.step, found.value), (0.5, 0.0));
/// # Ok::<(), SearchFailure>(())
/// ```
pub trait LineSearch: std::fmt::Debug + Send + Sync {
    /// Refuses settings that mean nothing.
    ///
    /// # Errors
    /// [`MinimizeError::InvalidSetting`] with the name of the setting.
    fn validate(&self) -> Result<(), MinimizeError> {
        Ok(())
    }

    /// Finds a step along `line`.
    ///
    /// # Errors
    /// If no step has a lower value than the start, or the settings mean nothing.
    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure>;
}

/// One evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trial {
    step: f64,
    /// φ(α).
    value: f64,
    /// φ(α) − φ(0), as far as [`Samples`] can tell.
    change: f64,
    slope: f64,
}

impl Trial {
    fn origin(start: &Start) -> Self {
        Self { step: 0.0, value: start.value, change: 0.0, slope: start.slope }
    }

    fn found(&self, satisfied: bool) -> Found {
        Found { step: self.step, value: self.value, satisfied }
    }

    /// The result of a search that ends without its conditions: this best trial, if it is any good.
    fn or_no_progress(&self) -> Result<Found, SearchFailure> {
        if self.step > 0.0 && self.change < 0.0 {
            Ok(self.found(false))
        } else {
            Err(SearchFailure::NoProgress)
        }
    }
}

/// The evaluations of a search.
struct Samples<'a> {
    line: &'a mut dyn Line,
    start: Start,
    /// The least step known not to have a finite value.
    ceiling: f64,
    noise: Noise,
}

impl<'a> Samples<'a> {
    fn new(line: &'a mut dyn Line, start: Start) -> Self {
        let noise = Noise::new(line.precision(), start.value).at_least(line.rounding());
        Self { line, start, ceiling: f64::INFINITY, noise }
    }

    /// Evaluates at `step`, or, where that is not finite, ever closer to `good`, a step known to be finite.
    fn trial(&mut self, mut step: f64, good: f64) -> Result<Trial, SearchFailure> {
        for _ in 0..60 {
            let (value, slope) = self.line.value_and_slope(step);
            if value.is_finite() && slope.is_finite() {
                let ends = (step * self.start.slope, step * slope);
                let level = self.noise.level();
                let change = self.noise.change(step, value - self.start.value, ends);
                if self.noise.level() > level {
                    self.line.note_rounding(self.noise.level());
                }
                return Ok(Trial { step, value, change, slope });
            }
            undefined(self.line, value)?;
            self.ceiling = self.ceiling.min(step);
            step = good + 0.2 * (step - good);
        }
        Err(SearchFailure::NonFinite)
    }
}

/// Whether `trial`, of sufficient decrease and still falling, is far enough along a line that is undefined from `edge` on:
/// all but a hundredth of the way. Creeping up to the edge for a flatter slope would leave the next step no room.
fn near_edge(trial: &Trial, edge: f64) -> bool {
    trial.step >= 0.99 * edge
}

/// The minimiser of the cubic with the values and slopes of `a` and `b`; NaN if it has none.
fn cubic_minimum(a: &Trial, b: &Trial) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.change - b.change) / (a.step - b.step);
    let scale = d1.abs().max(a.slope.abs()).max(b.slope.abs());
    let d2 = scale * ((d1 / scale).powi(2) - (a.slope / scale) * (b.slope / scale)).sqrt();
    let d2 = if b.step >= a.step { d2 } else { -d2 };
    b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2))
}

#[cfg(test)]
mod tests;
