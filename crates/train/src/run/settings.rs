//! The settings of a run: those that another must have to go on from it, and what observers are told of them.

use wengert_state::{Scalar, State};
use wengert_tensor::Float;

use super::Run;
use super::state::{OTHERS, PLATEAU, STOPPING};
use crate::checkpoint::{CheckpointError, Differences, differences};
use crate::error::TrainError;
use crate::learner::{OPTIMIZER, PARAMS, SETTINGS, STEPPER, is_some, none};
use crate::monitor::{Plateau, Stopping};
use crate::trainer::Trainer;

/// All that changes the course of a run, by name.
pub(super) fn of<T: Float>(trainer: &Trainer<'_, T>) -> State {
    let others = State::new(OTHERS, 0);
    let others =
        trainer.others.iter().fold(others, |state, (name, other)| state.with_child(name, other.settings()));
    let settings = trainer
        .learner
        .settings()
        .with_child(OTHERS, others)
        .with_child(STOPPING, trainer.stopping.as_ref().map_or_else(none, Stopping::settings))
        .with_child(PLATEAU, trainer.plateau.as_ref().map_or_else(none, Plateau::settings));
    let data = trainer.data.iter().flat_map(|data| &data.scalars);
    data.fold(settings, |settings, (name, scalar)| settings.with_scalar(name, scalar.clone()))
}

/// What observers are told: what is in force first, then what the program notes, then everything.
pub(super) fn notes<T: Float>(run: &Run<'_, T>) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let mut note = |name: &str, value: String| notes.push((name.to_owned(), value));
    if let Some(optimizer) = run.learner.optimizer() {
        note(OPTIMIZER, optimizer.name().to_owned());
    }
    if let Some(rate) = run.learner.learning_rate() {
        note("learning_rate", rate.to_string());
    }
    run.notes.iter().for_each(|(name, value)| note(name, value.clone()));
    note("parameters", run.learner.params().len().to_string());
    let program = notes.len();
    flatten("", &run.settings, &mut notes);
    // A name stands once, with what was said first.
    let mut known: Vec<String> = notes[..program].iter().map(|(name, _)| name.clone()).collect();
    let rest = notes.split_off(program);
    for (name, value) in rest {
        if !known.contains(&name) {
            known.push(name.clone());
            notes.push((name, value));
        }
    }
    notes
}

fn flatten(path: &str, state: &State, notes: &mut Vec<(String, String)>) {
    let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if !path.is_empty() && ![SETTINGS, OTHERS].contains(&state.kind.as_str()) {
        notes.push((path.to_owned(), state.kind.clone()));
    }
    let set = state.scalars.iter().filter(|(_, scalar)| **scalar != Scalar::None);
    notes.extend(set.map(|(name, scalar)| (within(name), scalar.to_string())));
    for (name, child) in state.children.iter().filter(|(_, child)| is_some(child)) {
        flatten(&within(name), child, notes);
    }
}

impl<T: Float> Run<'_, T> {
    /// How a state is not that of a run with these settings.
    fn changed(&self, state: &State, known: Differences) -> Differences {
        known.with_settings(&self.settings, state.children.get(SETTINGS).unwrap_or(&none()))
    }

    /// Refuses the state of a run with other settings, unless such are allowed.
    pub(super) fn check_settings(&self, state: &State, allowed: bool) -> Result<(), TrainError> {
        let form = differences(&form(&self.state()), &form(state));
        // What cannot be loaded says so.
        if allowed || !form.is_empty() {
            return Ok(());
        }
        match self.changed(state, form) {
            differences if differences.is_empty() => Ok(()),
            differences => Err(TrainError::OtherSettings { differences }),
        }
    }

    /// Refuses the file of another run, with all that is different.
    pub(super) fn check_file(
        &self,
        path: &std::path::Path,
        state: &State,
        allowed: bool,
    ) -> Result<(), CheckpointError> {
        let path = path.to_owned();
        let form = differences(&form(&self.state()), &form(state));
        if !form.is_empty() {
            return Err(CheckpointError::Other { path, differences: self.changed(state, form) });
        }
        match self.changed(state, form) {
            differences if allowed || differences.is_empty() => Ok(()),
            differences => Err(CheckpointError::Settings { path, differences }),
        }
    }
}

/// The parts of a run's state whose form must be the same, and does not depend on how far it is. What else only some runs have
/// is among the settings.
fn form(state: &State) -> State {
    let of_learner = |state: &State| {
        let mut form = State::new(&state.kind, state.len);
        for name in [PARAMS, OPTIMIZER, STEPPER] {
            if let Ok(part) = state.child(name) {
                form = form.with_child(name, part.clone());
            }
        }
        form
    };
    let mut others = State::new(OTHERS, 0);
    if let Ok(there) = state.child(OTHERS) {
        for (name, learner) in &there.children {
            others = others.with_child(name, of_learner(learner));
        }
    }
    of_learner(state).with_child(OTHERS, others)
}
