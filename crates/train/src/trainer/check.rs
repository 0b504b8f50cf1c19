//! Whether the settings of a run go together.

use wengert_optim::first::Goal;
use wengert_tensor::Float;
use wengert_tensor::names::nearest;

use super::Trainer;
use crate::error::TrainError;

impl<T: Float> Trainer<'_, T> {
    /// What is watched is measured, and the settings go together.
    pub(super) fn check(&mut self) -> Result<(), TrainError> {
        self.learner.check()?;
        self.others.iter().try_for_each(|(_, learner)| learner.check())?;
        let twice =
            |what, name: Option<String>| name.map_or(Ok(()), |name| Err(TrainError::Twice { what, name }));
        twice("learners", repeated(self.others.iter().map(|(name, _)| name)))?;
        twice("values", repeated(self.known.iter().map(|(name, _)| name)))?;
        if self.others_allowed && self.from.is_none() && !self.resume {
            let reason =
                "allow_other_settings: the run does not go on from another, by `resume` or `from_state`";
            return Err(TrainError::Settings(reason.to_owned()));
        }
        if let Some(stopping) = &mut self.stopping {
            stopping.set_goal(goal_of(&self.known, &stopping.name)?);
        }
        if let Some(plateau) = &mut self.plateau {
            plateau.schedule.goal = goal_of(&self.known, &plateau.name)?;
        }
        let refuse = |reason: &str| Err(TrainError::Settings(reason.to_owned()));
        if self.plateau.is_some() && self.learner.has_schedule() {
            return refuse("the learning rate is set by a schedule and on plateaus: only one can");
        }
        if self.resume && self.checkpoints.is_none() {
            return refuse("resume: there is no folder of checkpoints to go on from");
        }
        if let Some(group) = &self.group
            && group.division().shards() > 1
            && self.learner.optimizer().is_some_and(|optimizer| optimizer.gradients_per_step() > 1)
        {
            let name = self.learner.optimizer().map_or("", |optimizer| optimizer.name());
            return Err(TrainError::Settings(format!(
                "{name} takes several gradients a step, which workers do not add up"
            )));
        }
        if self.group.as_ref().is_some_and(|group| group.shares_state()) {
            self.learner.check_sharing()?;
            self.others.iter().try_for_each(|(_, learner)| learner.check_sharing())?;
        }
        if self.resume && self.from.is_some() {
            return refuse("a run goes on from a state or from checkpoints: only one can be");
        }
        Ok(())
    }
}

fn goal_of(known: &[(String, Goal)], name: &str) -> Result<Goal, TrainError> {
    if let Some((_, goal)) = known.iter().find(|(known, _)| known == name) {
        return Ok(*goal);
    }
    Err(TrainError::UnknownValue { name: name.to_owned(), known: nearest_values(name, known) })
}

/// The names of the values that are most like this one, nearest first.
pub(crate) fn nearest_values(name: &str, known: &[(String, Goal)]) -> Vec<String> {
    let nearest = nearest(name, known.iter().map(|(name, _)| name.as_str()), 10);
    nearest.into_iter().map(str::to_owned).collect()
}

fn repeated<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name)).cloned()
}
