//! Cosine annealing.

use serde::{Deserialize, Serialize};

use super::{Schedule, checked, cosine_between, progress, settings_are_fields};
use crate::error::{Check, HyperParameterError};

/// η₁ + ½ (η₀ − η₁)(1 + cos(π t / n)), and then η₁.
///
/// Source: Loshchilov and Hutter, *SGDR*, 2017. PyTorch's `CosineAnnealingLR` up to step n.
///
/// ```
/// use wengert_optim::schedule::{Cosine, Schedule};
/// let schedule = Cosine { to: 0.2, ..Cosine::new(1.0, 10) };
/// assert!((schedule.at(5) - 0.6).abs() < 1e-15);
/// assert_eq!(schedule.at(11), 0.2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// η₀, the rate of step 0.
    pub from: f64,
    /// η₁, the last rate.
    pub to: f64,
    /// n.
    pub steps: u64,
}

impl Cosine {
    /// From `from` to 0 over `steps` steps.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(from: f64, steps: u64) -> Self {
        checked(Cosine { from, to: 0.0, steps })
    }
}

impl Schedule for Cosine {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        cosine_between(self.from, self.to, progress(step, self.steps))
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("cosine")
            .non_negative("from", self.from)?
            .non_negative("to", self.to)?
            .at_least_one("steps", self.steps as f64)?;
        Ok(())
    }
}

/// Cosine annealing that starts again: periods of n, n m, n m² … steps.
///
/// Source: Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts*, 2017. PyTorch's
/// `CosineAnnealingWarmRestarts`.
///
/// ```
/// use wengert_optim::schedule::{CosineRestarts, Schedule};
/// let schedule = CosineRestarts::new(1.0, 10, 2);
/// assert_eq!((schedule.at(10), schedule.at(30), schedule.at(70)), (1.0, 1.0, 1.0));
/// assert!((schedule.at(20) - 0.5).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// η₀, the rate of the first step of a period.
    pub from: f64,
    /// η₁, what a period tends to.
    pub to: f64,
    /// n, the first period.
    pub period: u64,
    /// m: each period is so many times longer than the one before.
    pub growth: u64,
}

impl CosineRestarts {
    /// From `from` to 0, again and again; the first period has `period` steps.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(from: f64, period: u64, growth: u64) -> Self {
        checked(CosineRestarts { from, to: 0.0, period, growth })
    }
}

impl Schedule for CosineRestarts {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        let period = self.period.max(1);
        let (position, length) = if self.growth <= 1 {
            (step % period, period)
        } else {
            // Few turns: the periods grow geometrically.
            let (mut start, mut length) = (0u64, period);
            while step - start >= length {
                start += length;
                length = length.saturating_mul(self.growth);
            }
            (step - start, length)
        };
        cosine_between(self.from, self.to, position as f64 / length as f64)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("cosine_restarts")
            .non_negative("from", self.from)?
            .non_negative("to", self.to)?
            .at_least_one("period", self.period as f64)?
            .at_least_one("growth", self.growth as f64)?;
        Ok(())
    }
}
