//! Averages of random pairs.

use wengert_nn::Params;
use wengert_optim::HyperParameterError;
use wengert_state::{State, StateError};
use wengert_tensor::random::Generator;

use super::turns::Turns;
use super::{average, average_buffers, strayed, told};
use crate::agreement::agree_on_model;
use crate::communicator::{Communicated, Communicator, CommunicatorError, Shared};

/// Every `every` steps the ranks are paired at random, and each goes on from the mean of its pair (gossip: Boyd 2006): no rank waits
/// for all. The matrix of one round is doubly stochastic, so the mean over all ranks stays what the steps make it, and the
/// distances from it shrink. With an odd number of ranks one stays alone for a round.
///
/// All ranks draw the same pairs from the seed. **All make the same number of rounds**: where the data are not divided evenly,
/// those with fewer steps [catch up](Gossip::catch_up).
///
/// ```
/// use wengert_distributed::{local::Gossip, threads};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::Sgd;
/// use wengert_train::Training;
///
/// // Four ranks, whose targets are 0, 1, 2 and 3.
/// let found = threads::run(4, |ranks| {
///     let mut params: Params<f64> = Params::seeded(0);
///     let x = params.root().param("x", [1], Init::Zeros);
///     let target = ranks.rank() as f64;
///     let mut gossip = Gossip::new(&*ranks, 1, 0).unwrap();
///     for step in 0..300 {
///         let mut sgd = Sgd::new(0.3 / (1.0 + step as f64));
///         params.train_step(&mut sgd, |cx| (cx.param(x) - target).square().sum()).unwrap();
///         gossip.after_step(&mut params)?;
///     }
///     gossip.finish(&mut params)?;
///     Ok(params.values()[0])
/// })?;
/// assert!((found[0] - 1.5).abs() < 0.05, "{found:?}");
/// # Ok::<(), threads::RankFailed>(())
/// ```
pub struct Gossip<'a> {
    communicator: &'a dyn Communicator,
    turns: Turns,
    seed: u64,
    generator: Generator,
    rounds: u64,
    agreed: bool,
}

impl<'a> Gossip<'a> {
    const NAME: &'static str = "gossip";

    /// Meets every `every` steps, in pairs drawn from `seed`, which is the same on all ranks.
    ///
    /// # Errors
    /// If `every` is 0.
    pub fn new(
        communicator: &'a dyn Communicator,
        every: u64,
        seed: u64,
    ) -> Result<Self, HyperParameterError> {
        let (turns, generator) = (Turns::new(Self::NAME, every)?, Generator::seeded(seed));
        Ok(Gossip { communicator, turns, seed, generator, rounds: 0, agreed: false })
    }

    /// The rounds so far.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// Counts a step, and makes a round if it is time, which is returned.
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    pub fn after_step<T: Shared>(&mut self, params: &mut Params<T>) -> Communicated<bool> {
        let due = self.turns.step();
        if due {
            self.round(params)?;
        }
        Ok(due)
    }

    /// Makes rounds, without steps, until there are `rounds`: those of the rank with the most steps.
    ///
    /// ```
    /// use wengert_distributed::{Communicator, local::Gossip, threads};
    /// use wengert_nn::{Init, Params};
    ///
    /// // Rank 0 makes 3 steps, rank 1 makes 5; each step adds 1.
    /// let found = threads::run(2, |ranks| {
    ///     let mut params: Params<f64> = Params::seeded(0);
    ///     params.root().param("x", [1], Init::Zeros);
    ///     let mut gossip = Gossip::new(&*ranks, 1, 0).unwrap();
    ///     for _ in 0..3 + 2 * ranks.rank() {
    ///         params.values_mut()[0] += 1.0;
    ///         gossip.after_step(&mut params)?;
    ///     }
    ///     gossip.catch_up(&mut params, 5)?;
    ///     Ok((gossip.rounds(), params.values()[0]))
    /// })?;
    /// assert_eq!(found, [(5, 4.0), (5, 4.0)]);
    /// # Ok::<(), threads::RankFailed>(())
    /// ```
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    pub fn catch_up<T: Shared>(&mut self, params: &mut Params<T>, rounds: u64) -> Communicated {
        while self.rounds < rounds {
            self.round(params)?;
        }
        Ok(())
    }

    /// Gives all ranks the mean of their parameters and of their running statistics: at the end, and before an evaluation.
    ///
    /// # Errors
    /// If the communication fails, ranks differ, or one has parameters that are not finite.
    pub fn finish<T: Shared>(&mut self, params: &mut Params<T>) -> Communicated {
        if self.communicator.size() == 1 {
            return Ok(());
        }
        let mut values = params.values().to_vec();
        told(self.communicator, Self::NAME, (&values, &values), true)?;
        average(self.communicator, &mut values)?;
        params.values_mut().copy_from_slice(&values);
        average_buffers(self.communicator, params)
    }

    /// Where it is, which later pairs depend on.
    ///
    /// ```
    /// use wengert_distributed::{Communicator, Single, local::Gossip};
    /// use wengert_nn::Params;
    ///
    /// let (ranks, mut params) = (Single::new(), Params::<f32>::seeded(0));
    /// let mut gossip = Gossip::new(&ranks, 2, 7).unwrap();
    /// for _ in 0..5 {
    ///     gossip.after_step(&mut params)?;
    /// }
    /// let mut other = Gossip::new(&ranks, 2, 7).unwrap();
    /// other.load_state(&gossip.state()).unwrap();
    /// assert!(other.after_step(&mut params)?);
    /// assert_eq!(other.rounds(), 3);
    /// # Ok::<(), wengert_distributed::CommunicatorError>(())
    /// ```
    pub fn state(&self) -> State {
        State::new(Self::NAME, 0).with_count("steps", self.turns.steps()).with_count("rounds", self.rounds)
    }

    /// Goes on from a saved state, of the same seed.
    ///
    /// # Errors
    /// If the state is of another kind; nothing is then changed.
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["steps", "rounds"], &[], &[])?;
        let (steps, rounds) = (state.count("steps")?, state.count("rounds")?);
        self.turns.set_steps(steps);
        (self.rounds, self.agreed) = (rounds, false);
        Ok(())
    }

    /// The rank that `rank` meets in round `round`, if any.
    fn partner(&self, round: u64, rank: usize) -> Option<usize> {
        let order = self.generator.fork(round).permutation(self.communicator.size());
        let place = order.iter().position(|&other| other as usize == rank)?;
        order.get(place ^ 1).map(|&other| other as usize)
    }

    fn round<T: Shared>(&mut self, params: &mut Params<T>) -> Communicated {
        if !self.agreed {
            let facts = [
                ("number of parameters", params.len().to_string()),
                ("number of steps between rounds", self.turns.every().to_string()),
                ("seed", self.seed.to_string()),
            ];
            agree_on_model(self.communicator, Self::NAME, &facts, params)?;
            self.agreed = true;
        }
        let partner = self.partner(self.rounds, self.communicator.rank());
        self.rounds += 1;
        let Some(partner) = partner else { return Ok(()) };
        let mut own = params.values().to_vec();
        let mut other = vec![T::ZERO; own.len()];
        self.communicator.exchange(partner, T::buffer(&mut own), T::buffer(&mut other))?;
        let here = self.communicator.rank();
        let of_pair = [(here, strayed(&own, &other)), (partner, strayed(&other, &own))];
        if let Some(rank) = of_pair.into_iter().filter_map(|(rank, strayed)| strayed.then_some(rank)).min() {
            return Err(CommunicatorError::NonFinite { operation: Self::NAME, rank });
        }
        let half = T::from_f64(0.5);
        // Halves are summed, which does not overflow; the order does not matter to the bits.
        let mean = own.iter().zip(&other).map(|(&own, &other)| half * own + half * other);
        params.values_mut().iter_mut().zip(mean).for_each(|(value, mean)| *value = mean);
        Ok(())
    }
}
