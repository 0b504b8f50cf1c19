//! Elastic averaging.

use wengert_nn::Params;
use wengert_optim::{Check, HyperParameterError};
use wengert_state::{State, StateError};

use super::turns::Turns;
use super::{average_buffers, check_model, told};
use crate::agreement::{agree_on_model, fingerprint};
use crate::communicator::{Communicated, Communicator, Reduction, Shared};

/// Ranks that are drawn to a common centre, and it to them (EASGD: Zhang 2015, the synchronous form): every `every` steps
/// xᵢ ← xᵢ − α (xᵢ − c) and c ← c + α Σ (xᵢ − c), with α = `moving`/R on R ranks. The ranks explore for themselves; the centre
/// is what to evaluate.
///
/// A rank alone has no others to be drawn to: its parameters are the centre.
///
/// ```
/// use wengert_distributed::{local::ElasticAveraging, threads};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::Sgd;
/// use wengert_train::Training;
///
/// // Two ranks, whose targets are 1 and 3: the centre is in the middle, and each rank on its side of it.
/// let found = threads::run(2, |ranks| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let x = params.root().param("x", [1], Init::Zeros);
///     let target = 1.0 + 2.0 * ranks.rank() as f64;
///     let mut elastic = ElasticAveraging::new(&*ranks, &params, 5, 0.9).unwrap();
///     let mut sgd = Sgd::new(0.05);
///     for _ in 0..500 {
///         params.train_step(&mut sgd, |cx| (cx.param(x) - target).square().sum()).unwrap();
///         elastic.after_step(&mut params)?;
///     }
///     Ok([params.values()[0], elastic.centre()[0]])
/// })?;
/// assert!((found[0][1] - 2.0).abs() < 1e-6 && found[0][0] < 2.0 && found[1][0] > 2.0);
/// # Ok::<(), threads::RankFailed>(())
/// ```
pub struct ElasticAveraging<'a, T: Shared = f32> {
    communicator: &'a dyn Communicator,
    turns: Turns,
    pull: T,
    centre: Vec<T>,
    /// Whether the ranks have found that they are alike.
    agreed: bool,
}

impl<'a, T: Shared> ElasticAveraging<'a, T> {
    const NAME: &'static str = "elastic_averaging";

    /// Meets every `every` steps; `moving` is by how much of its distance from the ranks' mean the centre moves, in (0, 1]. The
    /// parameters are the same on all ranks.
    ///
    /// # Errors
    /// If `every` is 0 or `moving` not in (0, 1].
    pub fn new(
        communicator: &'a dyn Communicator,
        params: &Params<T>,
        every: u64,
        moving: f64,
    ) -> Result<Self, HyperParameterError> {
        let turns = Turns::new(Self::NAME, every)?;
        let holds = moving > 0.0 && moving <= 1.0;
        Check::new(Self::NAME).condition(holds, "moving", moving, "above 0 and at most 1")?;
        let pull = T::from_f64(moving / communicator.size() as f64);
        let centre = params.values().to_vec();
        Ok(ElasticAveraging { communicator, turns, pull, centre, agreed: false })
    }

    /// Where the ranks are drawn to, the same on all of them.
    pub fn centre(&self) -> &[T] {
        &self.centre
    }

    /// Counts a step, and meets if it is time, which is returned. Running statistics are averaged.
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    ///
    /// # Panics
    /// If there are not as many parameters as at the start.
    #[track_caller]
    pub fn after_step(&mut self, params: &mut Params<T>) -> Communicated<bool> {
        check_model("after_step", params, self.centre.len());
        let due = self.turns.step();
        if due {
            self.meet(params, false)?;
        }
        if self.communicator.size() == 1 {
            self.centre.copy_from_slice(params.values());
        }
        Ok(due)
    }

    /// Meets until all ranks are here, which may have made different numbers of steps, and gives the parameters the values of the
    /// centre.
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    ///
    /// # Panics
    /// If there are not as many parameters as at the start.
    #[track_caller]
    pub fn finish(&mut self, params: &mut Params<T>) -> Communicated {
        check_model("finish", params, self.centre.len());
        while !self.meet(params, true)? {}
        self.turns.set_steps(0);
        params.values_mut().copy_from_slice(&self.centre);
        Ok(())
    }

    /// One meeting. Whether all ranks have finished.
    fn meet(&mut self, params: &mut Params<T>, finished: bool) -> Communicated<bool> {
        if self.communicator.size() == 1 {
            return Ok(true);
        }
        if !self.agreed {
            let facts = [
                ("number of parameters", self.centre.len().to_string()),
                ("number of steps between meetings", self.turns.every().to_string()),
                ("part of the way to the centre", self.pull.to_string()),
                ("parameters at the start", fingerprint(&self.centre)),
            ];
            agree_on_model(self.communicator, Self::NAME, &facts, params)?;
            self.agreed = true;
        }
        let ended = told(self.communicator, Self::NAME, (params.values(), &self.centre), finished)?;
        let values = params.values();
        // Infinity has no distance from itself.
        let force = |(&x, &centre): (&T, &T)| if x == centre { T::ZERO } else { self.pull * (x - centre) };
        let mut force: Vec<T> = values.iter().zip(&self.centre).map(force).collect();
        params.values_mut().iter_mut().zip(&force).for_each(|(x, &force)| *x -= force);
        self.communicator.all_reduce(T::buffer(&mut force), Reduction::Sum)?;
        self.centre.iter_mut().zip(&force).for_each(|(centre, &force)| *centre += force);
        average_buffers(self.communicator, params)?;
        Ok(ended)
    }

    /// Everything that later meetings depend on, beside the parameters of each rank.
    ///
    /// ```
    /// use wengert_distributed::{local::ElasticAveraging, threads};
    /// use wengert_nn::{Init, Params};
    ///
    /// let found = threads::run(2, |ranks| {
    ///     let mut params: Params<f64> = Params::seeded(0);
    ///     params.root().param("x", [1], Init::Zeros);
    ///     let mut elastic = ElasticAveraging::new(&*ranks, &params, 2, 0.5).unwrap();
    ///     params.values_mut()[0] = 1.0 + ranks.rank() as f64;
    ///     for _ in 0..3 {
    ///         elastic.after_step(&mut params)?;
    ///     }
    ///     // Another goes on from here: it meets after one more step.
    ///     let mut other = ElasticAveraging::new(&*ranks, &params, 2, 0.5).unwrap();
    ///     other.load_state(&elastic.state()).unwrap();
    ///     Ok((other.after_step(&mut params)?, other.centre()[0]))
    /// })?;
    /// // 0 + 0.25 (1 + 2) at the first meeting, and 0.25 (0 + 0.75) more at the second.
    /// assert_eq!(found, [(true, 0.9375); 2]);
    /// # Ok::<(), threads::RankFailed>(())
    /// ```
    pub fn state(&self) -> State {
        State::new(Self::NAME, self.centre.len())
            .with_count("steps", self.turns.steps())
            .with_vector("centre", &self.centre)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another kind, length or precision; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["steps"], &["centre"], &[])?;
        let (steps, centre) = (state.count("steps")?, state.vector("centre", self.centre.len())?);
        self.turns.set_steps(steps);
        (self.centre, self.agreed) = (centre, false);
        Ok(())
    }
}
