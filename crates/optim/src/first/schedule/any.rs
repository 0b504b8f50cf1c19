//! Schedules as values of one type.

use serde::{Deserialize, Serialize};
use wengert_state::State;

use super::*;
use crate::error::HyperParameterError;

/// Defines [`AnySchedule`] from the list of the schedules that are not made of others.
macro_rules! any_schedule {
    ($($name:ident),* $(,)?) => {
        /// Any schedule of this module: for schedules that are chosen at run time, written to files, or parts of others.
        ///
        /// Serialised it is a map from the schedule's name to its fields. Read back, it has not been checked: call
        /// [`check`](Schedule::check).
        ///
        /// ```
        /// use wengert_optim::schedule::{AnySchedule, Cosine, Schedule, Warmup};
        /// let text = r#"{"warmup": {"steps": 10, "from": 0.0, "then": {"cosine": {"from": 0.1, "to": 0.0, "steps": 90}}}}"#;
        /// let schedule: AnySchedule = serde_json::from_str(text).unwrap();
        /// schedule.check()?;
        /// assert_eq!(schedule, Warmup::new(10, Cosine::new(0.1, 90)).into());
        /// assert_eq!(schedule.at(9), 0.1);
        /// # Ok::<(), wengert_optim::HyperParameterError>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum AnySchedule {
            $(
                #[doc = concat!("A [`", stringify!($name), "`](", stringify!($name), ").")]
                $name($name),
            )*
            /// Warm-up before a schedule.
            Warmup(Box<Warmup<AnySchedule>>),
            /// The product of two schedules.
            Scaled(Box<Scaled<AnySchedule, AnySchedule>>),
            /// One schedule after another.
            Sequence(Box<Sequence>),
        }

        impl AnySchedule {
            fn schedule(&self) -> &dyn Schedule {
                match self {
                    $(AnySchedule::$name(schedule) => schedule,)*
                    AnySchedule::Warmup(schedule) => &**schedule,
                    AnySchedule::Scaled(schedule) => &**schedule,
                    AnySchedule::Sequence(schedule) => &**schedule,
                }
            }
        }

        $(
            impl From<$name> for AnySchedule {
                fn from(schedule: $name) -> Self {
                    AnySchedule::$name(schedule)
                }
            }
        )*
    };
}

any_schedule!(
    Constant,
    StepDecay,
    MultiStep,
    Exponential,
    InverseTime,
    LinearRamp,
    Polynomial,
    Cosine,
    CosineRestarts,
    OneCycle,
    Cyclic,
    Noam,
    WarmupStableDecay,
);

impl Schedule for AnySchedule {
    fn at(&self, step: u64) -> f64 {
        self.schedule().at(step)
    }

    fn check(&self) -> Result<(), HyperParameterError> {
        self.schedule().check()
    }

    fn settings(&self) -> State {
        self.schedule().settings()
    }
}

impl<S: Into<AnySchedule>> From<Warmup<S>> for AnySchedule {
    fn from(Warmup { steps, from, then }: Warmup<S>) -> Self {
        AnySchedule::Warmup(Box::new(Warmup { steps, from, then: then.into() }))
    }
}

impl<S: Into<AnySchedule>, F: Into<AnySchedule>> From<Scaled<S, F>> for AnySchedule {
    fn from(Scaled { rate, factor }: Scaled<S, F>) -> Self {
        AnySchedule::Scaled(Box::new(Scaled { rate: rate.into(), factor: factor.into() }))
    }
}

impl From<Sequence> for AnySchedule {
    fn from(sequence: Sequence) -> Self {
        AnySchedule::Sequence(Box::new(sequence))
    }
}
