//! Why a minimisation cannot start, and the checks that say so.

use wengert_state::StateError;

use super::vector::{self, Float};

/// Why a minimisation could not start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MinimizeError {
    /// The problem has no variables.
    #[error("the problem has no variables")]
    ZeroDimension,
    /// A vector of the wrong length.
    #[error("{what} has {found} elements, the problem has {expected}")]
    WrongLength {
        /// Which vector.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// The start has an infinite or NaN element.
    #[error("element {index} of the start is {value}")]
    NonFiniteStart {
        /// Which element.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The objective, or its gradient, is infinite or NaN at the start.
    #[error("the objective or its gradient is not finite at the start (f = {value})")]
    UndefinedAtStart {
        /// f at the start.
        value: f64,
    },
    /// A lower bound above the upper, or NaN.
    #[error("bounds of variable {index} are inconsistent: [{lower}, {upper}]")]
    InconsistentBounds {
        /// Which variable.
        index: usize,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// The method needs something that the objective does not give.
    #[error("{method} needs {what}, which this objective does not give")]
    Missing {
        /// The method.
        method: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// A setting outside its range.
    #[error("{name} = {value} must be {requirement}")]
    InvalidSetting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// A setting that has no effect beside another.
    #[error("{method} does not take {what}")]
    NotTaken {
        /// The method.
        method: &'static str,
        /// What it was given.
        what: &'static str,
    },
    /// A state that is not one of a run of this method.
    #[error(transparent)]
    State(#[from] StateError),
    /// A checkpoint that no run of this method on this objective can have written.
    #[error("the checkpoint's {field} is {found}, but must be {expected}")]
    Checkpoint {
        /// The field at fault.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
}

impl MinimizeError {
    /// An [`InvalidSetting`](Self::InvalidSetting) unless `holds(value)`.
    pub(crate) fn require(
        name: &'static str,
        value: f64,
        requirement: &'static str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<(), Self> {
        if holds(value) { Ok(()) } else { Err(Self::InvalidSetting { name, value, requirement }) }
    }

    /// An [`InvalidSetting`](Self::InvalidSetting) for a number of 0, if there is one.
    pub(crate) fn at_least_one(name: &'static str, number: Option<u64>) -> Result<(), Self> {
        Self::require(name, number.map_or(1.0, |n| n as f64), "at least 1", |n| n >= 1.0)
    }

    /// A [`WrongLength`](Self::WrongLength) unless the lengths agree.
    pub(crate) fn length(what: &'static str, found: usize, expected: usize) -> Result<(), Self> {
        if found == expected { Ok(()) } else { Err(Self::WrongLength { what, expected, found }) }
    }

    /// Checks a start of a problem of `dimension` variables.
    pub(crate) fn start<T: Float>(start: &[T], dimension: usize) -> Result<(), Self> {
        if dimension == 0 {
            return Err(Self::ZeroDimension);
        }
        Self::length("the start", start.len(), dimension)?;
        match vector::all_finite(start) {
            true => Ok(()),
            false => {
                let index = start.iter().position(|x| !x.is_finite()).unwrap_or(0);
                Err(Self::NonFiniteStart { index, value: start[index].to_f64() })
            }
        }
    }
}
