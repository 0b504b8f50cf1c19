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
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::schedule::ReduceOnPlateau;
    /// use wengert_optim::{Adam, EarlyStopping};
    /// use wengert_train::metric::{Accuracy, Metrics};
    /// use wengert_train::{Finished, Measured, Row, StopReason, Trainer};
    ///
    /// let (data, test) = (synthetic::digits(200, 0), synthetic::digits(50, 1));
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let mut quality = Metrics::new().with(Accuracy::new());
    /// let finished: Finished = Trainer::new(&mut params, Adam::new(3e-3))
    ///     .seed(1)
    ///     .setting("data", "synthetic digits")
    ///     .measures("test", &quality)
    ///     .early_stopping("test.accuracy", EarlyStopping::new(2, 0.01))
    ///     .reduce_on_plateau("train.loss", ReduceOnPlateau::new(3e-3))
    ///     .fit_with(
    ///         &data,
    ///         30,
    ///         |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels),
    ///         |run| {
    ///             let measured: Measured =
    ///                 run.validate("test", test.batches(25), &mut quality, |cx, (x, y)| (model.forward(cx, &x), y))?;
    ///             assert!(measured.get("accuracy") <= 1.0);
    ///             Ok(())
    ///         },
    ///     )?;
    /// assert!(matches!(finished.reason, StopReason::EarlyStopping(_)));
    /// let first: &Row = &finished.history.rows[0];
    /// assert_eq!((first.epoch, first.set.as_str(), first.name.as_str()), (1, "train", "loss"));
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
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
