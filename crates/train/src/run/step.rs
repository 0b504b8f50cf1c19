//! Steps.

use wengert_nn::{Ctx, Grads};
use wengert_optim::Step;
use wengert_tape::Var;
use wengert_tensor::Float;

use super::together::Owed;
use super::{Losses, Run};
use crate::error::TrainError;
use crate::event::{Event, StepReport};
use crate::learner::{StepFailure, Stepped};

impl<T: Float> Run<'_, T> {
    /// One step on this loss, which is evaluated wherever the optimiser needs it. Returns the loss before the step.
    ///
    /// With several workers that [accumulate](crate::Trainer::accumulate), they talk to each other once an update: on the batches
    /// before its last the result is the loss that this worker has found. What is not finite in one of the batches refuses or
    /// skips the whole update.
    ///
    /// # Errors
    /// If the loss is not finite, or a gradient that is [looked at](crate::Learner::non_finite): it is then evaluated once
    /// more, and the error names what made the first such number. If it does not depend on some parameters. Nothing is then
    /// changed. If a checkpoint could not be written: the run can go on, and the step is taken when it is asked for again.
    ///
    /// # Panics
    /// If the loss does not have exactly one element.
    #[track_caller]
    pub fn step(&mut self, loss: impl Fn(&Ctx<T>) -> Var<T>) -> Result<T, TrainError> {
        if self.together.is_some() {
            return self.step_together(loss);
        }
        self.begin_update()?;
        // A loss that panics has changed nothing.
        match self.learner.take(loss) {
            Ok(stepped) => {
                self.place.touch();
                Ok(self.stepped(stepped))
            }
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Takes in a step that was taken.
    pub(super) fn stepped(&mut self, stepped: Stepped<T>) -> T {
        let examples = self.count_batch();
        let loss = stepped.loss.to_f64();
        self.losses.add(loss, examples);
        if self.log.is_watched() {
            let now = self.now();
            let report = StepReport {
                loss,
                examples,
                learning_rate: stepped.learning_rate,
                outcome: stepped.outcome,
                params: self.learner.params(),
                grads: &stepped.grads,
            };
            self.log.tell(&Event::Step(&report), &now);
            self.end_if_broken();
        }
        stepped.loss
    }

    /// Counts a batch that was trained on; its examples.
    pub(super) fn count_batch(&mut self) -> u64 {
        let examples = self.place.at().examples;
        self.log.steps += 1;
        self.log.examples += examples;
        examples
    }

    /// Takes in batches before the last of an update, now that their losses are known. `grads` is theirs as far as it is known.
    pub(super) fn tell_owed(&mut self, owed: Vec<(Owed, T)>, grads: &Grads<T>) {
        for (batch, loss) in owed {
            let Owed { at, examples, learning_rate, gradients } = batch;
            let loss = loss.to_f64();
            self.losses.add(loss, examples);
            if self.log.is_watched() {
                let outcome = Step::Accumulated { gradients };
                let params = self.learner.params();
                let report = StepReport { loss, examples, learning_rate, outcome, params, grads };
                self.log.tell(&Event::Step(&report), &at);
                self.end_if_broken();
            }
        }
    }

    /// Lets the workers add up the losses of batches whose update is still to come: at the end of an epoch, whose mean loss they are
    /// a part of, and before the run is saved.
    pub(super) fn settle_losses(&mut self) {
        let Some(together) = &mut self.together else { return };
        match together.settle() {
            Ok(owed) if owed.is_empty() => {}
            Ok(owed) => {
                let params = self.learner.params();
                let grads = params.gradient(&together.own_gradient(params.len()));
                self.tell_owed(owed, &grads);
            }
            Err(error) => self.place.fail(error),
        }
    }

    /// One step of a [further network](crate::Trainer::also). It belongs to the batch that is under way, and does not count
    /// as a step of the run.
    ///
    /// ```
    /// use wengert_nn::{Layer, Linear, Losses, Mode, Params};
    /// use wengert_optim::{Adam, Average};
    /// use wengert_tape::Var;
    /// use wengert_train::{Epoch, Epochs, Learner, Trainer};
    ///
    /// let (mut params, mut others) = (Params::<f32>::seeded(0), Params::<f32>::seeded(1));
    /// let (generator, critic) = (Linear::new(params.root(), 1, 1), Linear::new(others.root(), 1, 1));
    /// let learner = Learner::new(&mut others, Adam::new(0.01)).clip_value(1.0);
    /// let mut run = Trainer::new(&mut params, Adam::new(0.01))
    ///     .average_from(Average::Uniform, 5, 2)
    ///     .also("critic", learner)
    ///     .start()?;
    /// let (noise, real) = (Var::ones([4, 1]), Var::ones([4, 1]) * 3);
    /// let epochs: Epochs = run.epochs(10)?;
    /// for epoch in epochs {
    ///     let epoch: Epoch = epoch;
    ///     let made = run.params().infer_in(Mode::Train, |cx| generator.forward(cx, &noise));
    ///     run.step_of("critic", |cx| (critic.forward(cx, &made) - critic.forward(cx, &real)).mean())?;
    ///     let judge = run.learner("critic").params();
    ///     let judge = judge.context(Mode::Train, &judge.vars());
    ///     run.step(|cx| -critic.forward(&judge, &generator.forward(cx, &noise)).mean())?;
    ///     assert_eq!(run.learner("critic").updates(), epoch.number());
    /// }
    /// run.finish()?;
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](Run::step).
    ///
    /// # Panics
    /// As [`step`](Run::step), or if there is no network of this name.
    #[track_caller]
    pub fn step_of(&mut self, name: &str, loss: impl Fn(&Ctx<T>) -> Var<T>) -> Result<T, TrainError> {
        let index = self.index_of("step_of", name);
        if self.together.is_some() {
            return self.step_of_together(index, loss);
        }
        self.begin_update()?;
        match self.others[index].1.take(loss) {
            Ok(stepped) => {
                self.place.touch();
                Ok(stepped.loss)
            }
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// A [further network](crate::Trainer::also) as it is.
    ///
    /// # Panics
    /// If there is no network of this name.
    #[track_caller]
    pub fn learner(&self, name: &str) -> &crate::Learner<'_, T> {
        self.look();
        &self.others[self.index_of("learner", name)].1
    }

    #[track_caller]
    fn index_of(&self, operation: &str, name: &str) -> usize {
        match self.others.iter().position(|(other, _)| other == name) {
            Some(index) => index,
            None => {
                let known: Vec<&str> = self.others.iter().map(|(name, _)| name.as_str()).collect();
                panic!("{operation}: there is no learner {name:?} among {known:?}")
            }
        }
    }

    /// What comes before parameters change.
    pub(super) fn begin_update(&mut self) -> Result<(), TrainError> {
        self.look();
        if let Some(error) = self.unsaved.take() {
            return Err(error);
        }
        if self.losses.epoch != self.place.at().epoch {
            self.tell_losses();
            self.losses = Losses { epoch: self.place.at().epoch, ..Losses::default() };
        }
        if self.told_epoch != Some(self.place.at().epoch) {
            self.told_epoch = Some(self.place.at().epoch);
            let now = self.now();
            self.log.tell(&Event::Epoch, &now);
            self.end_if_broken();
            self.compare_with_others()?;
        }
        self.save_if_due()
    }

    pub(super) fn failed(&self, failure: StepFailure) -> TrainError {
        let at = self.now();
        match failure {
            StepFailure::Other(error) => error,
            StepFailure::Loss { value, trouble } => {
                TrainError::Loss { value, step: at.step + 1, epoch: at.epoch, batch: at.batch, trouble }
            }
        }
    }
}

impl Losses {
    fn add(&mut self, loss: f64, examples: u64) {
        // Where the number is not known, all steps weigh the same.
        let weight = if examples == 0 { 1.0 } else { examples as f64 };
        self.sum += loss * weight;
        self.weight += weight;
        self.told = false;
    }
}
