//! How good a model's outputs are, over batches of any size.

use std::fmt::Debug;

use wengert_optim::first::Goal;
use wengert_state::{State, StateError};
use wengert_tensor::{Float, Tensor};

/// A number that says how good outputs are for targets of type `Y`: labels, or values for regressions.
///
/// It accumulates counts and sums, never means, so that batches of unequal sizes and parts of a data set that were
/// measured apart [merge](Metric::merge) to what the whole would have given.
pub trait Metric<T: Float = f32, Y = Tensor<u32>>: Debug {
    /// Its name, e.g. `"accuracy"`.
    fn name(&self) -> &str;

    /// Whether it is to become small or large.
    fn goal(&self) -> Goal;

    /// Takes in the outputs for a batch.
    fn update(&mut self, outputs: &Tensor<T>, targets: &Y);

    /// The value over all that was taken in; NaN if that is nothing, or the value does not exist.
    fn value(&self) -> f64;

    /// Forgets all that was taken in.
    fn reset(&mut self);

    /// All that was taken in, for [`load_state`](Metric::load_state) and [`merge`](Metric::merge).
    fn state(&self) -> State;

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// If the state is that of another metric or of one with other settings.
    fn load_state(&mut self, state: &State) -> Result<(), StateError>;

    /// Takes in what another metric of the same settings took in, by its [`state`](Metric::state).
    ///
    /// # Errors
    /// If the state is that of another metric or of one with other settings.
    fn merge(&mut self, other: &State) -> Result<(), StateError>;
}
