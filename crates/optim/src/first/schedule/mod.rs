//! Learning rates as functions of the step.
//!
//! A schedule is a closed form: [`Schedule::at`] depends on nothing but the step, so that a resumed run gets the same
//! rates with nothing to save. Steps count from 0, the first. Only [`ReduceOnPlateau`] looks at the loss, and has a
//! state.
//!
//! ```
//! use wengert_optim::schedule::{Cosine, Schedule, Warmup};
//! let schedule = Warmup::new(100, Cosine::new(1e-3, 900));
//! assert_eq!(schedule.at(49), 0.5e-3);
//! assert_eq!((schedule.at(100), schedule.at(1000)), (1e-3, 0.0));
//! ```
//!
//! All schedules can be serialised, and [`AnySchedule`] is one type for them all. Their numbers are written as decimals, which
//! people can read and formats may round; [`State::of`](crate::State::of) and [`State::read`](crate::State::read) keep every bit.
//!
//! Constructors panic on values that make no sense; [`Schedule::check`] finds them in schedules that were read from a
//! file.

mod any;
mod compose;
mod cosine;
mod cycle;
mod decay;
mod plateau;
mod range_test;
mod transformer;

pub use any::AnySchedule;
pub use compose::{Scaled, Sequence, Warmup};
pub use cosine::{Cosine, CosineRestarts};
pub use cycle::{Cyclic, CyclicMode, OneCycle};
pub use decay::{Constant, Exponential, InverseTime, LinearRamp, MultiStep, Polynomial, StepDecay};
pub use plateau::{ReduceOnPlateau, Threshold};
pub use range_test::{RangeTest, RangeTestPoint};
pub use transformer::{Noam, WarmupStableDecay};

use wengert_state::State;

use crate::error::HyperParameterError;

/// A learning rate for every step.
///
/// ```
/// use wengert_optim::HyperParameterError;
/// use wengert_optim::schedule::Schedule;
/// /// A rate that falls as 1/√step.
/// struct InverseRoot(f64);
/// impl Schedule for InverseRoot {
///     fn at(&self, step: u64) -> f64 { self.0 / (step as f64 + 1.0).sqrt() }
///     fn check(&self) -> Result<(), HyperParameterError> { Ok(()) }
/// }
/// assert_eq!(InverseRoot(1.0).at(3), 0.5);
/// let boxed: Box<dyn Schedule> = Box::new(InverseRoot(2.0));
/// assert_eq!(boxed.at(0), 2.0);
/// ```
pub trait Schedule: Send + Sync {
    /// The learning rate of step `step`, which counts from 0.
    fn at(&self, step: u64) -> f64;

    /// Checks the values that the schedule is made of.
    ///
    /// # Errors
    /// For the first that makes no sense.
    fn check(&self) -> Result<(), HyperParameterError>;

    /// What it is, by name, so that a run can say what is different in another. By default its rates at steps 0, 1, 10, 100 …
    ///
    /// ```
    /// use wengert_optim::schedule::{Cosine, Schedule};
    /// assert_eq!(Cosine::new(1e-3, 900).settings().count("steps")?, 900);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    fn settings(&self) -> State {
        let steps = std::iter::once(0).chain((0..8).map(|power| 10u64.pow(power)));
        steps.fold(State::new("schedule", 0), |state, step| {
            state.with_real(&format!("at {step}"), self.at(step))
        })
    }
}

/// In the `impl` of [`Schedule`]: the fields say what it is.
macro_rules! settings_are_fields {
    () => {
        fn settings(&self) -> wengert_state::State {
            wengert_state::State::of(self).expect("a schedule is made of numbers")
        }
    };
}
use settings_are_fields;

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    fn at(&self, step: u64) -> f64 {
        (**self).at(step)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        (**self).check()
    }

    fn settings(&self) -> State {
        (**self).settings()
    }
}

/// Panics with the error of [`Schedule::check`]: for constructors.
#[track_caller]
fn checked<S: Schedule>(schedule: S) -> S {
    HyperParameterError::or_panic(schedule.check());
    schedule
}

/// The share of `steps` that are over at `step`: from 0 to 1.
fn progress(step: u64, steps: u64) -> f64 {
    if steps == 0 { 1.0 } else { (step as f64 / steps as f64).min(1.0) }
}

/// Half a cosine wave from `from` (at 0) to `to` (at 1).
fn cosine_between(from: f64, to: f64, progress: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
}
