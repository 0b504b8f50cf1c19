//! Cycles: one, and many.

use serde::{Deserialize, Serialize};

use super::{Schedule, checked, cosine_between, settings_are_fields};
use crate::error::{Check, HyperParameterError};

/// One cycle: up to a largest rate, and down to almost nothing.
///
/// The rate begins at η / `start_divisor`, is η after the share `rising` of the steps and ends at the first rate over
/// `end_divisor`; with `three_phase` it is back at the first rate after twice that share. As PyTorch's `OneCycleLR`
/// (the momentum stays as it is), it counts n − 1 intervals between n steps; later steps keep the last rate.
///
/// Source: Smith and Topin, *Super-convergence*, 2018. Default: 0.3, 25, 1e4, cosine.
///
/// ```
/// use wengert_optim::schedule::{OneCycle, Schedule};
/// let schedule = OneCycle::new(1.0, 101);
/// assert!((schedule.at(0) - 0.04).abs() < 1e-15 && (schedule.at(100) - 4e-6).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// η, the largest rate.
    pub largest: f64,
    /// n, the steps of the cycle.
    pub steps: u64,
    /// The share of the steps in which the rate rises.
    pub rising: f64,
    /// η over the first rate.
    pub start_divisor: f64,
    /// The first rate over the last.
    pub end_divisor: f64,
    /// Straight lines in place of cosines.
    pub linear: bool,
    /// Down as fast as up, and then down to the last rate.
    pub three_phase: bool,
}

impl OneCycle {
    /// A cycle of `steps` steps with the largest rate `largest`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(largest: f64, steps: u64) -> Self {
        checked(OneCycle {
            largest,
            steps,
            rising: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
            linear: false,
            three_phase: false,
        })
    }
}

impl Schedule for OneCycle {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        let (first, n) = (self.largest / self.start_divisor, self.steps as f64);
        let top = self.rising * n - 1.0;
        let end = n - 1.0;
        let back = if self.three_phase { 2.0 * self.rising * n - 2.0 } else { top };
        let t = (step as f64).min(end);
        let between = |from: f64, to: f64, start: f64, stop: f64| {
            let progress = if stop > start { ((t - start) / (stop - start)).clamp(0.0, 1.0) } else { 1.0 };
            if self.linear { from + (to - from) * progress } else { cosine_between(from, to, progress) }
        };
        let last = first / self.end_divisor;
        if t <= top {
            between(first, self.largest, 0.0, top)
        } else if self.three_phase && t <= back {
            between(self.largest, first, top, back)
        } else if self.three_phase {
            between(first, last, back, end)
        } else {
            between(self.largest, last, top, end)
        }
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("one_cycle")
            .non_negative("largest", self.largest)?
            .at_least_one("steps", self.steps as f64)?
            .unit("rising", self.rising)?
            .positive("start_divisor", self.start_divisor)?
            .positive("end_divisor", self.end_divisor)?
            .condition(
                !self.three_phase || self.rising <= 0.5,
                "rising",
                self.rising,
                "at most 0.5 with three phases",
            )?;
        Ok(())
    }
}

/// How the height of [`Cyclic`]'s cycles changes.
///
/// ```
/// use wengert_optim::schedule::{Cyclic, CyclicMode, Schedule};
/// let mut schedule = Cyclic::new(0.0, 1.0, 4, 4);
/// schedule.mode = CyclicMode::Halving;
/// assert_eq!((schedule.at(4), schedule.at(12)), (1.0, 0.5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CyclicMode {
    /// All cycles are as high.
    Triangular,
    /// Each is half as high as the one before.
    Halving,
    /// The height is multiplied by a factor every step.
    Exponential(f64),
}

/// Up and down in straight lines, again and again. PyTorch's `CyclicLR` (the momentum stays as it is).
///
/// Source: Smith, *Cyclical learning rates for training neural networks*, 2017.
///
/// ```
/// use wengert_optim::schedule::{Cyclic, Schedule};
/// let schedule = Cyclic::new(0.0, 1.0, 4, 4);
/// assert_eq!((schedule.at(0), schedule.at(2), schedule.at(4), schedule.at(7)), (0.0, 0.5, 1.0, 0.25));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// The rate at the bottom.
    pub lowest: f64,
    /// The rate at the first top.
    pub highest: f64,
    /// Steps from bottom to top.
    pub up: u64,
    /// Steps from top to bottom.
    pub down: u64,
    /// How the height of the cycles changes.
    pub mode: CyclicMode,
}

impl Cyclic {
    /// Triangular cycles between `lowest` and `highest`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(lowest: f64, highest: f64, up: u64, down: u64) -> Self {
        checked(Cyclic { lowest, highest, up, down, mode: CyclicMode::Triangular })
    }
}

impl Schedule for Cyclic {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        let (up, down) = (self.up.max(1), self.down.max(1));
        let whole = up.saturating_add(down);
        let (cycle, position) = (step / whole, step % whole);
        let height = if position <= up {
            position as f64 / up as f64
        } else {
            (whole - position) as f64 / down as f64
        };
        let factor = match self.mode {
            CyclicMode::Triangular => 1.0,
            CyclicMode::Halving => 0.5f64.powf(cycle as f64),
            CyclicMode::Exponential(factor) => factor.powf(step as f64),
        };
        self.lowest + (self.highest - self.lowest) * height * factor
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        let check = Check::new("cyclic")
            .non_negative("lowest", self.lowest)?
            .non_negative("highest", self.highest)?
            .condition(self.lowest <= self.highest, "lowest", self.lowest, "at most the highest")?
            .at_least_one("up", self.up as f64)?
            .at_least_one("down", self.down as f64)?;
        if let CyclicMode::Exponential(factor) = self.mode {
            check.unit("mode", factor)?;
        }
        Ok(())
    }
}
