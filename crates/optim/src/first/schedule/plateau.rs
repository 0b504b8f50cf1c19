//! The rate falls when the loss does not.

use serde::{Deserialize, Serialize};
use wengert_state::bits;

use crate::error::{Check, HyperParameterError};
use crate::first::goal::Goal;

/// By how much a value has to be better than the best.
///
/// ```
/// use wengert_optim::schedule::{ReduceOnPlateau, Threshold};
/// let mut schedule = ReduceOnPlateau::new(0.1);
/// (schedule.patience, schedule.threshold) = (0, Threshold::Absolute(0.5));
/// schedule.observe(1.0);
/// // Better, but not by a half.
/// assert!(schedule.observe(0.8) < 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// By more than this share of |best|, below 1.
    Relative(f64),
    /// By more than this.
    Absolute(f64),
}

/// Multiplies the rate by a factor when a value has not become better for more than `patience` observations. PyTorch's
/// `ReduceLROnPlateau` with `eps` = 0, but for values below 0: there its relative threshold has the wrong sign, and a loss
/// that rises slowly counts as better.
///
/// It is its own state, kept by [`State::of`](crate::State::of) or serialised (what it has observed is written as bits). Default: factor 0.1, patience 10, a relative threshold of
/// 1e-4, no cool-down, smallest rate 0.
///
/// ```
/// use wengert_optim::schedule::ReduceOnPlateau;
/// let mut schedule = ReduceOnPlateau::new(0.1);
/// schedule.patience = 1;
/// for loss in [1.0, 0.9, 0.9] {
///     assert_eq!(schedule.observe(loss), 0.1);
/// }
/// assert!((schedule.observe(0.9) - 0.01).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// Whether the value is to become small or large.
    #[serde(default)]
    pub goal: Goal,
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
    #[serde(with = "bits::number")]
    rate: f64,
    #[serde(with = "bits::optional")]
    best: Option<f64>,
    bad: u64,
    cooling: u64,
}

impl ReduceOnPlateau {
    /// Begins at `rate`.
    ///
    /// # Panics
    /// If `rate` is negative or not finite.
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let schedule = ReduceOnPlateau {
            goal: Goal::Min,
            factor: 0.1,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            smallest: 0.0,
            rate,
            best: None,
            bad: 0,
            cooling: 0,
        };
        HyperParameterError::or_panic(schedule.check());
        schedule
    }

    /// Checks the settings, e.g. after reading them from a file.
    ///
    /// # Errors
    /// For the first that makes no sense.
    pub fn check(&self) -> Result<(), HyperParameterError> {
        let check = Check::new("reduce_on_plateau")
            .non_negative("rate", self.rate)?
            .fraction("factor", self.factor)?
            .non_negative("smallest", self.smallest)?;
        match self.threshold {
            Threshold::Relative(threshold) => check.fraction("threshold", threshold)?,
            Threshold::Absolute(threshold) => check.non_negative("threshold", threshold)?,
        };
        Ok(())
    }

    /// Takes in a value; returns the rate from now on. NaN is never better.
    ///
    /// # Panics
    /// If a setting makes no sense, see [`check`](ReduceOnPlateau::check).
    #[track_caller]
    pub fn observe(&mut self, value: f64) -> f64 {
        if let Err(error) = self.check() {
            panic!("{error}");
        }
        let margin = match self.threshold {
            // 0 · ∞ is no number: anything is better than an infinite loss.
            Threshold::Relative(share) => {
                self.best.filter(|b| b.is_finite()).map_or(0.0, |b| share * b.abs())
            }
            Threshold::Absolute(margin) => margin,
        };
        if self.goal.is_better(value, self.best, margin) {
            self.best = Some(value);
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
