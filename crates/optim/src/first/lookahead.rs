//! Lookahead.

use std::ops::Range;

use wengert_state::{State, StateError};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::loops::{Update, copy, update};
use super::optimizer::{Evaluate, Optimizer, moving};
use crate::error::{Check, HyperParameterError};

/// Lookahead: an inner optimiser runs ahead; every k steps the slow weights go a part of the way after it, and it
/// starts again from there.
///
/// φ ← φ + α (θ − φ), θ ← φ after every k-th step of the inner optimiser, whose state is kept.
/// [`write_evaluation`](Optimizer::write_evaluation) gives φ.
///
/// Source: Zhang et al., *Lookahead optimizer: k steps forward, 1 step back*, 2019; optax agrees. Default: k = 6, α = 0.5.
/// Keeps 4 bytes per f32 parameter more than the inner optimiser.
///
/// ```
/// use wengert_optim::{Lookahead, Optimizer, Sgd};
/// let mut lookahead = Lookahead::new(Sgd::new(1.0), 2, 0.5);
/// let mut theta = [0.0f64];
/// lookahead.step(&mut theta, &[-1.0]);
/// assert_eq!(theta, [1.0]);
/// lookahead.step(&mut theta, &[-1.0]);
/// assert_eq!(theta, [1.0]); // half of the way from 0 to 2
/// ```
#[derive(Debug, Clone)]
pub struct Lookahead<O, T: Float = f32> {
    inner: O,
    period: u64,
    share: f64,
    step: u64,
    slow: Vec<T>,
}

impl<T: Float, O: Optimizer<T>> Lookahead<O, T> {
    const NAME: &'static str = "lookahead";

    /// Synchronises every `period` steps, going the share `share` of the way.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses them.
    #[track_caller]
    pub fn new(inner: O, period: u64, share: f64) -> Self {
        HyperParameterError::or_panic(Self::check(period, share));
        Lookahead { inner, period, share, step: 0, slow: Vec::new() }
    }

    /// Whether it can be made with these.
    ///
    /// # Errors
    /// If `period` is 0 or `share` is not above 0 and at most 1.
    pub fn check(period: u64, share: f64) -> Result<(), HyperParameterError> {
        let possible = share > 0.0 && share <= 1.0;
        Check::new(Self::NAME).at_least_one("period", period as f64)?.condition(
            possible,
            "share",
            share,
            "above 0 and at most 1",
        )?;
        Ok(())
    }

    fn synchronise(&mut self, params: &mut [T]) {
        self.step += 1;
        if self.step.is_multiple_of(self.period) {
            let share = T::from_f64(self.share);
            for range in moving(params.len(), &self.inner.frozen()) {
                // The slow weights are in the place of the parameters, the fast ones in that of the gradient.
                let (slow, fast) = (&mut self.slow[range.clone()], &mut params[range]);
                let [] = update(slow, fast, [], Towards { share });
                copy(slow, fast);
            }
        }
    }

    fn begin(&mut self, params: &[T]) {
        if self.step == 0 {
            self.slow = params.to_vec();
        }
    }
}

/// φ + α (θ − φ), with φ in the place of the parameter and θ in that of the gradient.
#[derive(Clone, Copy)]
pub(crate) struct Towards<T> {
    pub(crate) share: T,
}

impl<T: Float> Update<T, 0> for Towards<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, slow: T, fast: T, _: [T; 0]) -> (T, [T; 0], [T; 0]) {
        // The difference could overflow, and would turn −0 into 0, and equal infinities into NaN.
        let kept = I::mul_add(-self.share, slow, slow);
        (if fast == slow { slow } else { I::mul_add(self.share, fast, kept) }, [], [])
    }
}

/// Takes vector number `count`, counted from 1, into the mean of those before it: mean ← mean + (next − mean) / count. A
/// mean that runs along does not overflow where a sum would.
///
/// ```
/// use wengert_optim::first::running_mean;
/// let mut mean = [1.0f64, 4.0];
/// running_mean(&mut mean, &[3.0, 0.0], 2);
/// assert_eq!(mean, [2.0, 2.0]);
/// ```
///
/// # Panics
/// If the lengths differ, or `count` is 0.
#[track_caller]
pub fn running_mean<T: Float>(mean: &mut [T], next: &[T], count: u64) {
    let len = mean.len();
    assert!(next.len() == len, "running_mean: {} elements taken into a mean of {len}", next.len());
    assert!(count > 0, "running_mean: vectors are counted from 1, not from {count}");
    if count == 1 {
        copy(next, mean);
    } else {
        let [] = update(mean, next, [], Towards { share: T::from_f64((count as f64).recip()) });
    }
}

impl<T: Float, O: Optimizer<T>> Optimizer<T> for Lookahead<O, T> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    #[track_caller]
    fn step(&mut self, params: &mut [T], grads: &[T]) {
        self.begin(params);
        self.inner.step(params, grads);
        self.synchronise(params);
    }

    fn step_with(&mut self, params: &mut [T], grads: &mut [T], evaluate: &mut Evaluate<'_, T>) -> T {
        self.begin(params);
        let loss = self.inner.step_with(params, grads, evaluate);
        // One of several gradients was given up.
        if loss.is_finite() || self.inner.gradients_per_step() == 1 {
            self.synchronise(params);
        }
        loss
    }

    fn gradients_per_step(&self) -> u32 {
        self.inner.gradients_per_step()
    }

    fn frozen(&self) -> Vec<Range<usize>> {
        self.inner.frozen()
    }

    fn abandon(&mut self, params: &mut [T]) {
        self.inner.abandon(params);
    }

    fn write_evaluation(&self, params: &[T], out: &mut [T]) {
        copy(if self.step == 0 { params } else { &self.slow }, out);
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.inner.set_learning_rate(rate);
    }

    fn settings(&self) -> State {
        State::new(Self::NAME, 0)
            .with_count("period", self.period)
            .with_real("share", self.share)
            .with_child("inner", self.inner.settings())
    }

    fn state(&self) -> State {
        State::new(Self::NAME, self.slow.len())
            .with_count("step", self.step)
            .with_vector("slow", &self.slow)
            .with_child("inner", self.inner.state())
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["step"], &["slow"], &["inner"])?;
        let inner = state.child("inner")?;
        let (step, slow) = (state.count("step")?, state.vector("slow", state.len)?);
        if self.step > 0 && step > 0 && state.len != self.slow.len() {
            return Err(StateError::Len { expected: self.slow.len(), found: state.len });
        }
        if step > 0 && inner.len != state.len {
            return Err(StateError::Len { expected: state.len, found: inner.len });
        }
        self.inner.load_state(inner)?;
        (self.step, self.slow) = (step, slow);
        Ok(())
    }
}
