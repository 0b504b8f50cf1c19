//! Sharpness-aware minimisation.

use std::ops::Range;

use wengert_state::{State, StateError};
use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

use super::clip::{global_norm, ratio};
use super::loops::{Update, copy, update};
use super::optimizer::{Begun, Evaluate, Optimizer, check_lengths, moving};
use crate::error::{Check, HyperParameterError};

/// Sharpness-aware minimisation: an inner optimiser steps with the gradient at the worst point nearby.
///
/// θ′ = θ + ρ ∇J(θ) / ‖∇J(θ)‖; the inner optimiser then updates θ with ∇J(θ′). Two gradients per step:
/// [`step_with`](Optimizer::step_with) takes both. With [`step`](Optimizer::step) the calls alternate: the first of two
/// moves the parameters to θ′, the second takes them back and makes the step ([`perturbed`](Sam::perturbed) tells which is
/// next, [`abandon`](Optimizer::abandon) goes back instead). Where the gradient is 0 nothing is moved; parameters that the
/// inner optimiser keeps [frozen](Optimizer::frozen) are left out of the norm too. A loss at θ′ that is not finite gives the
/// step up.
///
/// Source: Foret et al., *Sharpness-aware minimization for efficiently improving generalization*, 2021; optax agrees.
/// Usual: ρ = 0.05. Keeps 4 bytes per f32 parameter more than the inner optimiser.
///
/// ```
/// use wengert_optim::{Optimizer, Sam, Sgd};
/// let mut sam = Sam::new(Sgd::new(0.1), 0.5);
/// let (mut theta, mut grads) = ([1.0f64], [0.0]);
/// let loss = sam.step_with(&mut theta, &mut grads, &mut |t, g| { g[0] = 2.0 * t[0]; t[0] * t[0] });
/// assert_eq!(loss, 1.0);
/// assert!((theta[0] - 0.7).abs() < 1e-15); // the gradient at 1.5
/// ```
#[derive(Debug, Clone)]
pub struct Sam<O, T: Float = f32> {
    inner: O,
    rho: f64,
    perturbed: bool,
    /// The number of parameters; 0 as long as nothing tells it.
    len: usize,
    origin: Vec<T>,
}

impl<T: Float, O: Optimizer<T>> Sam<O, T> {
    const NAME: &'static str = "sam";

    /// Looks at the distance `rho`.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses them.
    #[track_caller]
    pub fn new(inner: O, rho: f64) -> Self {
        HyperParameterError::or_panic(Self::check(&inner, rho));
        let len = inner.state().len;
        Sam { inner, rho, perturbed: false, len, origin: Vec::new() }
    }

    /// Whether it can be made with these.
    ///
    /// # Errors
    /// If `rho` is negative or not finite, or the inner optimiser takes several gradients per step itself.
    pub fn check(inner: &O, rho: f64) -> Result<(), HyperParameterError> {
        let gradients = inner.gradients_per_step();
        Check::new(Self::NAME).non_negative("rho", rho)?.condition(
            gradients == 1,
            "inner.gradients_per_step",
            f64::from(gradients),
            "1",
        )?;
        Ok(())
    }

    /// Whether the parameters are at θ′, so that the next call of `step` makes the step.
    pub fn perturbed(&self) -> bool {
        self.perturbed
    }

    fn perturb(&mut self, params: &mut [T], grads: &[T]) {
        self.origin.resize(params.len(), T::ZERO);
        let frozen = self.inner.frozen();
        for range in &frozen {
            copy(&params[range.clone()], &mut self.origin[range.clone()]);
        }
        let moving = moving(params.len(), &frozen);
        let norm = moving.clone().map(|r| global_norm(&grads[r])).fold(0.0, f64::hypot);
        // Not 0 / 0: a step of nothing.
        let factors = if norm == 0.0 { [T::ZERO; 2] } else { ratio(self.rho, norm) };
        for range in moving {
            let (p, g) = (&mut params[range.clone()], &grads[range.clone()]);
            let [] = update(p, g, [&mut self.origin[range]], Ascend { factors });
        }
        self.perturbed = true;
    }
}

/// θ′, and θ kept in the state.
#[derive(Clone, Copy)]
struct Ascend<T> {
    factors: [T; 2],
}

impl<T: Float> Update<T, 1> for Ascend<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, _: [T; 1]) -> (T, [T; 1], [T; 0]) {
        (I::mul_add(self.factors[0] * g, self.factors[1], p), [p], [])
    }
}

impl<T: Float, O: Optimizer<T>> Optimizer<T> for Sam<O, T> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    #[track_caller]
    fn step(&mut self, params: &mut [T], grads: &[T]) {
        let len = params.len();
        check_lengths(Self::NAME, len, grads.len());
        let fresh = self.len == 0 && !self.perturbed;
        assert!(fresh || self.len == len, "sam: {len} parameters, but its state is for {}", self.len);
        self.len = len;
        if self.perturbed {
            copy(&self.origin, params);
            self.inner.step(params, grads);
            self.perturbed = false;
        } else {
            self.perturb(params, grads);
        }
    }

    #[track_caller]
    fn step_with(&mut self, params: &mut [T], grads: &mut [T], evaluate: &mut Evaluate<'_, T>) -> T {
        let begun = &mut Begun { optimizer: self, params, complete: false };
        let loss = evaluate(begun.params, grads);
        begun.optimizer.step(begun.params, grads);
        if begun.optimizer.perturbed {
            let further = evaluate(begun.params, grads);
            if !further.is_finite() {
                return further;
            }
            begun.optimizer.step(begun.params, grads);
        }
        begun.complete = true;
        loss
    }

    fn gradients_per_step(&self) -> u32 {
        1 + self.inner.gradients_per_step()
    }

    fn frozen(&self) -> Vec<Range<usize>> {
        self.inner.frozen()
    }

    fn abandon(&mut self, params: &mut [T]) {
        if self.perturbed {
            copy(&self.origin, params);
            self.perturbed = false;
        }
        self.inner.abandon(params);
    }

    fn write_evaluation(&self, params: &[T], out: &mut [T]) {
        self.inner.write_evaluation(if self.perturbed { &self.origin } else { params }, out);
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    #[track_caller]
    fn set_learning_rate(&mut self, rate: f64) {
        self.inner.set_learning_rate(rate);
    }

    fn settings(&self) -> State {
        State::new(Self::NAME, 0).with_real("rho", self.rho).with_child("inner", self.inner.settings())
    }

    fn state(&self) -> State {
        let origin: &[T] = if self.perturbed { &self.origin } else { &[] };
        State::new(Self::NAME, self.len)
            .with_count("perturbed", u64::from(self.perturbed))
            .with_vector("origin", origin)
            .with_child("inner", self.inner.state())
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        state.expect(Self::NAME, &["perturbed"], &["origin"], &["inner"])?;
        let (inner, perturbed) = (state.child("inner")?, state.count("perturbed")? != 0);
        let origin = state.vector("origin", if perturbed { state.len } else { 0 })?;
        let len = state.len;
        if inner.len != 0 && inner.len != len {
            return Err(StateError::Len { expected: inner.len, found: len });
        }
        if self.len != 0 && len != 0 && self.len != len {
            return Err(StateError::Len { expected: self.len, found: len });
        }
        self.inner.load_state(inner)?;
        if len != 0 {
            self.len = len;
        }
        (self.perturbed, self.origin) = (perturbed, origin);
        Ok(())
    }
}
