//! Checkpoints of a run.

use wengert_state::State;
use wengert_tensor::Float;

use super::Run;
use crate::checkpoint::{CheckpointStore, Checkpoints};
use crate::error::TrainError;
use crate::event::{Event, Moment};
use crate::place::{At, Start};

/// A run's checkpoints, and what has happened since the last.
pub(super) struct Saving {
    store: CheckpointStore,
    /// What was measured since.
    values: Vec<(String, f64)>,
    /// The epoch of the last step, and the step with which this run began.
    epoch: u64,
    first: u64,
}

impl Saving {
    pub(super) fn measured(&mut self, name: String, value: f64) {
        self.values.push((name, value));
    }
}

impl<T: Float> Run<'_, T> {
    /// Opens the folder, and goes on from what is there if that is wanted.
    pub(super) fn open(&mut self, rules: &Checkpoints, resume: bool, others: bool) -> Result<(), TrainError> {
        if self.place.workers().is_some_and(|workers| workers.rank() > 0) {
            // The first worker has the folder.
            if let Some(state) = self.state_of_first(None)? {
                self.load_state(&state, others)?;
            }
            return Ok(());
        }
        let store = rules.open(&self.known)?;
        let mut found = None;
        if !resume {
            store.expect_unused()?;
        } else if let Some((path, state)) = store.read_newest()? {
            self.check_file(&path, &state, others)?;
            found = Some(state);
        }
        if let Some(state) = self.state_of_first(found)? {
            self.load_state(&state, others)?;
        }
        let (epoch, first) = (self.place.at().epoch, self.log.steps);
        self.saving = Some(Saving { store, values: Vec::new(), epoch, first });
        Ok(())
    }

    /// Saves the run if it is time to, before anything is done with what was given out.
    pub(super) fn save_if_due(&mut self) -> Result<(), TrainError> {
        let at = self.place.at();
        if !at.is_fresh() {
            return Ok(());
        }
        let due = self.due(&at);
        self.save_when(due, at.start(), Some(at.unit))?;
        self.tell_saved();
        Ok(())
    }

    /// The moment to save the run as, if this worker writes checkpoints and it is time to.
    fn due(&mut self, at: &At) -> Option<Moment> {
        let saving = self.saving.as_mut()?;
        let now = self.log.moment(at);
        let ended = std::mem::replace(&mut saving.epoch, at.epoch) != at.epoch;
        // A run that ends with the step under way is saved behind it.
        if now.step == saving.first || self.reason.is_some() {
            return None;
        }
        let moment = if ended { Moment { epoch: at.epoch, ..now } } else { now };
        if saving.store.is_due(&moment, ended) || saving.store.is_best(&saving.values) {
            return Some(moment);
        }
        saving.values.clear();
        None
    }

    /// Saves the run if it is time to, before something other than a step changes it.
    pub(super) fn save_before_change(&mut self) {
        if let Err(error) = self.save_if_due() {
            self.unsaved = Some(error);
        }
        self.place.changed();
    }

    /// Saves the run if it is time to, at the end of an iteration.
    pub(super) fn save_iteration(&mut self) -> Result<(), TrainError> {
        let now = self.now();
        let Some(saving) = &mut self.saving else { return Ok(()) };
        if saving.store.is_due(&now, true) || saving.store.is_best(&saving.values) {
            self.save(self.place.at().start(), None, &now)?;
        }
        self.tell_saved();
        Ok(())
    }

    fn save(&mut self, start: Start, before: Option<u64>, now: &Moment) -> Result<(), TrainError> {
        let state = self.prepared(start, before);
        self.submit(state, now)
    }

    /// The run's state, in the memory of those that are written already.
    fn prepared(&mut self, start: Start, before: Option<u64>) -> State {
        let Some(mut saving) = self.saving.take() else { return self.state_at(start, before) };
        let state = saving.store.prepare(|| self.state_at(start, before));
        self.saving = Some(saving);
        state
    }

    fn submit(&mut self, state: State, now: &Moment) -> Result<(), TrainError> {
        let Some(saving) = &mut self.saving else { return Ok(()) };
        let values = std::mem::take(&mut saving.values);
        Ok(saving.store.submit(state, now, &values)?)
    }

    /// Saves the run as it was at the moment that the first worker has, if it has one. Where workers have parts of it, all take part.
    fn save_when(
        &mut self,
        due: Option<Moment>,
        start: Start,
        before: Option<u64>,
    ) -> Result<(), TrainError> {
        if !self.is_spread() {
            return due.map_or(Ok(()), |now| self.save(start, before, &now));
        }
        if !self.as_first(due.is_some())? {
            return Ok(());
        }
        self.settle_losses();
        let state = self.prepared(start, before);
        let state = self.gathered(state)?;
        state.zip(due).map_or(Ok(()), |(state, now)| self.submit(state, &now))
    }

    /// Saves the run at its end, and waits until that is done.
    pub(super) fn save_last(&mut self) -> Result<(), TrainError> {
        let due = self.has_moved().then(|| self.now());
        if due.is_none() && !self.is_spread() {
            return Ok(());
        }
        let saved = self.save_when(due, self.place.at().start(), None);
        let written = self.saving.as_mut().map_or(Ok(()), |saving| saving.store.flush());
        self.tell_saved();
        saved?;
        Ok(written?)
    }

    /// Saves what can be gone on from of a run that is given up, by a panic or an error of the program.
    pub(super) fn save_what_is_left(&mut self) {
        self.give_up_pieces();
        let (now, at) = (self.now(), self.place.at());
        let plain = self.others.is_empty() && self.kept.is_empty();
        let ends_here = at.is_fresh() && self.reason.is_some();
        if let Some(start) = at.start_from_failure(plain).filter(|_| !ends_here)
            && self.has_moved()
            && !self.lacks_parts()
        {
            // Whoever gave the run up has an error already.
            let _ = self.save(start, at.is_fresh().then_some(at.unit), &now);
            let _ = self.saving.as_mut().map(|saving| saving.store.flush());
        }
    }

    fn has_moved(&self) -> bool {
        self.saving.as_ref().is_some_and(|saving| saving.first != self.log.steps)
    }

    fn tell_saved(&mut self) {
        let now = self.now();
        let Some(saving) = &mut self.saving else { return };
        for path in saving.store.saved() {
            self.log.tell(&Event::Saved { path: &path }, &now);
        }
    }
}

impl<T: Float> Drop for Run<'_, T> {
    fn drop(&mut self) {
        if !self.finished {
            self.save_what_is_left();
        }
    }
}
