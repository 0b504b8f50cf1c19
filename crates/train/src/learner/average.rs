//! The average that a model is evaluated with.

use wengert_optim::{Average, Averaged};
use wengert_state::{Scalar, State};
use wengert_tensor::Float;

/// An average of the parameters behind some of the updates.
pub(super) struct Snapshots<T: Float> {
    pub(super) kind: Average,
    pub(super) average: Averaged<T>,
    /// The first update that counts, and every how many do.
    pub(super) start: u64,
    pub(super) every: u64,
}

impl<T: Float> Snapshots<T> {
    /// The parameters are these behind so many updates.
    pub(super) fn look(&mut self, updates: u64, params: &[T]) {
        if updates >= self.start && (updates - self.start).is_multiple_of(self.every) {
            self.average.update(params);
        }
    }

    /// What it is, by name.
    pub(super) fn settings(&self) -> State {
        let (kind, decay) = match self.kind {
            Average::Exponential { decay } => ("exponential", Some(decay)),
            Average::Unbiased { decay } => ("unbiased", Some(decay)),
            Average::Uniform => ("uniform", None),
        };
        State::new(kind, 0)
            .with_scalar("decay", decay.map_or(Scalar::None, Scalar::Real))
            .with_count("start", self.start)
            .with_count("every", self.every)
    }

    /// The average, if it is one of anything.
    pub(super) fn get(&self) -> Option<&[T]> {
        (self.average.count() > 0).then(|| self.average.params())
    }
}
