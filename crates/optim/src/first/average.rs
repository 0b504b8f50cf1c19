//! Averages of parameters over the steps.

use serde::{Deserialize, Serialize};
use wengert_state::{State, StateError};
use wengert_tensor::Float;

use super::lookahead::Towards;
use super::loops::update;
use crate::error::{Check, HyperParameterError};

/// How [`Averaged`] weighs the steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// Exponential moving average: a ← β a + (1 − β) θ, beginning at the first θ (as PyTorch's `get_ema_avg_fn`).
    Exponential {
        /// β.
        decay: f64,
    },
    /// Exponential moving average beginning at 0 and divided by 1 − βⁿ (as optax's `ema` with `debias`).
    Unbiased {
        /// β.
        decay: f64,
    },
    /// Stochastic weight averaging: the plain mean of all θ.
    Uniform,
}

impl Average {
    /// Checks the decay.
    ///
    /// # Errors
    /// If β is not in [0, 1).
    pub fn check(&self) -> Result<(), HyperParameterError> {
        if let Average::Exponential { decay } | Average::Unbiased { decay } = *self {
            Check::new("averaged").fraction("decay", decay)?;
        }
        Ok(())
    }
}

/// A running average of parameters, often better to evaluate with than the last ones.
///
/// Sources: Polyak and Juditsky, *Acceleration of stochastic approximation by averaging*, 1992; Izmailov et al., *Averaging
/// weights leads to wider optima and better generalization*, 2018 (take a snapshot per epoch, at a constant or cyclic
/// learning rate; batch-norm statistics must be computed anew for the average). Keeps 4 bytes per f32 parameter.
///
/// ```
/// use wengert_optim::{Average, Averaged};
/// let mut mean = Averaged::<f64>::new(Average::Uniform);
/// mean.update(&[1.0]);
/// mean.update(&[4.0]);
/// assert_eq!(mean.params(), [2.5]);
/// ```
#[derive(Debug, Clone)]
pub struct Averaged<T: Float = f32> {
    average: Average,
    count: u64,
    params: Vec<T>,
}

impl<T: Float> Averaged<T> {
    const NAME: &'static str = "averaged";

    /// An average of nothing yet.
    ///
    /// # Panics
    /// If [`Average::check`] refuses it.
    #[track_caller]
    pub fn new(average: Average) -> Self {
        HyperParameterError::or_panic(average.check());
        Averaged { average, count: 0, params: Vec::new() }
    }

    /// Takes a snapshot into the average.
    ///
    /// # Panics
    /// If the length is not that of the earlier snapshots.
    #[track_caller]
    pub fn update(&mut self, params: &[T]) {
        self.count += 1;
        if self.count == 1 {
            self.params = params.to_vec();
            return;
        }
        assert!(
            params.len() == self.params.len(),
            "Averaged::update: {} parameters into an average of {}",
            params.len(),
            self.params.len()
        );
        let n = self.count as f64;
        // The average after its division by 1 − βⁿ moves by (1 − β) / (1 − βⁿ) of the difference.
        let share = match self.average {
            Average::Exponential { decay } => 1.0 - decay,
            Average::Unbiased { decay } => (1.0 - decay) / (1.0 - decay.powf(n)),
            Average::Uniform => n.recip(),
        };
        let [] = update(&mut self.params, params, [], Towards { share: T::from_f64(share) });
    }

    /// The average; empty before the first snapshot.
    pub fn params(&self) -> &[T] {
        &self.params
    }

    /// The number of snapshots.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Everything that later snapshots depend on.
    pub fn state(&self) -> State {
        State::new(Self::NAME, self.params.len())
            .with_count("count", self.count)
            .with_vector("params", &self.params)
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another kind, length or precision.
    ///
    /// ```
    /// use wengert_optim::{Average, Averaged};
    /// let mut mean = Averaged::<f64>::new(Average::Uniform);
    /// mean.update(&[1.0]);
    /// let saved = mean.state();
    /// let mut later = Averaged::<f64>::new(Average::Uniform);
    /// later.load_state(&saved)?;
    /// later.update(&[4.0]);
    /// assert_eq!(later.params(), [2.5]);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["count"], &["params"], &[])?;
        if self.count > 0 && state.len != self.params.len() {
            return Err(StateError::Len { expected: self.params.len(), found: state.len });
        }
        let (count, params) = (state.count("count")?, state.vector("params", state.len)?);
        (self.count, self.params) = (count, params);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_averages_by_hand() {
        let mut biased = Averaged::new(Average::Exponential { decay: 0.75 });
        let mut unbiased = Averaged::new(Average::Unbiased { decay: 0.75 });
        let (mut zero_based, mut power) = (0.0, 1.0);
        for x in [8.0, 4.0, -2.0f64, 1.0] {
            biased.update(&[x]);
            unbiased.update(&[x]);
            zero_based = 0.75 * zero_based + 0.25 * x;
            power *= 0.75;
            assert!((unbiased.params()[0] - zero_based / (1.0 - power)).abs() < 1e-14);
        }
        let by_hand = 0.75 * (0.75 * (0.75 * 8.0 + 0.25 * 4.0) - 0.25 * 2.0) + 0.25;
        assert!((biased.params()[0] - by_hand).abs() < 1e-14);
        assert!(Average::Unbiased { decay: 1.0 }.check().is_err());
    }

    #[test]
    fn state_goes_on() {
        let mut mean = Averaged::new(Average::Uniform);
        mean.update(&[1.0f32, 2.0]);
        let mut resumed = Averaged::<f32>::new(Average::Uniform);
        resumed.load_state(&mean.state()).unwrap();
        mean.update(&[0.3, 0.4]);
        resumed.update(&[0.3, 0.4]);
        assert_eq!(mean.state(), resumed.state());
        let mut short = Averaged::<f32>::new(Average::Uniform);
        short.update(&[1.0]);
        assert_eq!(short.load_state(&mean.state()), Err(StateError::Len { expected: 1, found: 2 }));
    }
}
