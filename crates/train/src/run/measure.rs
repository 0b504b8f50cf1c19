//! What is measured in a run.

use wengert_data::{BatchOf, Batches, Source};
use wengert_nn::{Ctx, Mode};
use wengert_tape::Var;
use wengert_tensor::Float;

use super::Run;
use crate::error::TrainError;
use crate::event::Moment;
use crate::metric::Metrics;
use crate::parallel::{Workers, bytes, state};
use crate::reason::StopReason;

/// Values that were measured, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// Names and values.
    pub values: Vec<(String, f64)>,
}

impl Measured {
    /// The value of this name; NaN if there is none.
    pub fn get(&self, name: &str) -> f64 {
        self.values.iter().find(|(known, _)| known == name).map_or(f64::NAN, |(_, value)| *value)
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
    /// as if it had not been interrupted.
    ///
    /// # Errors
    /// If the data have no batch.
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
    pub fn record(&mut self, set: &str, values: &[(String, f64)]) {
        if self.is_broken_off() {
            return;
        }
        match self.place.workers().map(|workers| values_of_first(workers, values)) {
            None => self.take_in(set, values),
            Some(Ok(values)) => self.take_in(set, &values),
            Some(Err(error)) => self.place.fail(error),
        }
    }

    fn take_in(&mut self, set: &str, values: &[(String, f64)]) {
        self.tell_losses();
        self.place.measured();
        let now = self.now();
        self.take_note(set, values, &now);
    }

    /// Whether the run was interrupted in the middle of an epoch.
    fn is_broken_off(&self) -> bool {
        self.place.is_interrupted() && !self.place.at().epoch_is_over()
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
        if self.losses.told || self.losses.weight == 0.0 || !over {
            return;
        }
        self.losses.told = true;
        let mean = self.losses.sum / self.losses.weight;
        let now = Moment { epoch: self.losses.epoch, ..self.now() };
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
