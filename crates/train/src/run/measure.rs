//! What is measured in a run.

use wengert_data::{BatchOf, Batches, Source};
use wengert_nn::{Ctx, Mode};
use wengert_tape::Var;
use wengert_tensor::Float;
use wengert_tensor::names::nearest;

use super::Run;
use crate::epochs::contents;
use crate::error::TrainError;
use crate::event::Moment;
use crate::metric::Metrics;
use crate::parallel::{Workers, bytes, expect_alike, state};
use crate::reason::StopReason;
use crate::trainer::{TRAIN_LOSS, nearest_values};

/// Values that were measured, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Names and values.
    pub values: Vec<(String, f64)>,
}

impl Measured {
    /// The value of this name; NaN if nothing was measured, because the run was [interrupted](Run::validate).
    ///
    /// # Panics
    /// If other values were measured, and none of this name.
    #[track_caller]
    pub fn get(&self, name: &str) -> f64 {
        if self.values.is_empty() {
            return f64::NAN;
        }
        match self.values.iter().find(|(known, _)| known == name) {
            Some((_, value)) => *value,
            None => {
                let known = nearest(name, self.values.iter().map(|(known, _)| known.as_str()), 10);
                panic!("Measured::get: nothing measured {name:?}; there are {known:?}")
            }
        }
    }
}

impl<T: Float> Run<'_, T> {
    /// Measures how good the model is on some data, in evaluation mode with the parameters to [evaluate](Run::evaluated) it with:
    /// `outputs` gives for a batch the outputs and the targets that `metrics` compare. The values are told to observers and
    /// remembered in the history under the name of the set.
    ///
    /// With [several workers](crate::Trainer::parallel), each measures some of the batches, and all have the metrics over all.
    ///
    /// After an interruption in the middle of an epoch nothing is measured, and there are no values: the run goes on another time
    /// as if it had not been interrupted. Nor is there before the batches of an epoch in whose middle a run goes on: what was
    /// measured there is in its history.
    ///
    /// # Errors
    /// If the data have no batch, other workers have other data, or the run [announces](crate::Trainer::measures) values and not
    /// these.
    ///
    /// # Panics
    /// If a metric does not take the outputs.
    #[track_caller]
    pub fn validate<S: Source, Y: 'static>(
        &mut self,
        set: &str,
        data: Batches<S>,
        metrics: &mut Metrics<T, Y>,
        mut outputs: impl FnMut(&Ctx<T>, BatchOf<S>) -> (Var<T>, Y),
    ) -> Result<Measured, TrainError> {
        if self.is_broken_off() {
            return Ok(Measured::default());
        }
        if data.len() == 0 {
            return Err(TrainError::NoBatches { examples: data.examples() });
        }
        self.expect_announced(set, metrics.iter().map(|metric| metric.name()))?;
        if let Some(workers) = self.place.workers() {
            let (size, position) = (data.batch_size().to_string(), data.position());
            let facts = [
                ("number of examples", position.examples.to_string()),
                ("batch size", size),
                ("contents", contents(&data)),
            ];
            expect_alike(workers, &facts.map(|(what, value)| (format!("{what} of {set}"), value)))?;
        }
        self.look();
        metrics.reset();
        let (rank, workers) = self.place.workers().map_or((0, 1), |all| (all.rank(), all.workers()));
        // No closures: they would lose the caller's line.
        self.learner.evaluated(|params| {
            let cx = params.context(Mode::Eval, &params.vars());
            for batch in data.skip(rank).step_by(workers) {
                let (outputs, targets) = outputs(&cx, batch);
                metrics.update(&outputs.into_value(), &targets);
            }
        });
        if let Some(workers) = self.place.workers() {
            merge(workers, metrics)?;
        }
        let measured = Measured { values: metrics.values() };
        self.take_in(set, &measured.values);
        Ok(measured)
    }

    /// Takes in values that the program measured: they are told to observers, remembered in the history under the name of the set,
    /// and looked at by early stopping. With [several workers](crate::Trainer::parallel), those of the first count.
    ///
    /// ```
    /// use wengert_nn::{Linear, Params};
    /// use wengert_optim::{Sgd, first::Goal};
    /// use wengert_train::Trainer;
    /// let mut params: Params = Params::seeded(0);
    /// Linear::new(params.root(), 1, 1);
    /// let mut run = Trainer::new(&mut params, Sgd::new(0.1)).records("test.perplexity", Goal::Min).start()?;
    /// run.record("test", &[("perplexity".to_owned(), 12.5)])?;
    /// let error = run.record("test", &[("perplexty".to_owned(), 12.5)]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`test.perplexty` was not announced: there are `test.perplexity`, `train.loss`"
    /// );
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// If the run [announces](crate::Trainer::records) values and not one of these, or another worker is gone. None is then
    /// taken in.
    pub fn record(&mut self, set: &str, values: &[(String, f64)]) -> Result<(), TrainError> {
        self.expect_announced(set, values.iter().map(|(name, _)| name.as_str()))?;
        if self.is_broken_off() {
            return Ok(());
        }
        match self.place.workers().map(|workers| values_of_first(workers, values)) {
            None => self.take_in(set, values),
            Some(values) => self.take_in(set, &values?),
        }
        Ok(())
    }

    fn take_in(&mut self, set: &str, values: &[(String, f64)]) {
        self.save_before_change();
        self.tell_losses();
        let now = self.now();
        self.take_note(set, values, &now);
    }

    /// Refuses names that were not announced, in a run that announces some: one of the two is misspelt.
    fn expect_announced<'a>(
        &self,
        set: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), TrainError> {
        if self.known.iter().all(|(known, _)| known == TRAIN_LOSS) {
            return Ok(());
        }
        let mut names = names.map(|name| format!("{set}.{name}"));
        match names.find(|name| self.known.iter().all(|(known, _)| known != name)) {
            Some(name) => {
                let known = nearest_values(&name, &self.known);
                Err(TrainError::Unannounced { name, known })
            }
            None => Ok(()),
        }
    }

    /// Whether the run was interrupted in the middle of an epoch, or goes on there and has not begun to.
    fn is_broken_off(&self) -> bool {
        let at = self.place.at();
        at.is_before_rest() || (self.place.is_interrupted() && !at.epoch_is_over())
    }

    fn take_note(&mut self, set: &str, values: &[(String, f64)], now: &Moment) {
        self.log.note(set, values, now);
        for (name, value) in values {
            let name = format!("{set}.{name}");
            self.decide(&name, *value);
            if let Some(saving) = &mut self.saving {
                saving.measured(name, *value);
            }
        }
        self.end_if_broken();
    }

    /// Lets those decide that look at this value.
    fn decide(&mut self, name: &str, value: f64) {
        if let Some(plateau) = self.plateau.as_mut().filter(|plateau| plateau.name == name) {
            let rate = plateau.schedule.observe(value);
            if let Some(optimizer) = self.learner.optimizer_mut() {
                optimizer.set_learning_rate(rate);
            }
        }
        if let Some(mut stopping) = self.stopping.take_if(|stopping| stopping.name == name) {
            if self.learner.evaluated(|params| stopping.observe(value, params)) {
                self.end(StopReason::EarlyStopping(stopping.reason()));
            }
            self.stopping = Some(stopping);
        }
    }

    /// Tells the mean loss of the epoch that is over.
    pub(super) fn tell_losses(&mut self) {
        let at = self.place.at();
        let over = at.epoch_is_over() || at.epoch != self.losses.epoch;
        if over {
            self.settle_losses();
        }
        if self.losses.told || self.losses.weight == 0.0 || !over {
            return;
        }
        self.losses.told = true;
        let mean = self.losses.sum / self.losses.weight;
        let now = Moment { epoch: self.losses.epoch + 1, ..self.now() };
        self.take_note("train", &[("loss".to_owned(), mean)], &now);
    }
}

/// Puts together what each worker has measured on its part of the data.
fn merge<T: Float, Y: 'static>(workers: &dyn Workers, metrics: &mut Metrics<T, Y>) -> Result<(), TrainError> {
    let all = workers.exchange(&bytes(&metrics.state())).map_err(TrainError::Workers)?;
    metrics.reset();
    for (rank, part) in all.iter().enumerate() {
        let part = state(part)?;
        // The first replaces what is there, so that nothing is left of the order in which this worker came.
        if rank == 0 { metrics.load_state(&part)? } else { metrics.merge(&part)? }
    }
    Ok(())
}

/// The values that the first worker has measured.
fn values_of_first(
    workers: &dyn Workers,
    values: &[(String, f64)],
) -> Result<Vec<(String, f64)>, TrainError> {
    let mine: Vec<(&String, u64)> = values.iter().map(|(name, value)| (name, value.to_bits())).collect();
    let mine = serde_json::to_vec(&mine).expect("names and numbers");
    let first = workers.message_of_first(mine).map_err(TrainError::Workers)?;
    let first: Vec<(String, u64)> =
        serde_json::from_slice(&first).map_err(|error| TrainError::Workers(Box::new(error)))?;
    Ok(first.into_iter().map(|(name, bits)| (name, f64::from_bits(bits))).collect())
}
