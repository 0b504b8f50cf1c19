//! Why a run ended.

use std::fmt;

use crate::history::History;

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// All epochs that were asked for are done, or a method of minimisation says that it is.
    Done(String),
    /// A value has not become better.
    EarlyStopping(String),
    /// The program or an observer wanted it.
    Asked(String),
    /// The user pressed Ctrl-C; the run can go on another time.
    Interrupted,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Done(text) | StopReason::EarlyStopping(text) | StopReason::Asked(text) => {
                f.write_str(text)
            }
            StopReason::Interrupted => f.write_str("it was interrupted"),
        }
    }
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finished {
    /// All that was measured.
    pub history: History,
    /// Why the run ended.
    pub reason: StopReason,
}
