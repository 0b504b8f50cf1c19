//! A run as a state.

use std::time::Duration;

use wengert_data::Position;
use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

use super::spread::FOUND;
use super::{Losses, Run, columns};
use crate::error::TrainError;
use crate::learner::{AVERAGE, OPTIMIZER, PARAMS, SETTINGS, STEPPER, is_some, load_optional, none};
use crate::monitor::{Plateau, RATE, Stopping};
use crate::place::Start;
use crate::reason::StopReason;

/// The kinds of the state and of its parts, which are named after them.
const KIND: &str = "run";
const POSITION: &str = "position";
pub(super) const OTHERS: &str = "others";
const LOSSES: &str = "losses";
const HISTORY: &str = "history";
pub(super) const STOPPING: &str = "stopping";
pub(super) const PLATEAU: &str = "plateau";
const KEPT: &str = "kept";
const METHOD: &str = "method";

impl<T: Float> Run<'_, T> {
    /// Everything that the rest of the run depends on, as it is between two batches. Of what workers share out, the optimiser's state
    /// and gradients that wait for an update, it has what is here: the checkpoints of a run have all of it.
    ///
    /// ```
    /// use wengert_nn::{Init, Params};
    /// use wengert_optim::Sgd;
    /// use wengert_optim::first::Goal;
    /// use wengert_train::Trainer;
    ///
    /// let mut params: Params = Params::seeded(0);
    /// let w = params.root().param("w", [2], Init::Ones);
    /// let mut run = Trainer::new(&mut params, Sgd::new(0.1)).clip_value(10.0).records("own.size", Goal::Min).start()?;
    /// for _ in run.epochs(1)? {
    ///     run.step(|cx| cx.param(w).square().sum())?;
    ///     run.record("own", &[("size".to_owned(), 1.0)]);
    /// }
    /// let state = run.state();
    /// run.params_mut().values_mut().fill(7.0);
    /// drop(run);
    /// let run = Trainer::new(&mut params, Sgd::new(0.1)).clip_value(10.0).from_state(state).start()?;
    /// assert_eq!((run.params().values(), run.now().step), (&[0.8, 0.8][..], 1));
    /// assert_eq!(run.history().rows.len(), 2);
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    pub fn state(&self) -> State {
        let at = self.place.at();
        self.state_at(at.start(), at.is_fresh().then_some(at.unit))
    }

    /// The state that goes on there; what is kept is as it was before this batch.
    pub(super) fn state_at(&self, start: Start, before: Option<u64>) -> State {
        let mut others = State::new(OTHERS, 0);
        for (index, (name, learner)) in self.others.iter().enumerate() {
            others = others.with_child(name, self.of_unit(before, index + 1, learner.state()));
        }
        let losses = State::new(LOSSES, 0)
            .with_count("epoch", self.losses.epoch)
            .with_real("sum", self.losses.sum)
            .with_real("weight", self.losses.weight)
            .with_scalar("told", Scalar::Flag(self.losses.told));
        let stopped = match &self.reason {
            Some(StopReason::EarlyStopping(reason)) => reason.clone(),
            // Another run may go on where this one was to end.
            _ => String::new(),
        };
        // Parameters and optimiser stand where readers of the file look for them.
        let mut state = self.of_unit(before, 0, self.learner.state());
        state.kind = KIND.to_owned();
        state
            .with_count("epoch", start.epoch)
            .with_count("step", self.log.steps)
            .with_count("examples", self.log.examples)
            .with_real("seconds", self.log.elapsed().as_secs_f64())
            .with_scalar("stopped", Scalar::Text(stopped))
            .with_child(SETTINGS, self.settings.clone())
            .with_child(POSITION, start.position.as_ref().map_or_else(none, State::from))
            .with_child(OTHERS, others)
            .with_child(LOSSES, losses)
            .with_child(HISTORY, columns::state(&self.log.history))
            .with_child(STOPPING, self.stopping.as_ref().map_or_else(none, Stopping::state))
            .with_child(PLATEAU, self.plateau.as_ref().map_or_else(none, Plateau::state))
            .with_child(KEPT, self.kept.state(before))
            .with_child(METHOD, self.method.clone().unwrap_or_else(none))
    }

    /// The state of a network, with the random numbers that came next before this batch.
    fn of_unit(&self, before: Option<u64>, learner: usize, mut state: State) -> State {
        let evaluated = self.evaluated.borrow();
        if before.is_some() && evaluated.unit == before {
            let params = state.children.remove(PARAMS).unwrap_or_else(none);
            state = state.with_child(PARAMS, params.with_words("evaluations", &evaluated.counts[learner]));
        }
        state
    }

    /// Goes on from a saved state, before the first step.
    ///
    /// # Errors
    /// If it is not the state of a run with these settings; nothing is then changed.
    pub(super) fn load_state(&mut self, state: &State, others: bool) -> Result<(), TrainError> {
        let before = self.state();
        let loaded = self.load_parts(state, others).and_then(|()| self.put_in_force(state, &before));
        if loaded.is_err() {
            self.load_parts(&before, others)?;
        }
        loaded
    }

    /// Lets what the program has set take the place of what the file has, where it is part of a state and the settings are others.
    fn put_in_force(&mut self, state: &State, before: &State) -> Result<(), TrainError> {
        let (here, there) = (self.settings.clone(), state.child(SETTINGS)?);
        self.learner.put_in_force(&here, there, before)?;
        if let Some(plateau) = &mut self.plateau {
            let rate = |settings: &State| settings.child(PLATEAU).ok()?.scalars.get(RATE).cloned();
            if rate(&here) != rate(there) {
                plateau.load_state(before.child(PLATEAU)?)?;
            }
        }
        for (name, learner) in &mut self.others {
            let of = |settings: &State| Ok::<_, StateError>(settings.child(OTHERS)?.child(name)?.clone());
            learner.put_in_force(&of(&here)?, &of(there)?, before.child(OTHERS)?.child(name)?)?;
        }
        Ok(())
    }

    fn load_parts(&mut self, state: &State, others: bool) -> Result<(), TrainError> {
        let scalars = ["epoch", "step", "examples", "seconds", "stopped", "updates"];
        let mut children = vec![
            PARAMS, OPTIMIZER, STEPPER, AVERAGE, SETTINGS, POSITION, OTHERS, LOSSES, HISTORY, STOPPING,
            PLATEAU, KEPT, METHOD,
        ];
        children.extend(state.children.contains_key(FOUND).then_some(FOUND));
        state.expect(KIND, &scalars, &[], &children)?;
        let mut learner = State::new("learner", state.len).with_count("updates", state.count("updates")?);
        for part in [PARAMS, OPTIMIZER, STEPPER, AVERAGE] {
            learner = learner.with_child(part, state.child(part)?.clone());
        }
        self.learner.load(&learner, others)?;
        let names: Vec<&str> = self.others.iter().map(|(name, _)| name.as_str()).collect();
        state.child(OTHERS)?.expect(OTHERS, &[], &[], &names)?;
        for (name, learner) in &mut self.others {
            learner.load(state.child(OTHERS)?.child(name)?, others)?;
        }
        self.load_found(state)?;
        self.load_losses(state.child(LOSSES)?)?;
        load_optional(self.stopping.as_mut(), state.child(STOPPING)?, others, Stopping::load_state)?;
        load_optional(self.plateau.as_mut(), state.child(PLATEAU)?, others, Plateau::load_state)?;
        self.kept.load_state(state.child(KEPT)?)?;
        let method = state.child(METHOD)?;
        self.method = is_some(method).then(|| method.clone());
        self.load_progress(state)?;
        Ok(())
    }

    fn load_losses(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(LOSSES, &["epoch", "sum", "weight", "told"], &[], &[])?;
        self.losses = Losses {
            epoch: state.count("epoch")?,
            sum: state.real("sum")?,
            weight: state.real("weight")?,
            told: state.flag("told")?,
        };
        Ok(())
    }

    fn load_progress(&mut self, state: &State) -> Result<(), StateError> {
        let position = state.child(POSITION)?;
        let position = if is_some(position) { Some(Position::try_from(position)?) } else { None };
        let seconds = Duration::try_from_secs_f64(state.real("seconds")?);
        let seconds = seconds.map_err(|_| state.refuse("seconds", "a length of time"))?;
        let Scalar::Text(stopped) = state.scalar("stopped")? else {
            return Err(state.refuse("stopped", "a text"));
        };
        self.log.history = columns::read(state.child(HISTORY)?)?;
        self.log.steps = state.count("step")?;
        self.log.examples = state.count("examples")?;
        self.log.earlier = seconds;
        self.place.go_to(Start { epoch: state.count("epoch")?, position });
        self.evaluated.get_mut().unit = None;
        if !stopped.is_empty() {
            self.end(StopReason::EarlyStopping(stopped.clone()));
        }
        Ok(())
    }
}
