//! Methods on the whole loss.

use std::ops::ControlFlow;

use wengert_optim::minimize::Progress;
use wengert_optim::{Minimizer, Objective, Outcome, Step};
use wengert_tensor::Float;

use super::Run;
use crate::error::TrainError;
use crate::event::{Event, StepReport};

use crate::place::Start;
use crate::reason::{Finished, StopReason};
use crate::trainer::Trainer;

impl<'p, T: Float> Trainer<'p, T> {
    /// Minimises an objective over the parameters by a closure method (L-BFGS, Newton-CG, K-FAC …), from where they are or from a
    /// checkpoint. An iteration is a step and an epoch of the run, whose `"train.loss"` is the objective's value; `after` is
    /// called behind each with the parameters there, to measure on other data. On resume the method's own settings are the program's:
    /// they are not compared with those of the file, so that a run can go on with other limits.
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::{Lbfgs, Stopping};
    /// use wengert_train::{Trainer, accuracy};
    ///
    /// let data = synthetic::digits(200, 0);
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let batches: Vec<_> = data.batches(100).collect();
    /// let loss = params.objective_over(&batches, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels));
    /// let method = Lbfgs::default().with_stopping(Stopping { max_iterations: 20, ..Stopping::gradient(1e-3) });
    /// let (finished, outcome) = Trainer::without_optimizer(&mut params).minimize(&method, &loss, |_| Ok(()))?;
    /// assert_eq!(finished.history.rows.len() as u64, outcome.iterations);
    /// assert!(accuracy(&model, &params, &data) > 0.95);
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    ///
    /// # Errors
    /// As [`start`](Trainer::start), if the method cannot start, and what `after` returns: the run then ends.
    pub fn minimize(
        self,
        method: &dyn Minimizer<T>,
        objective: &dyn Objective<T>,
        mut after: impl FnMut(&mut Run<'p, T>) -> Result<(), TrainError>,
    ) -> Result<(Finished, Outcome<T>), TrainError> {
        let mut run = self.start()?;
        let mut failure = None;
        let resumed = run.method.take();
        let start = run.learner.params().values().to_vec();
        let mut callback = |progress: &Progress<'_, T>| match run.iterate(progress, &mut after) {
            Ok(flow) => flow,
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        };
        let outcome = match resumed {
            Some(state) => method.run_from(objective, &state, &mut callback)?,
            None => method.run_with(objective, &start, &mut callback)?,
        };
        if let Some(error) = failure {
            return Err(error);
        }
        run.learner.params_mut().set_values(&outcome.point);
        if !run.place.is_interrupted() {
            run.reason.get_or_insert_with(|| StopReason::Done(outcome.reason.to_string()));
        }
        Ok((run.finish()?, outcome))
    }
}

impl<'p, T: Float> Run<'p, T> {
    /// An iteration is over.
    fn iterate(
        &mut self,
        progress: &Progress<'_, T>,
        after: &mut impl FnMut(&mut Run<'p, T>) -> Result<(), TrainError>,
    ) -> Result<ControlFlow<()>, TrainError> {
        // Methods begin by telling where they are: nowhere yet, or where an earlier run was.
        if progress.iterations <= self.log.steps {
            return Ok(self.flow());
        }
        self.place.go_to(Start { epoch: progress.iterations - 1, position: None });
        self.place.touch();
        self.learner.params_mut().set_values(&progress.current.point);
        self.method = Some(progress.to_state()?);
        self.log.steps = progress.iterations;
        self.counts = progress.counts;
        let loss = progress.current.value;
        if self.log.is_watched() {
            let gradient_norm = progress.trace.last().map_or(f64::NAN, |record| record.gradient_norm);
            let grads = self.learner.params().gradient(&progress.current.gradient);
            let report = StepReport {
                loss,
                examples: 0,
                learning_rate: f64::NAN,
                outcome: Step::Updated { gradient_norm },
                params: self.learner.params(),
                grads: &grads,
            };
            let now = self.now();
            self.log.tell(&Event::Epoch, &now);
            self.log.tell(&Event::Step(&report), &now);
        }
        self.record("train", &[("loss".to_owned(), loss)])?;
        after(self)?;
        self.save_iteration()?;
        self.place.agree()?;
        Ok(self.flow())
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.place.is_ending() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
