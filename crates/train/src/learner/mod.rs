//! Parameters with what trains them.

mod average;
mod state;

use wengert_nn::{Ctx, GradError, Grads, Params, Watched};
use wengert_optim::first::{AdaptiveClip, NonFinite};
use wengert_optim::schedule::Schedule;
use wengert_optim::{Average, Averaged, Optimizer, Step, StepError, Stepper};
use wengert_tape::Var;
use wengert_tensor::Float;

use crate::error::TrainError;
use crate::segments::Segments;
use crate::training::{Training, step_with_gradient, with_values};
use crate::watch::{Trouble, first_trouble};

use average::Snapshots;
pub(crate) use state::{AVERAGE, OPTIMIZER, PARAMS, SETTINGS, STEPPER, is_some, load_optional, none};

/// Parameters with the optimiser that trains them, its schedule, and what is done to gradients before it steps: what a
/// [`Trainer`](crate::Trainer) has one of, and further ones for further networks ([`Trainer::also`](crate::Trainer::also)).
///
/// ```
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::{Adam, schedule::Exponential};
/// use wengert_tape::Var;
/// use wengert_train::Learner;
///
/// let mut params: Params = Params::seeded(0);
/// let line = Linear::new(params.root(), 1, 1);
/// let (x, y) = (Var::from([[0.0], [1.0]]), Var::from([[3.0], [5.0]]));
/// let mut learner = Learner::new(&mut params, Adam::new(0.1)).schedule(Exponential::new(0.1, 0.99)).clip_norm(1.0);
/// for _ in 0..300 {
///     learner.step(|cx| line.forward(cx, &x).mse(&y))?;
/// }
/// assert!((learner.params().get("weight").unwrap()[0] - 2.0).abs() < 0.1);
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
pub struct Learner<'p, T: Float = f32> {
    params: &'p mut Params<T>,
    /// None where a method of minimisation moves the parameters.
    stepper: Option<Stepper<Box<dyn Optimizer<T> + 'p>, T>>,
    schedule: Option<Box<dyn Schedule + 'p>>,
    average: Option<Snapshots<T>>,
    /// Whether gradients are looked at before a step.
    watched: bool,
    updates: u64,
}

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

impl<E: Into<TrainError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Refusal::Other(error.into())
    }
}

impl<'p, T: Float> Learner<'p, T> {
    /// Trains all parameters that are not frozen, by any first-order optimiser.
    pub fn new(params: &'p mut Params<T>, optimizer: impl Optimizer<T> + 'p) -> Self {
        let stepper = Stepper::new(Box::new(optimizer) as Box<dyn Optimizer<T> + 'p>, &params.segments());
        Learner { stepper: Some(stepper), ..Self::unmoved(params) }
    }

    /// Parameters that no optimiser moves.
    pub(crate) fn unmoved(params: &'p mut Params<T>) -> Self {
        Learner { params, stepper: None, schedule: None, average: None, watched: false, updates: 0 }
    }

    /// Sets the learning rate of every update by its number. By default it stays as the optimiser has it.
    ///
    /// # Panics
    /// If the schedule's numbers make no sense.
    #[track_caller]
    pub fn schedule(mut self, schedule: impl Schedule + 'p) -> Self {
        if let Err(error) = schedule.check() {
            panic!("schedule: {error}");
        }
        self.schedule = Some(Box::new(schedule));
        self
    }

    fn stepping(
        mut self,
        set: impl FnOnce(Stepper<Box<dyn Optimizer<T> + 'p>, T>) -> Stepper<Box<dyn Optimizer<T> + 'p>, T>,
    ) -> Self {
        self.stepper = self.stepper.map(set);
        self.watched = true;
        self
    }

    /// Clips the global norm of the gradient.
    ///
    /// # Panics
    /// If `limit` is not finite and above 0.
    #[track_caller]
    pub fn clip_norm(self, limit: f64) -> Self {
        assert!(limit.is_finite() && limit > 0.0, "clip_norm: the limit {limit} must be finite and above 0");
        self.stepping(|stepper| stepper.clip_norm(limit))
    }

    /// Clips every element of the gradient to [−limit, limit].
    ///
    /// # Panics
    /// If `limit` is not finite and above 0.
    #[track_caller]
    pub fn clip_value(self, limit: f64) -> Self {
        assert!(limit.is_finite() && limit > 0.0, "clip_value: the limit {limit} must be finite and above 0");
        self.stepping(|stepper| stepper.clip_value(limit))
    }

    /// Clips every unit of the gradient in proportion to its weights.
    pub fn clip_units(self, clip: AdaptiveClip) -> Self {
        self.stepping(|stepper| stepper.clip_units(clip))
    }

    /// Updates once for so many steps, with the mean of their gradients.
    ///
    /// # Panics
    /// If `steps` is 0.
    #[track_caller]
    pub fn accumulate(self, steps: u64) -> Self {
        assert!(steps > 0, "accumulate: there must be at least 1 step to an update");
        self.stepping(|stepper| stepper.accumulate(steps))
    }

    /// Evaluates the model with an average of the parameters behind every update, as an exponential moving one.
    ///
    /// # Panics
    /// If [`Average::check`] refuses it.
    #[doc(alias = "ema")]
    #[track_caller]
    pub fn average(self, average: Average) -> Self {
        self.average_from(average, 1, 1)
    }

    /// Evaluates the model with an average of the parameters behind update `start`, counted from 1, and every so many behind it:
    /// for stochastic weight averaging those at the ends of the last epochs. Batch normalisation keeps the statistics of the
    /// parameters that are trained.
    ///
    /// # Panics
    /// If [`Average::check`] refuses it, or `every` is 0.
    #[doc(alias = "swa")]
    #[track_caller]
    pub fn average_from(mut self, average: Average, start: u64, every: u64) -> Self {
        assert!(every > 0, "average_from: an update of every 0 is none");
        self.average = Some(Snapshots { kind: average, average: Averaged::new(average), start, every });
        self
    }

    /// What is done with gradients that are not finite: an error by default.
    pub fn non_finite(self, policy: NonFinite) -> Self {
        self.stepping(|stepper| stepper.non_finite(policy))
    }

    /// The parameters.
    pub fn params(&self) -> &Params<T> {
        self.params
    }

    /// The parameters, to be changed.
    pub fn params_mut(&mut self) -> &mut Params<T> {
        self.params
    }

    /// The updates that were made.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// The optimiser; none where a method of minimisation moves the parameters.
    pub fn optimizer(&self) -> Option<&(dyn Optimizer<T> + 'p)> {
        self.stepper.as_ref().map(|stepper| &**stepper.optimizer())
    }

    pub(crate) fn optimizer_mut(&mut self) -> Option<&mut (dyn Optimizer<T> + 'p)> {
        self.stepper.as_mut().map(|stepper| &mut **stepper.optimizer_mut())
    }

    pub(crate) fn has_schedule(&self) -> bool {
        self.schedule.is_some()
    }

    /// The learning rate of the next update; none without an optimiser.
    pub(crate) fn learning_rate(&self) -> Option<f64> {
        let scheduled = self.schedule.as_ref().map(|schedule| schedule.at(self.updates));
        scheduled.or_else(|| self.optimizer().map(Optimizer::learning_rate))
    }

    /// Whether the settings go together.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let several = self.optimizer().is_some_and(|optimizer| optimizer.gradients_per_step() > 1);
        if several && self.watched {
            let name = self.optimizer().map_or("", |optimizer| optimizer.name());
            return Err(TrainError::Settings(format!(
                "{name} takes several gradients a step, which are neither accumulated, clipped nor skipped"
            )));
        }
        Ok(())
    }

    /// One step on this loss, which is evaluated wherever the optimiser needs it. Returns the loss before the step.
    ///
    /// # Errors
    /// If the loss is not finite ([`NonFinite::Skip`] counts it as skipped instead), or a gradient that is looked at: the
    /// loss is then evaluated once more, and the error names [what made](Trouble) the first such number. If the loss does not
    /// depend on some parameters. Nothing is then changed.
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

    /// A step with the loss and its gradient at the parameters.
    #[track_caller]
    pub(crate) fn apply(
        &mut self,
        value: T,
        mut grads: Grads<T>,
        loss: &Watched<impl Fn(&Ctx<T>) -> Var<T>>,
    ) -> Result<Stepped<T>, Refusal> {
        let Some(stepper) = &mut self.stepper else { return Err(no_optimizer().into()) };
        if let Some(schedule) = &self.schedule {
            stepper.optimizer_mut().set_learning_rate(schedule.at(self.updates));
        }
        let learning_rate = stepper.optimizer().learning_rate();
        if self.watched && !value.is_finite() {
            match stepper.policy() {
                NonFinite::Error => return Err(Refusal::Loss(value.to_f64())),
                // What is finite of the gradient of such a loss means nothing.
                NonFinite::Skip => grads.iter_mut().take(1).for_each(|slope| *slope = T::NAN),
            }
        }
        let outcome = if self.watched {
            self.params.accumulate(stepper, &mut grads).map_err(Refusal::Gradient)?
        } else if !value.is_finite() {
            return Err(Refusal::Loss(value.to_f64()));
        } else {
            let optimizer = stepper.optimizer_mut();
            step_with_gradient(self.params, &mut **optimizer, value, &grads, loss)?;
            Step::Updated { gradient_norm: f64::NAN }
        };
        if matches!(outcome, Step::Updated { .. }) {
            self.updates += 1;
            if let Some(snapshots) = &mut self.average {
                snapshots.look(self.updates, self.params.values());
            }
        }
        Ok(Stepped { loss: value, learning_rate, outcome, grads })
    }

    /// The result of `work` with the parameters to evaluate the model with.
    pub(crate) fn evaluated<R>(&mut self, work: impl FnOnce(&Params<T>) -> R) -> R {
        if let Some(average) = self.average.as_ref().and_then(Snapshots::get) {
            return with_values(self.params, |_, out| out.copy_from_slice(average), work);
        }
        match &self.stepper {
            Some(stepper) => self.params.evaluated(&**stepper.optimizer(), work),
            None => work(self.params),
        }
    }

    /// Puts the parameters to evaluate the model with in the place of those that are trained.
    pub(crate) fn settle(&mut self) {
        let values = self.evaluated(|params| params.values().to_vec());
        self.params.values_mut().copy_from_slice(&values);
    }
}

fn no_optimizer() -> TrainError {
    TrainError::Settings("there is no optimiser: `minimize` moves these parameters".to_owned())
}

impl<T: Float> std::fmt::Debug for Learner<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let optimizer = self.optimizer().map(Optimizer::name);
        let parameters = self.params.len();
        f.debug_struct("Learner")
            .field("parameters", &parameters)
            .field("optimizer", &optimizer)
            .finish_non_exhaustive()
    }
}
