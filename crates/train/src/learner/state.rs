//! A learner as a state.

use wengert_optim::{Averaged, Optimizer, Stepper};
use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

use super::Learner;
use super::average::Snapshots;
use crate::error::TrainError;

/// The parts of the state.
pub(crate) const PARAMS: &str = "params";
pub(crate) const OPTIMIZER: &str = "optimizer";
pub(crate) const STEPPER: &str = "stepper";
pub(crate) const AVERAGE: &str = "average";
pub(crate) const SETTINGS: &str = "settings";
const RATE: &str = "learning_rate";
const FROZEN: &str = "frozen";

/// What stands where a run has nothing.
pub(crate) const NONE: &str = "none";

pub(crate) fn none() -> State {
    State::new(NONE, 0)
}

/// Whether a state is that of something, and not what stands where a run has nothing.
pub(crate) fn is_some(state: &State) -> bool {
    state.kind != NONE
}

impl<T: Float> Learner<'_, T> {
    /// What the program has set, by name: the optimiser's hyper-parameters and learning rate, the schedule, what is done to
    /// gradients, the average, which parameters are frozen.
    pub(crate) fn settings(&self) -> State {
        let state = self.stepper.as_ref().map_or_else(none, Stepper::settings);
        let rate = self.optimizer().filter(|_| self.schedule.is_none()).map(Optimizer::learning_rate);
        State { kind: SETTINGS.to_owned(), ..state }
            .with_scalar(RATE, rate.map_or(Scalar::None, Scalar::Real))
            .with_scalar(FROZEN, self.frozen())
            .with_child(OPTIMIZER, self.optimizer().map_or_else(none, Optimizer::settings))
            .with_child("schedule", self.schedule.as_ref().map_or_else(none, |schedule| schedule.settings()))
            .with_child(AVERAGE, self.average.as_ref().map_or_else(none, Snapshots::settings))
    }

    /// The names of the frozen parameters, if there are some.
    fn frozen(&self) -> Scalar {
        let snapshot = self.params.snapshot();
        let frozen = snapshot.layout().entries().iter().filter(|entry| entry.frozen);
        let names: Vec<&str> = frozen.map(|entry| entry.name.as_str()).collect();
        if names.is_empty() { Scalar::None } else { Scalar::Text(format!("[{}]", names.join(", "))) }
    }

    /// Lets the learning rates of the program, and what it has frozen, take the place of those of the state that was loaded, where they
    /// are not the same in the settings. `fresh` has the parameters and the optimiser as they were before.
    pub(crate) fn put_in_force(
        &mut self,
        here: &State,
        there: &State,
        fresh: &State,
    ) -> Result<(), StateError> {
        if here.scalars.get(FROZEN) != there.scalars.get(FROZEN) {
            let frozen = fresh.child(PARAMS)?.child(FROZEN)?.clone();
            self.params.load_state(&self.params.state().with_child(FROZEN, frozen))?;
        }
        let Some(optimizer) = self.optimizer_mut() else { return Ok(()) };
        if !same_rates(here, there) {
            let state = with_rates(optimizer.state(), fresh.child(OPTIMIZER)?);
            optimizer.load_state(&state)?;
        }
        Ok(())
    }

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
    /// If the state is of another model or optimiser, or an average is only here or only there; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), TrainError> {
        self.load(state, false)
    }

    /// As [`load_state`](Self::load_state); where settings may be others, an average that is not in the state begins anew, and
    /// one that is not here is left out.
    pub(crate) fn load(&mut self, state: &State, others: bool) -> Result<(), TrainError> {
        state.expect("learner", &["updates"], &[], &[PARAMS, OPTIMIZER, STEPPER, AVERAGE])?;
        let updates = state.count("updates")?;
        let before = self.params.state();
        self.params.load_state(state.child(PARAMS)?)?;
        if let Err(error) = self.load_stepper(state, others) {
            self.params.load_state(&before)?;
            return Err(error.into());
        }
        self.updates = updates;
        Ok(())
    }

    fn load_stepper(&mut self, state: &State, others: bool) -> Result<(), StateError> {
        let (optimizer, rest) = (state.child(OPTIMIZER)?, state.child(STEPPER)?);
        match &mut self.stepper {
            Some(stepper) => stepper.load_state(&rest.clone().with_child(OPTIMIZER, optimizer.clone()))?,
            None => rest.expect(NONE, &[], &[], &[])?,
        }
        let average = self.average.as_mut().map(|snapshots| &mut snapshots.average);
        load_optional(average, state.child(AVERAGE)?, others, Averaged::load_state)
    }
}

/// A part that only some runs have; where it need not be the same in both, it may be in one only.
pub(crate) fn load_optional<P>(
    part: Option<&mut P>,
    state: &State,
    others: bool,
    load: impl FnOnce(&mut P, &State) -> Result<(), StateError>,
) -> Result<(), StateError> {
    match part {
        Some(_) if others && !is_some(state) => Ok(()),
        Some(part) => load(part, state),
        None if others => Ok(()),
        None => state.expect(NONE, &[], &[], &[]),
    }
}

/// Whether the learning rates in two settings are the same, also those of groups.
fn same_rates(here: &State, there: &State) -> bool {
    let same = |(name, here): (&String, &State)| {
        there.children.get(name).is_none_or(|there| same_rates(here, there))
    };
    here.scalars.get(RATE) == there.scalars.get(RATE) && here.children.iter().all(same)
}

/// A state of an optimiser with the learning rates of another.
fn with_rates(mut state: State, rates: &State) -> State {
    if let Some(rate) = rates.scalars.get(RATE) {
        state.scalars.insert(RATE.to_owned(), rate.clone());
    }
    for (name, child) in &mut state.children {
        if let Some(rates) = rates.children.get(name) {
            *child = with_rates(std::mem::replace(child, none()), rates);
        }
    }
    state
}
