//! What the workers of a run have in common.

use wengert_state::State;
use wengert_tensor::Float;

use super::Run;
use crate::error::TrainError;
use crate::parallel;
use crate::shares::Shares;

impl<T: Float> Run<'_, T> {
    /// Lets the workers find out whether they run the same program, and gives all the model of the first.
    /// `resumes` says whether checkpoints are kept, and then whether the run goes on from one.
    pub(super) fn meet(&mut self, resumes: Option<bool>) -> Result<(), TrainError> {
        let Some(together) = &self.together else { return Ok(()) };
        let group = &*together.group;
        let division = group.division();
        if !self.others.is_empty() && division.shards() > group.workers() {
            return Err(TrainError::Settings(format!(
                "several networks in a run need a worker for each shard of a batch: there are {} for {}",
                group.workers(),
                division.shards()
            )));
        }
        let mut facts = super::settings::notes(self);
        let whole = if group.shards(1.0).is_some() { "whole batch" } else { "shard" };
        let kept = match resumes {
            None => "not kept",
            Some(false) => "kept",
            Some(true) => "kept, and gone on from",
        };
        facts.push(("checkpoints".to_owned(), kept.to_owned()));
        let values: Vec<&str> = self.known.iter().map(|(name, _)| name.as_str()).collect();
        facts.push(("measured values".to_owned(), values.join(", ")));
        facts.push(("statistics of a batch are those of its".to_owned(), whole.to_owned()));
        facts.extend(parallel::facts(self.learner.params(), group));
        for (name, other) in &self.others {
            let own = parallel::facts(other.params(), group).into_iter();
            facts.extend(own.map(|(what, value)| (format!("{what} of {name}"), value)));
        }
        parallel::expect_alike(group, &facts)?;
        parallel::take_over_first(self.learner.params_mut(), group)?;
        self.others.iter_mut().try_for_each(|(_, other)| parallel::take_over_first(other.params_mut(), group))
    }

    /// Shares the state of the optimisers out among the workers, if they do so.
    pub(super) fn share_state(&mut self) {
        let Some(together) = &self.together else { return };
        let group = &together.group;
        if group.shares_state() && group.workers() > 1 {
            let others = self.others.iter_mut().map(|(_, other)| other);
            for learner in std::iter::once(&mut self.learner).chain(others) {
                learner.share(Shares::new(group, learner.params().len()));
            }
        }
    }

    /// What the first worker has of a state to go on from.
    pub(super) fn state_of_first(&self, mine: Option<State>) -> Result<Option<State>, TrainError> {
        let Some(workers) = self.place.workers() else { return Ok(mine) };
        let message =
            mine.filter(|_| workers.rank() == 0).map_or_else(Vec::new, |state| parallel::bytes(&state));
        let message = workers.message_of_first(message).map_err(TrainError::Workers)?;
        if message.is_empty() { Ok(None) } else { parallel::state(&message).map(Some) }
    }

    /// Whether all workers still have the same model.
    pub(super) fn compare_with_others(&self) -> Result<(), TrainError> {
        let Some(workers) = self.place.workers() else { return Ok(()) };
        let mut facts = vec![parallel::fact_of(self.learner.params())];
        facts.extend(self.others.iter().map(|(name, other)| {
            let (what, value) = parallel::fact_of(other.params());
            (format!("{what} of {name}"), value)
        }));
        parallel::expect_alike(workers, &facts)
    }
}
