//! Training without a loop of one's own.

use wengert_data::{BatchOf, Batches, Dataset, Source};
use wengert_nn::Ctx;
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Float;

use crate::error::TrainError;
use crate::reason::Finished;
use crate::run::Run;
use crate::trainer::Trainer;

impl<'p, T: Float> Trainer<'p, T> {
    /// Trains on shuffled batches of all examples for so many epochs.
    ///
    /// # Errors
    /// As [`start`](Trainer::start) and [`Run::step`]; if `epochs` is 0 or the data are empty.
    ///
    /// # Panics
    /// If the loss does not have exactly one element.
    #[track_caller]
    pub fn fit<S: Source>(
        self,
        data: &Dataset<S>,
        epochs: u64,
        loss: impl Fn(&Ctx<T>, &BatchOf<S>) -> Var<T>,
    ) -> Result<Finished, TrainError> {
        self.fit_with(data, epochs, loss, |_| Ok(()))
    }

    /// As [`fit`](Trainer::fit), with something done after each epoch: [`Run::validate`], say.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit), and what `after` returns.
    ///
    /// # Panics
    /// As [`fit`](Trainer::fit).
    #[track_caller]
    pub fn fit_with<S: Source, R>(
        mut self,
        data: &Dataset<S>,
        epochs: u64,
        loss: impl Fn(&Ctx<T>, &BatchOf<S>) -> Var<T>,
        mut after: impl FnMut(&mut Run<'p, T>) -> Result<R, TrainError>,
    ) -> Result<Finished, TrainError> {
        let batches: Batches<S> = data.batches(self.batch_size).shuffled(self.seed);
        let state = State::new("data", 0)
            .with_count("batch_size", self.batch_size as u64)
            .with_count("seed", self.seed)
            .with_count("examples", batches.position().examples);
        self.data = Some(state);
        let mut run = self.start()?;
        for epoch in run.epochs(epochs)? {
            for batch in epoch.batches(batches.clone())? {
                run.step(|cx| loss(cx, &batch))?;
            }
            after(&mut run)?;
        }
        run.finish()
    }
}
