//! Local steps, and an average every so many of them.

use wengert_nn::Params;
use wengert_optim::{HyperParameterError, Optimizer};
use wengert_state::{State, StateError};

use super::turns::Turns;
use super::{average, average_buffers, check_model, told};
use crate::agreement::{agree_on_model, fingerprint, text};
use crate::communicator::{Communicated, Communicator, Shared};

/// Every rank makes `every` steps by itself; then all go on from the mean of their parameters (local SGD: Stich 2019), or from
/// where an *outer* optimiser steps with the mean of what the ranks moved by as its gradient (DiLoCo: Douillard 2023, whose outer
/// optimiser is Nesterov's momentum of 0.9 at a rate of 0.7). It communicates a fraction 1/`every` of what averaging gradients
/// takes.
///
/// Each rank's own optimiser keeps its state. Running statistics are averaged with the parameters. One rank without an outer
/// optimiser has the bits of the serial program; with one it makes outer steps too, as DiLoCo with one worker does.
///
/// ```
/// use wengert_distributed::{local::LocalSgd, threads};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::Sgd;
/// use wengert_optim::first::SgdConfig;
/// use wengert_train::Training;
///
/// // Two ranks, whose targets are 1 and 3, find the middle.
/// let found = threads::run(2, |ranks| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let x = params.root().param("x", [1], Init::Zeros);
///     let target = 1.0 + 2.0 * ranks.rank() as f64;
///     let outer = Sgd::with_config(0.7, SgdConfig { momentum: 0.5, nesterov: true, ..Default::default() }).unwrap();
///     let mut local = LocalSgd::new(&*ranks, &params, 10).unwrap().outer(outer);
///     let mut sgd = Sgd::new(0.05);
///     for _ in 0..400 {
///         params.train_step(&mut sgd, |cx| (cx.param(x) - target).square().sum()).unwrap();
///         local.after_step(&mut params)?;
///     }
///     local.finish(&mut params)?;
///     Ok(params.values()[0])
/// })?;
/// assert!((found[0] - 2.0).abs() < 1e-6 && found[0] == found[1]);
/// # Ok::<(), threads::RankFailed>(())
/// ```
pub struct LocalSgd<'a, T: Shared = f32> {
    communicator: &'a dyn Communicator,
    turns: Turns,
    outer: Option<Box<dyn Optimizer<T>>>,
    /// Where all ranks were after the last meeting.
    anchor: Vec<T>,
    rounds: u64,
    /// Whether the ranks have found that they are alike.
    agreed: bool,
}

impl<'a, T: Shared> LocalSgd<'a, T> {
    const NAME: &'static str = "local_sgd";

    /// Meets after every `every` steps. The parameters are the same on all ranks.
    ///
    /// # Errors
    /// If `every` is 0.
    pub fn new(
        communicator: &'a dyn Communicator,
        params: &Params<T>,
        every: u64,
    ) -> Result<Self, HyperParameterError> {
        let (turns, anchor) = (Turns::new(Self::NAME, every)?, params.values().to_vec());
        Ok(LocalSgd { communicator, turns, outer: None, anchor, rounds: 0, agreed: false })
    }

    /// Steps with this optimiser between the meetings, the same on all ranks.
    pub fn outer(mut self, optimizer: impl Optimizer<T> + 'static) -> Self {
        self.outer = Some(Box::new(optimizer));
        self
    }

    /// The meetings so far.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Counts a step, and meets if it is time, which is returned.
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    ///
    /// # Panics
    /// If there are not as many parameters as at the start.
    #[track_caller]
    pub fn after_step(&mut self, params: &mut Params<T>) -> Communicated<bool> {
        check_model("after_step", params, self.anchor.len());
        let due = self.turns.step();
        if due {
            self.meet(params, false)?;
        }
        Ok(due)
    }

    /// Meets whatever the number of steps, until all ranks are here: at the end of an epoch or of the training. Ranks may have
    /// made different numbers of steps.
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    ///
    /// # Panics
    /// If there are not as many parameters as at the start.
    #[track_caller]
    pub fn finish(&mut self, params: &mut Params<T>) -> Communicated {
        check_model("finish", params, self.anchor.len());
        if self.communicator.size() == 1 && self.turns.steps() == 0 {
            return Ok(());
        }
        while !self.meet(params, true)? {}
        self.turns.set_steps(0);
        Ok(())
    }

    /// The first meeting begins with finding out whether all have the same settings and model, and began with the same parameters.
    fn agree(&mut self, params: &Params<T>) -> Communicated {
        if self.agreed {
            return Ok(());
        }
        let outer = self.outer.as_ref().map(|outer| (outer.name(), outer.learning_rate(), outer.settings()));
        let facts = [
            ("number of parameters", self.anchor.len().to_string()),
            ("number of steps between meetings", self.turns.every().to_string()),
            ("outer optimizer", outer.as_ref().map_or("none", |outer| outer.0).to_owned()),
            ("rate of the outer optimizer", outer.as_ref().map_or(0.0, |outer| outer.1).to_string()),
            ("settings of the outer optimizer", text(outer.as_ref().map(|outer| &outer.2))),
            ("parameters at the start", fingerprint(&self.anchor)),
        ];
        agree_on_model(self.communicator, Self::NAME, &facts, params)?;
        self.agreed = true;
        Ok(())
    }

    /// One meeting. Whether all ranks have finished.
    fn meet(&mut self, params: &mut Params<T>, finished: bool) -> Communicated<bool> {
        self.agree(params)?;
        let ended = told(self.communicator, Self::NAME, (params.values(), &self.anchor), finished)?;
        self.rounds += 1;
        let mut values = params.values().to_vec();
        average(self.communicator, &mut values)?;
        if let Some(outer) = &mut self.outer {
            let moved: Vec<T> = self.anchor.iter().zip(&values).map(|(&from, &to)| from - to).collect();
            outer.step(&mut self.anchor, &moved);
            values.copy_from_slice(&self.anchor);
        } else {
            self.anchor.copy_from_slice(&values);
        }
        params.values_mut().copy_from_slice(&values);
        average_buffers(self.communicator, params)?;
        Ok(ended)
    }

    /// Everything that later meetings depend on, beside the parameters.
    ///
    /// ```
    /// use wengert_distributed::{CommunicatorError, Single, local::LocalSgd};
    /// use wengert_nn::{Init, Params};
    /// use wengert_optim::Sgd;
    ///
    /// let ranks = Single::new();
    /// let mut params: Params<f64> = Params::seeded(0);
    /// params.root().param("x", [1], Init::Zeros);
    /// let mut local = LocalSgd::new(&ranks, &params, 4).unwrap().outer(Sgd::new(0.5));
    /// for _ in 0..6 {
    ///     params.values_mut()[0] += 1.0;
    ///     local.after_step(&mut params)?;
    /// }
    /// // Another goes on from here: it meets after two more steps, by half of the way from the last meeting.
    /// let mut other = LocalSgd::new(&ranks, &params, 4).unwrap().outer(Sgd::new(0.5));
    /// other.load_state(&local.state()).unwrap();
    /// assert!(!other.after_step(&mut params)? && other.after_step(&mut params)?);
    /// assert_eq!((other.rounds(), params.values()), (2, &[3.0][..]));
    /// # Ok::<(), CommunicatorError>(())
    /// ```
    pub fn state(&self) -> State {
        let state = State::new(Self::NAME, self.anchor.len())
            .with_count("steps", self.turns.steps())
            .with_count("rounds", self.rounds)
            .with_vector("anchor", &self.anchor);
        match &self.outer {
            Some(outer) => state.with_child("outer", outer.state()),
            None => state,
        }
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another kind, length or precision; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        let children: &[&str] = if self.outer.is_some() { &["outer"] } else { &[] };
        state.expect(Self::NAME, &["steps", "rounds"], &["anchor"], children)?;
        let (steps, rounds) = (state.count("steps")?, state.count("rounds")?);
        let anchor = state.vector("anchor", self.anchor.len())?;
        if let Some(outer) = &mut self.outer {
            outer.load_state(state.child("outer")?)?;
        }
        self.turns.set_steps(steps);
        (self.rounds, self.anchor, self.agreed) = (rounds, anchor, false);
        Ok(())
    }
}
