//! A stepper's settings and state.

use wengert_state::{Scalar, State, StateError};
use wengert_tensor::Float;

use super::Stepper;
use crate::first::optimizer::Optimizer;
use crate::first::outcome::NonFinite;

impl<T: Float, O: Optimizer<T>> Stepper<O, T> {
    /// What is done to gradients before a step, by name; the optimiser has [its own](Optimizer::settings).
    ///
    /// ```
    /// use wengert_optim::{Layout, Sgd, Stepper};
    /// let stepper: Stepper<Sgd> = Stepper::new(Sgd::new(0.1), &Layout::new([("w", vec![2])])).clip_norm(2.0);
    /// assert_eq!(stepper.settings().real("clip_norm")?, 2.0);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    pub fn settings(&self) -> State {
        let limit = |limit: Option<f64>| limit.map_or(Scalar::None, Scalar::Real);
        let policy = match self.policy {
            NonFinite::Error => "error",
            NonFinite::Skip => "skip",
        };
        let settings = State::new(Self::NAME, 0)
            .with_count("accumulate", self.accumulate)
            .with_scalar("clip_norm", limit(self.clip_norm))
            .with_scalar("clip_value", limit(self.clip_value))
            .with_scalar("non_finite", Scalar::Text(policy.to_owned()));
        match &self.clip_units {
            Some(clip) => settings.with_child("clip_units", clip.settings()),
            None => settings,
        }
    }

    /// Everything that later steps depend on.
    pub fn state(&self) -> State {
        let sum: &[T] = if self.gradients > 0 { &self.sum } else { &[] };
        State::new(Self::NAME, self.layout.len())
            .with_count("steps", self.steps)
            .with_count("skipped", self.skipped)
            .with_count("gradients", self.gradients)
            .with_vector("sum", sum)
            .with_child("optimizer", self.optimizer.state())
    }

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is of another kind, length or precision; nothing is then changed.
    ///
    /// ```
    /// use wengert_optim::{Layout, Momentum, Stepper};
    /// let layout = Layout::new([("w", vec![1])]);
    /// let make = || Stepper::new(Momentum::new(0.1), &layout);
    /// let (mut first, mut theta) = (make(), [1.0f64]);
    /// first.step(&mut theta, &mut [1.0])?;
    /// let (mut second, mut copy) = (make(), theta);
    /// second.load_state(&first.state())?;
    /// first.step(&mut theta, &mut [1.0])?;
    /// second.step(&mut copy, &mut [1.0])?;
    /// assert_eq!(theta, copy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["steps", "skipped", "gradients"], &["sum"], &["optimizer"])?;
        if state.len != self.layout.len() {
            return Err(StateError::Len { expected: self.layout.len(), found: state.len });
        }
        let (steps, skipped) = (state.count("steps")?, state.count("skipped")?);
        let gradients = state.count("gradients")?;
        let sum = state.vector("sum", if gradients > 0 { state.len } else { 0 })?;
        self.optimizer.load_state(state.child("optimizer")?)?;
        (self.steps, self.skipped, self.gradients, self.sum) = (steps, skipped, gradients, sum);
        Ok(())
    }
}
