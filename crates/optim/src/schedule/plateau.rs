//! The rate falls when the loss does not.

use serde::{Deserialize, Serialize};

use crate::error::{Check, HyperParameterError};

/// What counts as better than the best loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// Below best · (1 − this).
    Relative(f64),
    /// Below best − this.
    Absolute(f64),
}

/// Multiplies the rate by a factor when a value to be made small has not become better for more than `patience`
/// observations. PyTorch's `ReduceLROnPlateau` in its mode `min`, with `eps` = 0.
///
/// It is its own state: serialise it (numbers are written as bits). Default: factor 0.1, patience 10, a relative threshold of
/// 1e-4, no cool-down, smallest rate 0.
///
/// ```
/// use wengert_optim::schedule::ReduceOnPlateau;
/// let mut schedule = ReduceOnPlateau::new(0.1)?;
/// schedule.patience = 1;
/// for loss in [1.0, 0.9, 0.9] {
///     assert_eq!(schedule.observe(loss), 0.1);
/// }
/// assert!((schedule.observe(0.9) - 0.01).abs() < 1e-15);
/// # Ok::<(), wengert_optim::HyperParameterError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// What the rate is multiplied by.
    pub factor: f64,
    /// Observations without improvement that are still accepted.
    pub patience: u64,
    /// What counts as better.
    pub threshold: Threshold,
    /// Observations after a reduction in which none is counted as bad.
    pub cooldown: u64,
    /// The rate that is never gone below.
    pub smallest: f64,
    #[serde(with = "crate::bits::real")]
    rate: f64,
    #[serde(with = "crate::bits::real")]
    best: f64,
    bad: u64,
    cooling: u64,
}

impl ReduceOnPlateau {
    /// Begins at `rate`.
    ///
    /// # Errors
    /// If `rate` is negative or not finite.
    pub fn new(rate: f64) -> Result<Self, HyperParameterError> {
        let schedule = ReduceOnPlateau {
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            smallest: 0.0,
            rate,
            best: f64::INFINITY,
            bad: 0,
            cooling: 0,
        };
        schedule.check()?;
        Ok(schedule)
    }

    /// Checks the settings, e.g. after reading them from a file.
    ///
    /// # Errors
    /// For the first that makes no sense.
    pub fn check(&self) -> Result<(), HyperParameterError> {
        let (Threshold::Relative(threshold) | Threshold::Absolute(threshold)) = self.threshold;
        Check::new("reduce_on_plateau")
            .non_negative("rate", self.rate)?
            .fraction("factor", self.factor)?
            .non_negative("threshold", threshold)?
            .non_negative("smallest", self.smallest)?;
        Ok(())
    }

    /// Takes in a loss; returns the rate from now on. NaN is never better.
    pub fn observe(&mut self, value: f64) -> f64 {
        let better = match self.threshold {
            // 0 · ∞ is no number: anything is better than the infinity of the beginning.
            Threshold::Relative(t) if self.best.is_finite() => value < self.best * (1.0 - t),
            Threshold::Relative(_) => value < self.best,
            Threshold::Absolute(t) => value < self.best - t,
        };
        if better {
            self.best = value;
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.bad = 0;
        }
        if self.bad > self.patience {
            self.rate = (self.rate * self.factor).max(self.smallest.min(self.rate));
            self.cooling = self.cooldown;
            self.bad = 0;
        }
        self.rate
    }

    /// The rate in force.
    pub fn rate(&self) -> f64 {
        self.rate
    }
}
