use serde::{Deserialize, Serialize};

use super::{
    Found, Line, LineSearch, Samples, SearchFailure, Start, Trial, cubic_minimum, near_edge, ran_away,
    validate_wolfe,
};
use crate::minimize::error::MinimizeError;

/// The strong Wolfe conditions by the method of Moré and Thuente (1994): an interval of uncertainty that is
/// updated through an auxiliary function and always contains an acceptable step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoreThuente {
    /// Sufficient decrease; 1e-3.
    pub decrease: f64,
    /// Of |φ'(α)| relative to |φ'(0)|; 0.9.
    pub curvature: f64,
    /// The relative width of the interval at which to give up; 1e-12.
    pub interval: f64,
    /// Trials allowed; 40.
    pub max_trials: u32,
}

impl Default for MoreThuente {
    fn default() -> Self {
        Self { decrease: 1e-3, curvature: 0.9, interval: 1e-12, max_trials: 40 }
    }
}

/// How many times longer than the first trial a step is that has gone too far for a function with a minimum.
const FAR: f64 = 1e12;

impl LineSearch for MoreThuente {
    fn validate(&self) -> Result<(), MinimizeError> {
        validate_wolfe(self.decrease, self.curvature, self.max_trials)?;
        MinimizeError::require("interval", self.interval, "in [0, 1)", |i| (0.0..1.0).contains(&i))
    }

    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
        start.check(self)?;
        let mut bracket = Bracket::new(&start);
        let (mut first_stage, mut width, mut wider) = (true, f64::INFINITY, f64::INFINITY);
        let mut samples = Samples { ceiling: start.max_step, ..Samples::new(line, start) };
        let first = start.step.min(start.max_step);
        let mut step = first;
        for _ in 0..self.max_trials {
            let level = samples.noise.level();
            let trial = samples.trial(step, bracket.best.step)?;
            if samples.noise.level() > level && trial.step < first {
                // What was found before was rounding.
                bracket = Bracket::new(&start);
                (first_stage, width, wider) = (true, f64::INFINITY, f64::INFINITY);
                step = if first < samples.ceiling { first } else { 0.5 * samples.ceiling };
                continue;
            }
            let sufficient = start.sufficient(self.decrease, &trial);
            if sufficient && trial.slope.abs() <= self.curvature * -start.slope {
                return Ok(trial.found(true));
            }
            let ceiling = samples.ceiling;
            let edge = if ceiling < start.max_step { ceiling } else { f64::INFINITY };
            let far = trial.step >= start.max_step || near_edge(&trial, edge);
            if far && sufficient && trial.slope < 0.0 {
                return Ok(trial.found(false));
            }
            if !(trial.step * 8.0).is_finite() {
                return ran_away(samples.line, &trial);
            }
            first_stage &= !(sufficient && trial.slope >= 0.0);
            // Before closing, steps grow by between 1.1 and 4 times the last advance.
            let advance = trial.step - bracket.best.step;
            let (least, most) = if bracket.closed {
                let ends = (bracket.best.step, bracket.other.step);
                (ends.0.min(ends.1), ends.0.max(ends.1))
            } else {
                (trial.step + 1.1 * advance, trial.step + 4.0 * advance)
            };
            // In the first stage work on ψ(α) = φ(α) − c α φ'(0), which leads to steps of sufficient decrease.
            step = if first_stage && trial.change <= bracket.best.change && !sufficient {
                let tilt = self.decrease * start.slope;
                let mut tilted = bracket.tilted(tilt);
                let step = tilted.update(trial.tilted(tilt), least, most);
                bracket = tilted.tilted(-tilt);
                step
            } else {
                bracket.update(trial, least, most)
            };
            let (best, other) = (bracket.best.step, bracket.other.step);
            if bracket.closed {
                let now = (other - best).abs();
                if now >= 0.66 * wider {
                    step = best + 0.5 * (other - best);
                }
                (wider, width) = (width, now);
                if now <= self.interval * best.max(other) {
                    break;
                }
            } else if step >= ceiling {
                step = if ceiling < start.max_step { 0.5 * (best + ceiling) } else { ceiling };
            }
        }
        // All trials spent on ever longer steps, each lower than the one before, and nowhere a slope upwards.
        if !bracket.closed && !samples.ceiling.is_finite() && bracket.best.step > FAR * first {
            return ran_away(samples.line, &bracket.best);
        }
        bracket.best.or_no_progress()
    }
}

impl Trial {
    /// The trial of φ(α) − tilt α.
    fn tilted(&self, tilt: f64) -> Self {
        Self { change: self.change - tilt * self.step, slope: self.slope - tilt, ..*self }
    }
}

/// The interval of uncertainty: its end of least value and, once `closed`, the other end.
struct Bracket {
    best: Trial,
    other: Trial,
    closed: bool,
}

impl Bracket {
    fn new(start: &Start) -> Self {
        Self { best: Trial::origin(start), other: Trial::origin(start), closed: false }
    }

    fn tilted(&self, tilt: f64) -> Self {
        Self { best: self.best.tilted(tilt), other: self.other.tilted(tilt), closed: self.closed }
    }

    /// Takes `trial` into the interval and returns the next step, within `least..=most`: section 4 of the paper.
    fn update(&mut self, trial: Trial, least: f64, most: f64) -> f64 {
        let best = self.best;
        let forward = trial.step > best.step;
        let secant = trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step);
        let step;
        if trial.change > best.change {
            // A higher value: the minimum is between.
            let cubic = cubic_minimum(&best, &trial);
            let advance = trial.step - best.step;
            let quadratic = best.step
                + 0.5 * best.slope / ((best.change - trial.change) / advance + best.slope) * advance;
            step = if (cubic - best.step).abs() < (quadratic - best.step).abs() {
                cubic
            } else {
                cubic + 0.5 * (quadratic - cubic)
            };
            self.closed = true;
        } else if trial.slope * best.slope < 0.0 {
            // A lower value and slopes of opposite sign: between again.
            let cubic = cubic_minimum(&best, &trial);
            step = if (cubic - trial.step).abs() > (secant - trial.step).abs() { cubic } else { secant };
            self.closed = true;
        } else if trial.slope.abs() < best.slope.abs() {
            // The slope flattens: extrapolate, trusting the cubic only where it bends the right way.
            let cubic = cubic_minimum(&best, &trial);
            let ahead = cubic.is_finite() && (cubic > trial.step) == forward;
            let cubic = if ahead {
                cubic
            } else if forward {
                most
            } else {
                least
            };
            let nearer = (cubic - trial.step).abs() < (secant - trial.step).abs();
            if self.closed {
                let guard = trial.step + 0.66 * (self.other.step - trial.step);
                let chosen = if nearer { cubic } else { secant };
                step = if forward { chosen.min(guard) } else { chosen.max(guard) };
            } else {
                step = (if nearer { secant } else { cubic }).clamp(least, most);
            }
        } else if self.closed {
            step = cubic_minimum(&self.other, &trial);
        } else {
            step = if forward { most } else { least };
        }
        if trial.change > best.change {
            self.other = trial;
        } else {
            if trial.slope * best.slope < 0.0 {
                self.other = best;
            }
            self.best = trial;
        }
        if step.is_finite() { step } else { 0.5 * (self.best.step + self.other.step) }
    }
}
