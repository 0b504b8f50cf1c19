use crate::minimize::rounding;
use serde::{Deserialize, Serialize};

use super::{
    Found, Line, LineSearch, Samples, SearchFailure, Start, Trial, near_edge, ran_away, validate_wolfe,
};
use crate::minimize::error::MinimizeError;

/// The line search of CG_DESCENT (Hager and Zhang, 2005): Wolfe or approximate Wolfe conditions by the secant²
/// update of a bracket, accurate to the last digits where other searches drown in rounding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HagerZhang {
    /// δ, sufficient decrease; 0.1.
    pub decrease: f64,
    /// σ, curvature; 0.9.
    pub curvature: f64,
    /// ε, the rise in φ that approximate conditions allow, relative to |φ(0)|; 1e-6. Rounding always counts.
    pub rise: f64,
    /// Expansion of the first bracket; 5.
    pub expansion: f64,
    /// Trials allowed; 50.
    pub max_trials: u32,
}

impl Default for HagerZhang {
    fn default() -> Self {
        Self { decrease: 0.1, curvature: 0.9, rise: 1e-6, expansion: 5.0, max_trials: 50 }
    }
}

/// What ends a search early: an acceptable trial, or a failure.
type Step<R> = Result<R, Result<Found, SearchFailure>>;

struct Search<'a> {
    settings: &'a HagerZhang,
    samples: Samples<'a>,
    start: Start,
    /// φ may rise by this.
    limit: f64,
    trials: u32,
    best: Trial,
}

impl LineSearch for HagerZhang {
    fn validate(&self) -> Result<(), MinimizeError> {
        validate_wolfe(self.decrease, self.curvature, self.max_trials)?;
        // The approximate conditions are φ'(α) ≤ (2δ − 1) φ'(0).
        MinimizeError::require("decrease", self.decrease, "below 0.5", |d| d < 0.5)?;
        MinimizeError::require("rise", self.rise, "at least 0", |r| r >= 0.0 && r.is_finite())?;
        MinimizeError::require("expansion", self.expansion, "above 1", |e| e > 1.0 && e.is_finite())
    }

    fn search(&self, line: &mut dyn Line, start: Start) -> Result<Found, SearchFailure> {
        start.check(self)?;
        let limit = self.rise.max(8.0 * line.precision()) * start.value.abs();
        let best = Trial::origin(&start);
        let samples = Samples::new(line, start);
        let mut search = Search { settings: self, samples, start, limit, trials: 0, best };
        match search.run() {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }
}

impl Search<'_> {
    fn run(&mut self) -> Step<std::convert::Infallible> {
        let (mut a, mut b) = self.bracket()?;
        loop {
            let width = b.step - a.step;
            let (mut low, mut high) = self.secant_twice(a, b)?;
            if high.step - low.step > 0.66 * width {
                let middle = self.trial(0.5 * (low.step + high.step), low.step)?;
                (low, high) = self.update(low, high, middle)?;
            }
            (a, b) = (low, high);
            if b.step - a.step <= rounding::of::<f64>(2.0, b.step) {
                return Err(self.give_up());
            }
        }
    }

    fn give_up(&self) -> Result<Found, SearchFailure> {
        self.best.or_no_progress()
    }

    /// Evaluates at `step`; ends the search if that satisfies the conditions or the trials are used up.
    fn trial(&mut self, step: f64, good: f64) -> Step<Trial> {
        if self.trials >= self.settings.max_trials {
            return Err(self.give_up());
        }
        self.trials += 1;
        let trial = self.samples.trial(step, good).map_err(Err)?;
        let (delta, slope) = (self.settings.decrease, self.start.slope);
        let steep_enough = trial.slope >= self.settings.curvature * slope;
        let flat = trial.change <= self.limit && trial.slope <= (2.0 * delta - 1.0) * slope;
        if steep_enough && (self.start.sufficient(delta, &trial) || flat) {
            return Err(Ok(trial.found(true)));
        }
        if trial.change < self.best.change {
            self.best = trial;
        }
        Ok(trial)
    }

    /// An interval [a, b] with φ(a) ≤ limit, φ'(a) < 0 and φ'(b) ≥ 0 (the paper's B0 to B3).
    fn bracket(&mut self) -> Step<(Trial, Trial)> {
        let mut low = Trial::origin(&self.start);
        let mut step = self.start.step.min(self.start.max_step);
        loop {
            let trial = self.trial(step, low.step)?;
            if trial.slope >= 0.0 {
                return Ok((low, trial));
            }
            if trial.change > self.limit {
                return self.bisect(Trial::origin(&self.start), trial);
            }
            let falls = self.start.sufficient(self.settings.decrease, &trial);
            if trial.step >= self.start.max_step || (falls && near_edge(&trial, self.samples.ceiling)) {
                return Err(Ok(trial.found(false)));
            }
            low = trial;
            step = (self.settings.expansion * trial.step).min(self.start.max_step);
            step = step.min(0.5 * (trial.step + self.samples.ceiling));
            if !step.is_finite() {
                return Err(ran_away(self.samples.line, &self.best));
            }
        }
    }

    /// From φ'(a) < 0 and φ(b) too high, the interval of U3.
    fn bisect(&mut self, mut low: Trial, mut high: Trial) -> Step<(Trial, Trial)> {
        loop {
            let middle = self.trial(0.5 * (low.step + high.step), low.step)?;
            if middle.slope >= 0.0 {
                return Ok((low, middle));
            }
            if middle.change <= self.limit { low = middle } else { high = middle }
        }
    }

    /// Takes `c` into the bracket (U0 to U3).
    fn update(&mut self, low: Trial, high: Trial, c: Trial) -> Step<(Trial, Trial)> {
        if c.step <= low.step || c.step >= high.step {
            Ok((low, high))
        } else if c.slope >= 0.0 {
            Ok((low, c))
        } else if c.change <= self.limit {
            Ok((c, high))
        } else {
            self.bisect(low, c)
        }
    }

    /// Secant, update, and one more secant on the side that moved (S1 to S4).
    fn secant_twice(&mut self, a: Trial, b: Trial) -> Step<(Trial, Trial)> {
        let Some(c) = secant(&a, &b) else { return Ok((a, b)) };
        let c = self.trial(c, a.step)?;
        let (low, high) = self.update(a, b, c)?;
        let again = if c == high {
            secant(&b, &high)
        } else if c == low {
            secant(&a, &low)
        } else {
            None
        };
        match again {
            Some(step) if step > low.step && step < high.step => {
                let c = self.trial(step, low.step)?;
                self.update(low, high, c)
            }
            _ => Ok((low, high)),
        }
    }
}

/// The zero of the slope's secant, if it lies strictly between or beyond in a finite place.
fn secant(a: &Trial, b: &Trial) -> Option<f64> {
    let step = (a.step * b.slope - b.step * a.slope) / (b.slope - a.slope);
    (step.is_finite() && step > 0.0).then_some(step)
}
