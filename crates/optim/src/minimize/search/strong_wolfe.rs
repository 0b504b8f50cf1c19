use crate::minimize::rounding;
use serde::{Deserialize, Serialize};

use super::{
    Found, Line, LineSearch, Samples, SearchFailure, Start, Trial, cubic_minimum, near_edge, ran_away,
    validate_wolfe,
};
use crate::minimize::error::MinimizeError;

/// The strong Wolfe conditions, φ(α) ≤ φ(0) + c₁ α φ'(0) and |φ'(α)| ≤ c₂ |φ'(0)|, by bracketing and zooming
/// with cubic interpolation (Nocedal and Wright, *Numerical Optimization*, algorithms 3.5 and 3.6).
///
/// ```
/// use wengert_optim::search::StrongWolfe;
/// use wengert_optim::{Bfgs, Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| (x[0] - 2.0).powi(4)).with_gradient(|x, g| g[0] = 4.0 * (x[0] - 2.0).powi(3));
/// let method = Bfgs::default().with_search(StrongWolfe { curvature: 0.1, ..StrongWolfe::default() });
/// assert!((method.minimize(&f, &[0.0])?.point[0] - 2.0).abs() < 0.05);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrongWolfe {
    /// c₁; 1e-4.
    pub decrease: f64,
    /// c₂ in (c₁, 1): 0.9 for quasi-Newton directions, 0.1 for conjugate gradients; 0.9.
    pub curvature: f64,
    /// Trials allowed; 40.
    pub max_trials: u32,
}

impl Default for StrongWolfe {
    fn default() -> Self {
        Self { decrease: 1e-4, curvature: 0.9, max_trials: 40 }
    }
}

impl LineSearch for StrongWolfe {
    fn validate(&self) -> Result<(), MinimizeError> {
        validate_wolfe(self.decrease, self.curvature, self.max_trials)
    }

    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
        start.check(self)?;
        let good =
            |t: &Trial| start.sufficient(self.decrease, t) && t.slope.abs() <= self.curvature * -start.slope;
        let mut previous = Trial::origin(&start);
        let mut samples = Samples::new(line, start);
        let mut step = start.step.min(start.max_step);
        for count in 1..=self.max_trials {
            let trial = samples.trial(step, previous.step)?;
            if good(&trial) {
                return Ok(trial.found(true));
            }
            let rose = trial.change >= previous.change && count > 1;
            let bracket = if !start.sufficient(self.decrease, &trial) || rose {
                (previous, trial)
            } else if trial.slope >= 0.0 {
                (trial, previous)
            } else {
                if trial.step >= start.max_step || near_edge(&trial, samples.ceiling) {
                    return Ok(trial.found(false));
                }
                // Extrapolate by the cubic, between a little and fourfold; towards a known singularity by halves.
                let cubic = cubic_minimum(&previous, &trial);
                let (least, most) = (trial.step + 0.1 * (trial.step - previous.step), 4.0 * trial.step);
                step = if cubic.is_finite() && cubic > trial.step { cubic.clamp(least, most) } else { most };
                step = step.min(start.max_step).min(0.5 * (trial.step + samples.ceiling));
                if !step.is_finite() {
                    return ran_away(samples.line, &trial);
                }
                previous = trial;
                continue;
            };
            return self.zoom(samples, bracket, self.max_trials - count, good);
        }
        previous.or_no_progress()
    }
}

impl StrongWolfe {
    /// Shrinks a bracket that holds acceptable steps; `low` has the least value of those with sufficient decrease.
    fn zoom(
        &self,
        mut samples: Samples<'_>,
        (mut low, mut high): (Trial, Trial),
        trials: u32,
        good: impl Fn(&Trial) -> bool,
    ) -> Result<Found, SearchFailure> {
        let mut widths = [f64::INFINITY; 2];
        for _ in 0..trials {
            let (a, b) = (low.step.min(high.step), low.step.max(high.step));
            let width = b - a;
            if width <= rounding::of::<f64>(4.0, b) {
                break;
            }
            let cubic = cubic_minimum(&low, &high);
            // Bisect when two interpolations have not brought the width down by a third.
            let slow = width > 0.66 * widths[0];
            let step = if cubic.is_finite() && !slow {
                cubic.clamp(a + 0.1 * width, b - 0.1 * width)
            } else {
                0.5 * (a + b)
            };
            widths = [widths[1], width];
            let trial = samples.trial(step, low.step)?;
            if good(&trial) {
                return Ok(trial.found(true));
            }
            if !samples.start.sufficient(self.decrease, &trial) || trial.change >= low.change {
                high = trial;
            } else {
                if trial.slope * (high.step - low.step) >= 0.0 {
                    high = low;
                }
                low = trial;
            }
        }
        low.or_no_progress()
    }
}
