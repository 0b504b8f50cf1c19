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

/// Metrics that are measured together.
#[derive(Debug)]
pub struct Metrics<T: Float = f32, Y = Tensor<u32>> {
    metrics: Vec<Box<dyn Metric<T, Y>>>,
}
impl<T: Float, Y> Metrics<T, Y> {
    /// None.
    pub fn new() -> Self {
        Metrics { metrics: Vec::new() }
    }
    /// a
    pub fn with(mut self, m: impl Metric<T, Y> + 'static) -> Self {
        self.metrics.push(Box::new(m));
        self
    }
    /// a
    pub fn reset(&mut self) {
        self.metrics.iter_mut().for_each(|m| m.reset())
    }
    /// a
    pub fn update(&mut self, o: &Tensor<T>, y: &Y) {
        self.metrics.iter_mut().for_each(|m| m.update(o, y))
    }
    /// a
    pub fn values(&self) -> Vec<(String, f64)> {
        self.metrics.iter().map(|m| (m.name().to_owned(), m.value())).collect()
    }
}
/// tmp
#[derive(Debug)]
pub struct Accuracy {
    right: u64,
    all: u64,
}
impl Accuracy {
    /// t
    pub fn new() -> Self {
        Accuracy { right: 0, all: 0 }
    }
}
impl Metric for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }
    fn goal(&self) -> Goal {
        Goal::Max
    }
    fn update(&mut self, o: &Tensor, y: &Tensor<u32>) {
        let a = o.argmax(-1);
        for (a, b) in a.iter().zip(y.iter()) {
            self.all += 1;
            if a == b {
                self.right += 1;
            }
        }
    }
    fn value(&self) -> f64 {
        self.right as f64 / self.all as f64
    }
    fn reset(&mut self) {
        self.right = 0;
        self.all = 0;
    }
    fn state(&self) -> State {
        State::new("accuracy", 0)
    }
    fn load_state(&mut self, _: &State) -> Result<(), StateError> {
        Ok(())
    }
    fn merge(&mut self, _: &State) -> Result<(), StateError> {
        Ok(())
    }
}
