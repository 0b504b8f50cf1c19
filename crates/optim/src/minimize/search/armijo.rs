use serde::{Deserialize, Serialize};

use super::{Found, Line, LineSearch, SearchFailure, Start, undefined};
use crate::minimize::error::MinimizeError;
use crate::minimize::noise::Noise;

/// Backtracking to sufficient decrease, φ(α) ≤ φ(0) + c α φ'(0) (Armijo, 1966), by safeguarded quadratic
/// interpolation. Values only.
///
/// ```
/// use wengert_optim::Problem;
/// use wengert_optim::search::{Armijo, LineSearch, Ray, Start};
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// // From 1 along −2 a step of 1 would end as high on the other side.
/// let mut ray = Ray::new(&f, &[1.0], &[-2.0]);
/// let found = Armijo::default().search(&mut ray, Start::new(1.0, -4.0, 1.0))?;
/// assert!(found.satisfied && (found.step - 0.5).abs() < 1e-12);
/// # Ok::<(), wengert_optim::search::SearchFailure>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Armijo {
    /// c in (0, 1); 1e-4.
    pub decrease: f64,
    /// The least and the largest fraction of a failed step to try next; 0.1 and 0.5.
    pub shrink: (f64, f64),
    /// Trials allowed; 60.
    pub max_trials: u32,
}

impl Default for Armijo {
    fn default() -> Self {
        Self { decrease: 1e-4, shrink: (0.1, 0.5), max_trials: 60 }
    }
}

impl LineSearch for Armijo {
    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("decrease", self.decrease, "in (0, 1)", |d| d > 0.0 && d < 1.0)?;
        let (least, most) = self.shrink;
        MinimizeError::require("shrink", least, "above 0 and at most the other", |s| s > 0.0 && s <= most)?;
        MinimizeError::require("shrink", most, "below 1", |s| s < 1.0)?;
        MinimizeError::at_least_one("max_trials", Some(self.max_trials.into()))
    }

    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
        start.check(self)?;
        let mut step = start.step.min(start.max_step);
        let mut seen_finite = false;
        let noise = Noise::new(line.precision(), start.value).at_least(line.rounding());
        for _ in 0..self.max_trials {
            let value = line.value(step);
            undefined(line, value)?;
            let wanted = self.decrease * step * start.slope;
            if value <= start.value + wanted {
                return Ok(Found { step, value, satisfied: true });
            }
            // A decrease below the rounding of φ cannot be seen.
            if value.is_finite() && noise.drowns(value - start.value, step * start.slope) {
                return Ok(Found { step, value, satisfied: false });
            }
            let fraction = if value.is_finite() {
                seen_finite = true;
                // The parabola through φ(0), φ'(0) and φ(α) has its minimum at this fraction of α.
                -start.slope * step / (2.0 * (value - start.value - start.slope * step))
            } else {
                self.shrink.0
            };
            // 0/0 where the step is too short to change anything.
            let fraction = if fraction.is_nan() { self.shrink.0 } else { fraction };
            step *= fraction.clamp(self.shrink.0, self.shrink.1);
        }
        Err(if seen_finite { SearchFailure::NoProgress } else { SearchFailure::NonFinite })
    }
}
