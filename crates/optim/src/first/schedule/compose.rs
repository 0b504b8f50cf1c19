//! Schedules made of schedules.

use serde::{Deserialize, Serialize};
use wengert_state::State;

use super::{AnySchedule, Schedule, checked};
use crate::error::{Check, HyperParameterError};

/// Linear warm-up before any schedule: step t of n has the share (t + 1) / n of the other's first rate (or from `from` of
/// it); after them the other schedule begins at its step 0.
///
/// Source: Goyal et al., *Accurate, large minibatch SGD*, 2017.
///
/// ```
/// use wengert_optim::schedule::{Constant, Schedule, Warmup};
/// let schedule = Warmup::new(4, Constant::new(1.0));
/// assert_eq!((schedule.at(0), schedule.at(3), schedule.at(4)), (0.25, 1.0, 1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup<S> {
    /// n, the steps of warm-up; 0 is none.
    pub steps: u64,
    /// The share of the rate that the line begins at, one step before step 0.
    pub from: f64,
    /// What follows.
    pub then: S,
}

impl<S: Schedule> Warmup<S> {
    /// `steps` steps of warm-up from 0, and then `then`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(steps: u64, then: S) -> Self {
        checked(Warmup { steps, from: 0.0, then })
    }
}

impl<S: Schedule> Schedule for Warmup<S> {
    fn at(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.then.at(step - self.steps);
        }
        let progress = (step as f64 + 1.0) / self.steps as f64;
        self.then.at(0) * (self.from + (1.0 - self.from) * progress)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        Check::new("warmup").unit("from", self.from)?;
        self.then.check()
    }

    fn settings(&self) -> State {
        State::new("warmup", 0)
            .with_count("steps", self.steps)
            .with_real("from", self.from)
            .with_child("then", self.then.settings())
    }
}

/// One schedule after another. Each counts its steps from where it begins. optax's `join_schedules`, PyTorch's
/// `SequentialLR`.
///
/// It is made of [`AnySchedule`]s, so that it can be serialised; [`of`](Sequence::of) makes one of schedules of another
/// type, such as `Box<dyn Schedule>`.
///
/// ```
/// use wengert_optim::schedule::{Constant, Cosine, LinearRamp, Schedule, Sequence};
/// let schedule = Sequence::new(LinearRamp::new(0.0, 1.0, 10)).then(10, Constant::new(1.0)).then(50, Cosine::new(1.0, 40));
/// assert_eq!((schedule.at(5), schedule.at(20), schedule.at(90)), (0.5, 1.0, 0.0));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence<S = AnySchedule> {
    first: S,
    /// Each with the step at which it begins.
    later: Vec<(u64, S)>,
}

impl Sequence {
    /// Begins with `first`.
    pub fn new(first: impl Into<AnySchedule>) -> Self {
        Sequence::of(first.into())
    }
}

impl<S: Schedule> Sequence<S> {
    /// Begins with `first`, which may be a schedule of one's own; the others will be of its type.
    pub fn of(first: S) -> Self {
        Sequence { first, later: Vec::new() }
    }

    /// Goes over to `schedule` at step `at`.
    ///
    /// # Panics
    /// If an earlier one begins as late or later, step 0 being that of the first.
    #[track_caller]
    pub fn then(mut self, at: u64, schedule: impl Into<S>) -> Self {
        let last = self.later.last().map_or(0, |(start, _)| *start);
        assert!(at > last, "Sequence::then: a schedule from step {at} after one from step {last}");
        self.later.push((at, schedule.into()));
        self
    }
}

impl<S: Schedule> Schedule for Sequence<S> {
    fn at(&self, step: u64) -> f64 {
        match self.later.iter().rev().find(|(start, _)| *start <= step) {
            Some((start, schedule)) => schedule.at(step - start),
            None => self.first.at(step),
        }
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        self.first.check()?;
        let mut last = 0;
        for (start, schedule) in &self.later {
            Check::new("sequence").condition(
                *start > last,
                "later",
                *start as f64,
                "above the step before",
            )?;
            last = *start;
            schedule.check()?;
        }
        Ok(())
    }

    fn settings(&self) -> State {
        let state = State::new("sequence", 0).with_child("first", self.first.settings());
        let later = self.later.iter();
        later.fold(state, |state, (at, schedule)| {
            state.with_child(&format!("from step {at}"), schedule.settings())
        })
    }
}

/// The product of two schedules, e.g. a rate and a factor that falls.
///
/// ```
/// use wengert_optim::schedule::{Exponential, LinearRamp, Scaled, Schedule};
/// let schedule = Scaled::new(LinearRamp::new(0.0, 1.0, 2), Exponential::new(1.0, 0.5));
/// assert_eq!(schedule.at(1), 0.25);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaled<S, F> {
    /// The rate.
    pub rate: S,
    /// The factor.
    pub factor: F,
}

impl<S: Schedule, F: Schedule> Scaled<S, F> {
    /// `rate` times `factor`.
    ///
    /// # Panics
    /// If a value makes no sense.
    #[track_caller]
    pub fn new(rate: S, factor: F) -> Self {
        checked(Scaled { rate, factor })
    }
}

impl<S: Schedule, F: Schedule> Schedule for Scaled<S, F> {
    fn at(&self, step: u64) -> f64 {
        self.rate.at(step) * self.factor.at(step)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        self.rate.check()?;
        self.factor.check()
    }

    fn settings(&self) -> State {
        State::new("scaled", 0)
            .with_child("rate", self.rate.settings())
            .with_child("factor", self.factor.settings())
    }
}
