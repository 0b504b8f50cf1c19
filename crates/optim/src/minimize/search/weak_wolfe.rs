use serde::{Deserialize, Serialize};

use super::{
    Found, Line, LineSearch, Samples, SearchFailure, Start, Trial, near_edge, ran_away, validate_wolfe,
};
use crate::minimize::error::MinimizeError;

/// The weak Wolfe conditions, φ(α) ≤ φ(0) + c₁ α φ'(0) and φ'(α) ≥ c₂ φ'(0), by doubling and bisection (Lewis
/// and Overton, 2013): robust, also where f has kinks.
///
/// ```
/// use wengert_optim::search::WeakWolfe;
/// use wengert_optim::{Bfgs, Method, Problem};
/// // A kink at the minimum of the first variable.
/// let f = Problem::new(2, |x: &[f64]| x[0].abs() + x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = x[0].signum(); g[1] = 2.0 * x[1]; });
/// let method = Bfgs::default().with_search(WeakWolfe::default());
/// assert!(method.minimize(&f, &[3.0, 2.0])?.value < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeakWolfe {
    /// c₁; 1e-4.
    pub decrease: f64,
    /// c₂ in (c₁, 1); 0.9.
    pub curvature: f64,
    /// Trials allowed; 60.
    pub max_trials: u32,
}

impl Default for WeakWolfe {
    fn default() -> Self {
        Self { decrease: 1e-4, curvature: 0.9, max_trials: 60 }
    }
}

impl LineSearch for WeakWolfe {
    fn validate(&self) -> Result<(), MinimizeError> {
        validate_wolfe(self.decrease, self.curvature, self.max_trials)
    }

    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
        start.check(self)?;
        let mut low = Trial::origin(&start);
        let mut high = f64::INFINITY;
        let mut samples = Samples::new(line, start);
        let mut step = start.step.min(start.max_step);
        for _ in 0..self.max_trials {
            let trial = samples.trial(step, low.step)?;
            high = high.min(samples.ceiling);
            if !start.sufficient(self.decrease, &trial) {
                high = trial.step;
            } else if trial.slope < self.curvature * start.slope {
                low = trial;
                if low.step >= start.max_step || near_edge(&low, samples.ceiling) {
                    return Ok(low.found(false));
                }
            } else {
                return Ok(trial.found(true));
            }
            step =
                if high.is_finite() { 0.5 * (low.step + high) } else { (2.0 * low.step).min(start.max_step) };
            if !step.is_finite() {
                return ran_away(samples.line, &low);
            }
        }
        low.or_no_progress()
    }
}
