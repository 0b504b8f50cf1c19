//! Checkpoints of what is spread over several workers: the shares of an optimiser's state, and gradients that wait for an update.

use wengert_state::State;
use wengert_tensor::Float;

use super::state::OTHERS;
use super::{Run, found};
use crate::error::TrainError;
use crate::learner::{Learner, OPTIMIZER, STEPPER};
use crate::parallel;
use crate::shares;

/// The part of a run's state that has gradients that wait for an update.
pub(super) const FOUND: &str = "found";

impl<T: Float> Run<'_, T> {
    fn learners(&self) -> impl Iterator<Item = &Learner<'_, T>> {
        std::iter::once(&self.learner).chain(self.others.iter().map(|(_, other)| other))
    }

    /// Whether a checkpoint may need what other workers have: then all save together.
    pub(super) fn is_spread(&self) -> bool {
        let Some(together) = &self.together else { return false };
        let accumulates =
            together.shards().1 > 1 && self.learners().any(|one| one.gradients_per_update() > 1);
        self.has_checkpoints && (accumulates || self.learner.shares().is_some())
    }

    /// Whether this worker alone can save nothing, as others have a part.
    pub(super) fn lacks_parts(&self) -> bool {
        let waiting = |together: &super::Together<T>| together.found.iter().any(|found| found.batches > 0);
        self.learner.shares().is_some() || self.together.as_ref().is_some_and(waiting)
    }

    /// What the first worker decides.
    pub(super) fn as_first(&self, mine: bool) -> Result<bool, TrainError> {
        let Some(workers) = self.place.workers() else { return Ok(mine) };
        let message = workers.message_of_first(vec![u8::from(mine)]).map_err(TrainError::Workers)?;
        Ok(message == [1])
    }

    /// For the first worker, the state with what the others have of it. All call this.
    pub(super) fn gathered(&self, mut state: State) -> Result<Option<State>, TrainError> {
        let Some(together) = &self.together else { return Ok(Some(state)) };
        let shared = self.learner.shares().is_some();
        let mut mine = State::new("part", 0);
        for (index, (learner, found)) in self.learners().zip(&together.found).enumerate() {
            if let Some(optimizer) = learner.optimizer().filter(|_| shared) {
                mine = mine.with_child(&format!("optimizer.{index}"), optimizer.state());
            }
            if found.batches > 0 {
                mine = mine.with_child(&format!("found.{index}"), found.state(together.shards().0));
            }
        }
        let parts = together.group.messages_to_first(parallel::bytes(&mine)).map_err(TrainError::Workers)?;
        if parts.is_empty() {
            return Ok(None);
        }
        let parts: Vec<State> = parts.iter().map(|part| parallel::state(part)).collect::<Result<_, _>>()?;
        let of_all =
            |name: &str| parts.iter().filter_map(|part| part.children.get(name).cloned()).collect::<Vec<_>>();
        let mut waiting = State::new(FOUND, 0);
        for index in 0..together.found.len() {
            if shared {
                let whole = shares::joined(of_all(&format!("optimizer.{index}")))?;
                let of = self.others.get(index.wrapping_sub(1)).map(|(name, _)| name);
                let place = match of {
                    None => Some(&mut state),
                    Some(name) => {
                        state.children.get_mut(OTHERS).and_then(|others| others.children.get_mut(name))
                    }
                };
                place.map(|learner| learner.children.insert(OPTIMIZER.to_owned(), whole));
            }
            let found = of_all(&format!("found.{index}"));
            if !found.is_empty() {
                waiting = waiting.with_child(&index.to_string(), found::joined(found));
            }
        }
        Ok(Some(if waiting.children.is_empty() { state } else { state.with_child(FOUND, waiting) }))
    }

    /// Goes on with the gradients that waited for an update.
    pub(super) fn load_found(&mut self, state: &State) -> Result<(), TrainError> {
        let refuse = |reason: &str| Err(TrainError::Settings(reason.to_owned()));
        let waits = |learner: &State| {
            learner.child(STEPPER).is_ok_and(|it| it.count("gradients").is_ok_and(|n| n > 0))
        };
        let waiting = state.children.get(FOUND);
        let several = self.together.as_ref().filter(|together| together.shards().1 > 1).is_some();
        if waiting.is_some() && !several {
            return refuse(
                "the run was saved by several workers between two batches of an update: go on with several",
            );
        }
        let others = state.child(OTHERS)?;
        if several && (waits(state) || others.children.values().any(waits)) {
            return refuse(
                "the run was saved by one program between two batches of an update: go on without workers",
            );
        }
        let lens: Vec<[usize; 2]> = self
            .learners()
            .map(|learner| [learner.params().len(), learner.params().buffer_values().len()])
            .collect();
        let counts: Vec<Vec<i64>> = self
            .learners()
            .map(|learner| learner.params().counts().into_iter().map(|(_, count)| count).collect())
            .collect();
        let Some(together) = &mut self.together else { return Ok(()) };
        let (own, shards) = together.shards();
        for (index, found) in together.found.iter_mut().enumerate() {
            found.clear();
            if let Some(saved) = waiting.and_then(|waiting| waiting.children.get(&index.to_string())) {
                found.counts = counts[index].clone();
                found.load(saved, own.clone(), shards, lens[index])?;
            }
        }
        Ok(())
    }
}
