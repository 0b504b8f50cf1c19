//! When it is time to meet.

use wengert_optim::{Check, HyperParameterError};

/// Counts a rank's steps from one meeting to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turns {
    every: u64,
    steps: u64,
}

impl Turns {
    /// One of `every` steps is followed by a meeting.
    ///
    /// # Errors
    /// If `every` is 0.
    pub(super) fn new(method: &'static str, every: u64) -> Result<Self, HyperParameterError> {
        Check::new(method).at_least_one("every", every as f64)?;
        Ok(Turns { every, steps: 0 })
    }

    /// Counts a step. Whether it is time.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        let due = self.steps >= self.every;
        if due {
            self.steps = 0;
        }
        due
    }

    /// The steps from one meeting to the next.
    pub(super) fn every(self) -> u64 {
        self.every
    }

    /// The steps since the last meeting.
    pub(super) fn steps(self) -> u64 {
        self.steps
    }

    /// Goes on with so many steps since the last meeting.
    pub(super) fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }
}
