//! The trait that every first-order optimiser implements.

use wengert_tensor::Float;

use crate::state::{State, StateError};

/// Where [`Optimizer::step_with`] gets losses and gradients: called with a point, it writes the gradient there into
/// the second argument and returns the loss.
pub type Evaluate<'a, T> = dyn FnMut(&[T], &mut [T]) -> T + 'a;

/// A first-order optimiser of a flat parameter vector.
///
/// The usual call is [`step`](Optimizer::step). It trusts its gradient: a NaN goes into the parameters;
/// [`Stepper`](crate::Stepper) accumulates, checks and clips gradients before it steps.
///
/// The vector that `step` updates is *the point at which the next gradient is wanted*. For a few methods (look-ahead
/// Nesterov, schedule-free, Lookahead, averaging) the best parameters are others:
/// [`write_evaluation`](Optimizer::write_evaluation) gives those. Methods that need more than one gradient per step
/// (SAM) take them through [`step_with`](Optimizer::step_with), which works for all.
pub trait Optimizer<T: Float = f32>: Send {
    /// The kind of optimiser, e.g. `"adam"`.
    fn name(&self) -> &'static str;

    /// Updates `params` with the gradient at `params`.
    ///
    /// # Panics
    /// If the lengths differ, or are not those of the earlier steps.
    fn step(&mut self, params: &mut [T], grads: &[T]);

    /// One whole step that evaluates the gradient where the method needs it. `grads` is scratch space; the result
    /// is the loss at `params` before the step.
    ///
    /// # Panics
    /// As [`step`](Optimizer::step).
    fn step_with(&mut self, params: &mut [T], grads: &mut [T], evaluate: &mut Evaluate<'_, T>) -> T {
        let loss = evaluate(params, grads);
        self.step(params, grads);
        loss
    }

    /// How many gradients a whole step takes: 2 for SAM, else 1.
    fn gradients_per_step(&self) -> u32 {
        1
    }

    /// Writes the parameters to evaluate the model with into `out`, given those that are being trained: for most
    /// methods the same.
    ///
    /// # Panics
    /// If the lengths differ.
    fn write_evaluation(&self, params: &[T], out: &mut [T]) {
        out.copy_from_slice(params);
    }

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the next step. It may be 0.
    ///
    /// # Panics
    /// If it is negative or not finite.
    fn set_learning_rate(&mut self, rate: f64);

    /// Everything that later steps depend on, but for the hyper-parameters other than the learning rate.
    fn state(&self) -> State;

    /// Goes on from `state`, saved from an optimiser of the same kind and settings, bit for bit.
    ///
    /// # Errors
    /// If the state is of another kind, length or precision; the optimiser is then unchanged.
    fn load_state(&mut self, state: &State) -> Result<(), StateError>;
}

impl<T: Float, O: Optimizer<T> + ?Sized> Optimizer<T> for Box<O> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    #[track_caller]
    fn step(&mut self, params: &mut [T], grads: &[T]) {
        (**self).step(params, grads);
    }

    fn step_with(&mut self, params: &mut [T], grads: &mut [T], evaluate: &mut Evaluate<'_, T>) -> T {
        (**self).step_with(params, grads, evaluate)
    }

    fn gradients_per_step(&self) -> u32 {
        (**self).gradients_per_step()
    }

    fn write_evaluation(&self, params: &[T], out: &mut [T]) {
        (**self).write_evaluation(params, out);
    }

    fn learning_rate(&self) -> f64 {
        (**self).learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        (**self).set_learning_rate(rate);
    }

    fn state(&self) -> State {
        (**self).state()
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        (**self).load_state(state)
    }
}

/// Panics unless there is a gradient for every parameter.
#[track_caller]
pub(crate) fn check_lengths(name: &str, params: usize, grads: usize) {
    assert!(params == grads, "{name}: {params} parameters, but the gradient has {grads} elements");
}

/// Panics unless `rate` is a learning rate.
#[track_caller]
pub(crate) fn check_rate(name: &str, rate: f64) {
    assert!(rate.is_finite() && rate >= 0.0, "{name}: learning rate {rate} must be finite and at least 0");
}
