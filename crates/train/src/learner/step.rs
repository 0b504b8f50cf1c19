//! A learner's steps.

use wengert_nn::{Ctx, GradError, Grads, Params, Watched};
use wengert_optim::{Optimizer, Step, StepError, Stepper, global_norm};
use wengert_tape::Var;
use wengert_tensor::Float;

use super::Learner;
use crate::error::TrainError;
use crate::training::{step_with_gradient, take_over_buffers};
use crate::watch::{Trouble, first_trouble};

/// What a step found.
pub(crate) struct Stepped<T: Float> {
    pub(crate) loss: T,
    pub(crate) learning_rate: f64,
    pub(crate) outcome: Step,
    pub(crate) grads: Grads<T>,
}

/// A loss or a gradient that is not finite, with what made it, or what else can go wrong.
pub(crate) enum StepFailure {
    Loss { value: f64, trouble: Option<Box<Trouble>> },
    Other(TrainError),
}

/// A learner's parameters, what steps them, and the learning rate of that.
type Moving<'a, 'p, T> = (&'a mut Params<T>, &'a mut Stepper<Box<dyn Optimizer<T> + 'p>, T>, f64);

/// Why a step is not taken.
pub(crate) enum Refusal {
    Loss(f64),
    Gradient(StepError),
    Other(TrainError),
}

impl From<TrainError> for StepFailure {
    fn from(error: TrainError) -> Self {
        StepFailure::Other(error)
    }
}

impl From<StepError> for Refusal {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Loss { value, .. } => Refusal::Loss(value),
            error => Refusal::Gradient(error),
        }
    }
}

impl<E: Into<TrainError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal::Other(error.into())
    }
}

impl<'p, T: Float> Learner<'p, T> {
    /// One step on this loss, which is evaluated wherever the optimiser needs it. Returns the loss before the step.
    ///
    /// # Errors
    /// If the loss is not finite ([`NonFinite::Skip`](wengert_optim::first::NonFinite::Skip) counts it as skipped instead), or a
    /// gradient that is looked at: the loss is then evaluated once more, and the error names [what made](Trouble) the first such
    /// number. If the loss does not depend on some parameters. Nothing is then changed.
    ///
    /// # Panics
    /// If the loss does not have exactly one element.
    #[track_caller]
    pub fn step(&mut self, loss: impl Fn(&Ctx<T>) -> Var<T>) -> Result<T, TrainError> {
        let updates = self.updates;
        self.take(loss).map(|stepped| stepped.loss).map_err(|failure| match failure {
            StepFailure::Loss { value, trouble } => TrainError::LearnerLoss { value, updates, trouble },
            StepFailure::Other(error) => error,
        })
    }

    /// One step; one that fails changes nothing, the random numbers of the next evaluation neither.
    #[track_caller]
    pub(crate) fn take(&mut self, loss: impl Fn(&Ctx<T>) -> Var<T>) -> Result<Stepped<T>, StepFailure> {
        let evaluations = self.params.step();
        let loss = Watched::new(loss);
        let stepped = self.evaluate(&loss).and_then(|(value, grads)| self.apply(value, grads, &loss));
        stepped.map_err(|refusal| {
            self.params.set_step(evaluations);
            self.failure(refusal, &loss)
        })
    }

    /// What is said of a step that is not taken.
    pub(crate) fn failure(
        &self,
        refusal: Refusal,
        loss: &Watched<impl Fn(&Ctx<T>) -> Var<T>>,
    ) -> StepFailure {
        let trouble = || first_trouble(self.params, |cx: &Ctx<T>| loss.value(cx)).map(Box::new);
        match refusal {
            Refusal::Loss(value) => StepFailure::Loss { value, trouble: trouble() },
            Refusal::Gradient(error) => {
                StepFailure::Other(TrainError::Gradient { error, trouble: trouble() })
            }
            Refusal::Other(error) => StepFailure::Other(error),
        }
    }

    /// The loss and its gradient, for [`apply`](Self::apply).
    #[track_caller]
    pub(crate) fn evaluate(
        &self,
        loss: &Watched<impl Fn(&Ctx<T>) -> Var<T>>,
    ) -> Result<(T, Grads<T>), Refusal> {
        if self.stepper.is_none() {
            return Err(no_optimizer().into());
        }
        let evaluated: Result<_, GradError> = self.params.value_and_grad(|cx| loss.value(cx));
        loss.check("step");
        Ok(evaluated?)
    }

    /// As [`evaluate`](Self::evaluate), and shows the gradient while it is computed, `every` so many elements where it can.
    #[track_caller]
    pub(crate) fn evaluate_by(
        &self,
        loss: &Watched<impl Fn(&Ctx<T>) -> Var<T>>,
        every: usize,
        progress: &mut dyn FnMut(&[T], usize),
    ) -> Result<(T, Grads<T>), Refusal> {
        if self.stepper.is_none() {
            return Err(no_optimizer().into());
        }
        let evaluated: Result<_, GradError> =
            self.params.value_and_grad_by(|cx| loss.value(cx), every, progress);
        loss.check("step");
        Ok(evaluated?)
    }

    /// A step with the loss and its gradient at the parameters.
    #[track_caller]
    pub(crate) fn apply(
        &mut self,
        value: T,
        mut grads: Grads<T>,
        loss: &Watched<impl Fn(&Ctx<T>) -> Var<T>>,
    ) -> Result<Stepped<T>, Refusal> {
        let watched = self.watched;
        let (params, stepper, learning_rate) = self.moving()?;
        let outcome = if watched {
            let outcome = stepper.step_at(value, &mut params.values_mut(), &mut grads)?;
            take_over_buffers(params, outcome, &grads);
            outcome
        } else {
            finite(value)?;
            // The loss at a further point, where that is not finite.
            finite(step_with_gradient(params, &mut **stepper.optimizer_mut(), value, &grads, loss)?)?;
            Step::Updated { gradient_norm: f64::NAN }
        };
        Ok(self.stepped(value, learning_rate, outcome, grads))
    }

    /// An update with the mean of as many gradients as make one, that workers have found together; where they share the state out,
    /// `grads` has this one's part, in its place.
    #[track_caller]
    pub(crate) fn apply_mean(&mut self, value: T, mut grads: Grads<T>) -> Result<Stepped<T>, Refusal> {
        let (watched, shares) = (self.watched, self.shares.clone());
        let (params, stepper, learning_rate) = self.moving()?;
        let mut norm = |grads: &mut [T]| match &shares {
            Some(shares) => Ok(shares.norm(grads)?),
            None => Ok(global_norm(grads)),
        };
        let mut values = params.values_mut();
        let outcome = if watched {
            stepper.step_with_mean::<Refusal>(value, &mut values, &mut grads, &mut norm)?
        } else {
            finite(value)?;
            stepper.optimizer_mut().step(&mut values, &grads);
            Step::Updated { gradient_norm: f64::NAN }
        };
        if let (Some(shares), Step::Updated { .. }) = (&shares, outcome) {
            shares.complete(&mut values)?;
        }
        drop(values);
        take_over_buffers(params, outcome, &grads);
        Ok(self.stepped(value, learning_rate, outcome, grads))
    }

    /// What a step needs, with the learning rate as the schedule has it.
    fn moving(&mut self) -> Result<Moving<'_, 'p, T>, Refusal> {
        let Some(stepper) = &mut self.stepper else { return Err(no_optimizer().into()) };
        if let Some(schedule) = &self.schedule {
            stepper.optimizer_mut().set_learning_rate(schedule.at(self.updates));
        }
        let rate = stepper.optimizer().learning_rate();
        Ok((&mut *self.params, stepper, rate))
    }

    fn stepped(&mut self, loss: T, learning_rate: f64, outcome: Step, grads: Grads<T>) -> Stepped<T> {
        if matches!(outcome, Step::Updated { .. }) {
            self.updates += 1;
            if let Some(snapshots) = &mut self.average {
                snapshots.look(self.updates, self.params.values());
            }
        }
        Stepped { loss, learning_rate, outcome, grads }
    }
}

/// That a loss is one.
fn finite<T: Float>(loss: T) -> Result<(), Refusal> {
    if loss.is_finite() { Ok(()) } else { Err(Refusal::Loss(loss.to_f64())) }
}

fn no_optimizer() -> TrainError {
    TrainError::Settings("there is no optimiser: `minimize` moves these parameters".to_owned())
}
