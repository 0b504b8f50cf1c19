//! Schedules that came with transformers.

use serde::{Deserialize, Serialize};

use super::{Schedule, checked, progress, settings_are_fields};
use crate::error::{Check, HyperParameterError};

/// s d^(−1/2) min(t^(−1/2), t w^(−3/2)) with t = step + 1: up in a straight line for w steps, and then down as 1 / √t.
///
/// Source: Vaswani et al., *Attention is all you need*, 2017, section 5.3.
///
/// ```
/// use wengert_optim::schedule::{Noam, Schedule};
/// let schedule = Noam::new(512, 4000);
/// assert!((schedule.at(3999) - (512.0f64 * 4000.0).powf(-0.5)).abs() < 1e-18);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noam {
    /// d, the width of the model.
    pub width: u64,
    /// w, the steps of warm-up.
    pub warmup: u64,
    /// s.
    pub scale: f64,
}

impl Noam {
    /// For a model of width `width`, with `warmup` steps of warm-up.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(width: u64, warmup: u64) -> Self {
        checked(Noam { width, warmup, scale: 1.0 })
    }
}

impl Schedule for Noam {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        let t = step as f64 + 1.0;
        let rising = t * (self.warmup.max(1) as f64).powf(-1.5);
        self.scale * (self.width.max(1) as f64).powf(-0.5) * t.powf(-0.5).min(rising)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("noam")
            .at_least_one("width", self.width as f64)?
            .at_least_one("warmup", self.warmup as f64)?
            .non_negative("scale", self.scale)?;
        Ok(())
    }
}

/// WSD: up in a straight line from 0, constant, and down in a straight line.
///
/// Source: Hu et al., *MiniCPM*, 2024.
///
/// ```
/// use wengert_optim::schedule::{Schedule, WarmupStableDecay};
/// let schedule = WarmupStableDecay::new(1.0, 10, 80, 10);
/// assert_eq!((schedule.at(5), schedule.at(89), schedule.at(95), schedule.at(200)), (0.5, 1.0, 0.5, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmupStableDecay {
    /// The stable rate.
    pub rate: f64,
    /// Steps of warm-up.
    pub warmup: u64,
    /// Steps at the stable rate.
    pub stable: u64,
    /// Steps of decay.
    pub decay: u64,
    /// The rate after the decay.
    pub last: f64,
}

impl WarmupStableDecay {
    /// `rate`, with `warmup` steps up, `stable` steps there, and `decay` steps down to 0.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: f64, warmup: u64, stable: u64, decay: u64) -> Self {
        checked(WarmupStableDecay { rate, warmup, stable, decay, last: 0.0 })
    }
}

impl Schedule for WarmupStableDecay {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        let falling = step.saturating_sub(self.warmup.saturating_add(self.stable));
        if step < self.warmup {
            self.rate * progress(step, self.warmup)
        } else if falling == 0 {
            self.rate
        } else {
            self.rate + (self.last - self.rate) * progress(falling, self.decay)
        }
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        let steps = [self.warmup, self.stable, self.decay].map(|n| n as f64).iter().sum();
        Check::new("warmup_stable_decay")
            .non_negative("rate", self.rate)?
            .non_negative("last", self.last)?
            .at_least_one("warmup + stable + decay", steps)?;
        Ok(())
    }
}
