//! The trait that every first-order optimiser implements.

use std::ops::Range;

use wengert_state::{State, StateError};
use wengert_tensor::Float;

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
///
/// ```
/// use wengert_optim::{Adam, Optimizer, Sgd};
/// // f(x) = x², by whatever method.
/// let minimise = |optimizer: &mut dyn Optimizer<f64>| {
///     let mut x = [1.0];
///     for _ in 0..200 {
///         let slope = [2.0 * x[0]];
///         optimizer.step(&mut x, &slope);
///     }
///     x[0].abs()
/// };
/// assert!(minimise(&mut Sgd::new(0.1)) < 1e-6 && minimise(&mut Adam::new(0.05)) < 1e-2);
/// ```
pub trait Optimizer<T: Float = f32>: Send {
    /// The kind of optimiser, e.g. `"adam"`.
    fn name(&self) -> &'static str;

    /// Updates `params` with the gradient at `params`.
    ///
    /// # Panics
    /// If the lengths differ, or are not those of the earlier steps.
    fn step(&mut self, params: &mut [T], grads: &[T]);

    /// One whole step that evaluates the gradient where the method needs it. `grads` is scratch space; the result
    /// is the loss at `params` before the step. If `evaluate` panics, `params` are as before the step, and the optimiser
    /// can go on from there.
    ///
    /// So are they if a loss at a further point (that of SAM's second gradient) is infinite or NaN: the step is given up, and
    /// that loss is the result.
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

    /// The parts of the vector that a step leaves unchanged whatever their gradient, in order: those that
    /// [`Groups`](crate::Groups) has frozen or switched off. What wraps an optimiser leaves them out too.
    fn frozen(&self) -> Vec<Range<usize>> {
        Vec::new()
    }

    /// Whether an element's step needs that element of the gradient and of the state alone, so that workers can
    /// [share](Optimizer::restrict) the parameters out among them. By default it is taken to need more.
    fn is_elementwise(&self) -> bool {
        false
    }

    /// Leaves all parameters but `range` to others, which step them with the same gradients: state is from now on kept for these
    /// alone (what is there of the others is dropped), and a step changes these alone. Vectors that are given are still those of
    /// all parameters; those in [`state`](Optimizer::state) are the range's, and put one behind the other, in the order of the
    /// ranges, they are the state of an optimiser that was not restricted.
    ///
    /// ```
    /// use wengert_optim::{Adam, Optimizer};
    /// let mut adam: Adam<f64> = Adam::new(0.1);
    /// adam.restrict(2..3);
    /// let mut theta = [1.0; 4];
    /// adam.step(&mut theta, &[1.0; 4]);
    /// assert!(theta[2] < 1.0 && theta[..2] == [1.0; 2] && theta[3] == 1.0);
    /// assert_eq!(adam.state().vectors["m"].len(), 1);
    /// ```
    ///
    /// # Panics
    /// If it is not [elementwise](Optimizer::is_elementwise), is restricted already, or knows of fewer parameters.
    #[track_caller]
    fn restrict(&mut self, range: Range<usize>) {
        panic!("restrict: {} cannot be restricted to {range:?}, as it is not elementwise", self.name());
    }

    /// Gives up a step of several gradients that has begun: takes `params` back to where they were before it.
    fn abandon(&mut self, _params: &mut [T]) {}

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

    /// The hyper-parameters by name, but for the learning rate: what a program has set, and [`state`](Optimizer::state) leaves out.
    /// By default none are named.
    ///
    /// ```
    /// use wengert_optim::{Adam, Lookahead, Optimizer};
    /// let optimizer: Lookahead<Adam> = Lookahead::new(Adam::new(1e-3), 6, 0.5);
    /// let settings = Optimizer::<f32>::settings(&optimizer);
    /// assert_eq!(settings.count("period")?, 6);
    /// assert_eq!(settings.child("inner")?.real("beta1")?, 0.9);
    /// # Ok::<(), wengert_optim::StateError>(())
    /// ```
    fn settings(&self) -> State {
        State::new(self.name(), 0)
    }

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

    fn frozen(&self) -> Vec<Range<usize>> {
        (**self).frozen()
    }

    fn is_elementwise(&self) -> bool {
        (**self).is_elementwise()
    }

    #[track_caller]
    fn restrict(&mut self, range: Range<usize>) {
        (**self).restrict(range);
    }

    fn abandon(&mut self, params: &mut [T]) {
        (**self).abandon(params);
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

    fn settings(&self) -> State {
        (**self).settings()
    }

    fn state(&self) -> State {
        (**self).state()
    }

    fn load_state(&mut self, state: &State) -> Result<(), StateError> {
        (**self).load_state(state)
    }
}

/// A step of several gradients under way. Dropped before it is complete, by a panic, it is given up.
pub(crate) struct Begun<'a, T: Float, O: Optimizer<T> + ?Sized> {
    pub(crate) optimizer: &'a mut O,
    pub(crate) params: &'a mut [T],
    pub(crate) complete: bool,
}

impl<T: Float, O: Optimizer<T> + ?Sized> Drop for Begun<'_, T, O> {
    fn drop(&mut self) {
        if !self.complete {
            self.optimizer.abandon(self.params);
        }
    }
}

/// The range within a vector of which it is said where it stands, as it is within `part` of that.
pub(crate) fn within(range: &Range<usize>, part: &Range<usize>) -> Range<usize> {
    let at = |place: usize| place.clamp(part.start, part.end) - part.start;
    at(range.start)..at(range.end)
}

/// What lies between `frozen` ranges, in order, of a vector of `len` elements.
pub(crate) fn moving(len: usize, frozen: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
    let starts = std::iter::once(0).chain(frozen.iter().map(|r| r.end));
    let ends = frozen.iter().map(|r| r.start).chain(std::iter::once(len));
    starts.zip(ends).map(|(start, end)| start..end).filter(|r| !r.is_empty())
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
