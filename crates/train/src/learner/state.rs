//! A learner as a state.

use wengert_optim::Stepper;
use wengert_state::{State, StateError};
use wengert_tensor::Float;

use super::Learner;
use crate::error::TrainError;

/// The parts of the state.
pub(crate) const PARAMS: &str = "params";
pub(crate) const OPTIMIZER: &str = "optimizer";
pub(crate) const STEPPER: &str = "stepper";
pub(crate) const AVERAGE: &str = "average";

/// What stands where a run has nothing.
pub(crate) const NONE: &str = "none";

pub(crate) fn none() -> State {
    State::new(NONE, 0)
}

impl<T: Float> Learner<'_, T> {
    /// Everything that later steps depend on: the parameters, the optimiser, and what has been accumulated for it.
    pub fn state(&self) -> State {
        let mut stepper = self.stepper.as_ref().map_or_else(none, Stepper::state);
        let optimizer = stepper.children.remove(OPTIMIZER).unwrap_or_else(none);
        State::new("learner", self.params.len())
            .with_count("updates", self.updates)
            .with_child(PARAMS, self.params.state())
            .with_child(OPTIMIZER, optimizer)
            .with_child(STEPPER, stepper)
            .with_child(
                AVERAGE,
                self.average.as_ref().map_or_else(none, |snapshots| snapshots.average.state()),
            )
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another model or optimiser; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), TrainError> {
        state.expect("learner", &["updates"], &[], &[PARAMS, OPTIMIZER, STEPPER, AVERAGE])?;
        let updates = state.count("updates")?;
        let before = self.params.state();
        self.params.load_state(state.child(PARAMS)?)?;
        if let Err(error) = self.load_stepper(state) {
            self.params.load_state(&before)?;
            return Err(error.into());
        }
        self.updates = updates;
        Ok(())
    }

    fn load_stepper(&mut self, state: &State) -> Result<(), StateError> {
        let (optimizer, rest) = (state.child(OPTIMIZER)?, state.child(STEPPER)?);
        match &mut self.stepper {
            Some(stepper) => stepper.load_state(&rest.clone().with_child(OPTIMIZER, optimizer.clone()))?,
            None => rest.expect(NONE, &[], &[], &[])?,
        }
        match &mut self.average {
            Some(snapshots) => snapshots.average.load_state(state.child(AVERAGE)?),
            None => state.child(AVERAGE)?.expect(NONE, &[], &[], &[]),
        }
    }
}
