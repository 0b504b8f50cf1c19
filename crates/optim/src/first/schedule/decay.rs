//! Constant and falling rates.

use serde::{Deserialize, Serialize};

use super::{Schedule, checked, progress, settings_are_fields};
use crate::error::{Check, HyperParameterError};

/// Always the same rate.
///
/// ```
/// use wengert_optim::schedule::{Constant, Schedule};
/// assert_eq!(Constant::new(0.1).at(1_000_000), 0.1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The learning rate.
    pub rate: f64,
}

impl Constant {
    /// Always `rate`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        checked(Constant { rate })
    }
}

impl Schedule for Constant {
    settings_are_fields!();

    fn at(&self, _: u64) -> f64 {
        self.rate
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("constant").non_negative("rate", self.rate)?;
        Ok(())
    }
}

/// η γ^⌊t / n⌋: multiplied by γ every n steps. PyTorch's `StepLR`.
///
/// ```
/// use wengert_optim::schedule::{Schedule, StepDecay};
/// let schedule = StepDecay::new(0.5, 10, 0.5);
/// assert_eq!((schedule.at(9), schedule.at(10), schedule.at(20)), (0.5, 0.25, 0.125));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDecay {
    /// The learning rate of step 0.
    pub rate: f64,
    /// n, the steps between two changes.
    pub every: u64,
    /// γ.
    pub factor: f64,
}

impl StepDecay {
    /// `rate`, multiplied by `factor` every `every` steps.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: f64, every: u64, factor: f64) -> Self {
        checked(StepDecay { rate, every, factor })
    }
}

impl Schedule for StepDecay {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        self.rate * self.factor.powf((step / self.every.max(1)) as f64)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("step_decay")
            .non_negative("rate", self.rate)?
            .at_least_one("every", self.every as f64)?
            .non_negative("factor", self.factor)?;
        Ok(())
    }
}

/// η γ^k, with k the number of milestones reached. PyTorch's `MultiStepLR`.
///
/// ```
/// use wengert_optim::schedule::{MultiStep, Schedule};
/// let schedule = MultiStep::new(0.5, vec![3, 5], 0.5);
/// assert_eq!((schedule.at(2), schedule.at(3), schedule.at(5)), (0.5, 0.25, 0.125));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// The learning rate of step 0.
    pub rate: f64,
    /// The steps at which the rate changes, ascending; at least one.
    pub milestones: Vec<u64>,
    /// γ.
    pub factor: f64,
}

impl MultiStep {
    /// `rate`, multiplied by `factor` at each milestone.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: f64, milestones: Vec<u64>, factor: f64) -> Self {
        checked(MultiStep { rate, milestones, factor })
    }
}

impl Schedule for MultiStep {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        let reached = self.milestones.iter().filter(|&&m| m <= step).count();
        self.rate * self.factor.powf(reached as f64)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        let check =
            Check::new("multi_step").non_negative("rate", self.rate)?.non_negative("factor", self.factor)?;
        check.condition(!self.milestones.is_empty(), "milestones", 0.0, "at least one in number")?;
        for pair in self.milestones.windows(2) {
            check.condition(pair[0] < pair[1], "milestones", pair[1] as f64, "above the one before")?;
        }
        Ok(())
    }
}

/// η γᵗ. PyTorch's `ExponentialLR`.
///
/// ```
/// use wengert_optim::schedule::{Exponential, Schedule};
/// assert_eq!(Exponential::new(1.0, 0.5).at(3), 0.125);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// The learning rate of step 0.
    pub rate: f64,
    /// γ.
    pub factor: f64,
}

impl Exponential {
    /// `rate`, multiplied by `factor` every step.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: f64, factor: f64) -> Self {
        checked(Exponential { rate, factor })
    }
}

impl Schedule for Exponential {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        self.rate * self.factor.powf(step as f64)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("exponential").non_negative("rate", self.rate)?.non_negative("factor", self.factor)?;
        Ok(())
    }
}

/// η / (1 + k t / n): optax's and Keras' inverse time decay without staircase.
///
/// ```
/// use wengert_optim::schedule::{InverseTime, Schedule};
/// assert_eq!(InverseTime::new(1.0, 1.0, 10).at(10), 0.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseTime {
    /// The learning rate of step 0.
    pub rate: f64,
    /// k, the decay per `steps` steps.
    pub decay: f64,
    /// n.
    pub steps: u64,
}

impl InverseTime {
    /// `rate` over 1 + `decay` t / `steps`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: f64, decay: f64, steps: u64) -> Self {
        checked(InverseTime { rate, decay, steps })
    }
}

impl Schedule for InverseTime {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        self.rate / (1.0 + self.decay * step as f64 / self.steps.max(1) as f64)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("inverse_time")
            .non_negative("rate", self.rate)?
            .non_negative("decay", self.decay)?
            .at_least_one("steps", self.steps as f64)?;
        Ok(())
    }
}

/// From one rate to another in a straight line over n steps, and then constant. PyTorch's `LinearLR`.
///
/// ```
/// use wengert_optim::schedule::{LinearRamp, Schedule};
/// let schedule = LinearRamp::new(0.0, 1.0, 4);
/// assert_eq!((schedule.at(1), schedule.at(9)), (0.25, 1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearRamp {
    /// The rate of step 0.
    pub from: f64,
    /// The rate after `steps` steps.
    pub to: f64,
    /// n.
    pub steps: u64,
}

impl LinearRamp {
    /// From `from` to `to` over `steps` steps.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(from: f64, to: f64, steps: u64) -> Self {
        checked(LinearRamp { from, to, steps })
    }
}

impl Schedule for LinearRamp {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        self.from + (self.to - self.from) * progress(step, self.steps)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("linear")
            .non_negative("from", self.from)?
            .non_negative("to", self.to)?
            .at_least_one("steps", self.steps as f64)?;
        Ok(())
    }
}

/// (η₀ − η₁)(1 − t / n)ᵖ + η₁, and then η₁. PyTorch's `PolynomialLR` (η₁ = 0), optax's `polynomial_schedule`.
///
/// ```
/// use wengert_optim::schedule::{Polynomial, Schedule};
/// let schedule = Polynomial::new(1.0, 0.0, 10, 2.0);
/// assert_eq!((schedule.at(5), schedule.at(10)), (0.25, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// η₀, the rate of step 0.
    pub from: f64,
    /// η₁, the rate after `steps` steps.
    pub to: f64,
    /// n.
    pub steps: u64,
    /// p.
    pub power: f64,
}

impl Polynomial {
    /// From `from` to `to` over `steps` steps, with the power `power`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(from: f64, to: f64, steps: u64, power: f64) -> Self {
        checked(Polynomial { from, to, steps, power })
    }
}

impl Schedule for Polynomial {
    settings_are_fields!();

    fn at(&self, step: u64) -> f64 {
        self.to + (self.from - self.to) * (1.0 - progress(step, self.steps)).powf(self.power)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("polynomial")
            .non_negative("from", self.from)?
            .non_negative("to", self.to)?
            .at_least_one("steps", self.steps as f64)?
            .positive("power", self.power)?;
        Ok(())
    }
}
