//! What is measured in a run.

use wengert_data::{BatchOf, Batches, Source};
use wengert_nn::{Ctx, Mode};
use wengert_tape::Var;
use wengert_tensor::Float;

use super::Run;
use crate::error::TrainError;
use crate::event::Moment;
use crate::metric::Metrics;
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
    /// After an interruption in the middle of an epoch nothing is measured, and there are no values: the run goes on another time
    /// as if it had not been interrupted. Nor is there before the batches of an epoch in whose middle a run goes on: what was
    /// measured there is in its history.
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
        self.look();
        metrics.reset();
        // No closures: they would lose the caller's line.
        self.learner.evaluated(|params| {
            let cx = params.context(Mode::Eval, &params.vars());
            for batch in data {
                let (outputs, targets) = outputs(&cx, batch);
                metrics.update(&outputs.into_value(), &targets);
            }
        });
        let measured = Measured { values: metrics.values() };
        self.record(set, &measured.values);
        Ok(measured)
    }

    /// Takes in values that the program measured: they are told to observers, remembered in the history under the name of the set,
    /// and looked at by early stopping.
    pub fn record(&mut self, set: &str, values: &[(String, f64)]) {
        if self.is_broken_off() {
            return;
        }
        self.save_before_change();
        self.tell_losses();
        let now = self.now();
        self.take_note(set, values, &now);
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
        if self.losses.told || self.losses.weight == 0.0 || !over {
            return;
        }
        self.losses.told = true;
        let mean = self.losses.sum / self.losses.weight;
        let now = Moment { epoch: self.losses.epoch, ..self.now() };
        self.take_note("train", &[("loss".to_owned(), mean)], &now);
    }
}
