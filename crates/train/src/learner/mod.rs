//! Parameters with what trains them.

mod average;
mod state;
mod step;

use std::rc::Rc;

use wengert_nn::Params;
use wengert_optim::first::{AdaptiveClip, NonFinite};
use wengert_optim::schedule::Schedule;
use wengert_optim::{Average, Averaged, Optimizer, Stepper};
use wengert_tensor::Float;

use crate::error::TrainError;
use crate::segments::Segments;
use crate::shares::Shares;
use crate::training::with_values;

use average::Snapshots;
pub(crate) use state::{AVERAGE, OPTIMIZER, PARAMS, SETTINGS, STEPPER, is_some, load_optional, none};
pub(crate) use step::{StepFailure, Stepped};

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
    /// Where workers share the optimiser's state out.
    shares: Option<Rc<Shares<T>>>,
    updates: u64,
}

impl<'p, T: Float> Learner<'p, T> {
    /// Trains all parameters that are not frozen, by any first-order optimiser.
    pub fn new(params: &'p mut Params<T>, optimizer: impl Optimizer<T> + 'p) -> Self {
        let stepper = Stepper::new(Box::new(optimizer) as Box<dyn Optimizer<T> + 'p>, &params.segments());
        Learner { stepper: Some(stepper), ..Self::unmoved(params) }
    }

    /// Parameters that no optimiser moves.
    pub(crate) fn unmoved(params: &'p mut Params<T>) -> Self {
        Learner {
            params,
            stepper: None,
            schedule: None,
            average: None,
            watched: false,
            shares: None,
            updates: 0,
        }
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

    /// How many gradients make an update.
    pub(crate) fn gradients_per_update(&self) -> u64 {
        self.stepper.as_ref().map_or(1, Stepper::gradients_per_update)
    }

    /// Leaves all but a part of the parameters to the other workers.
    pub(crate) fn share(&mut self, shares: Shares<T>) {
        if let Some(optimizer) = self.optimizer_mut() {
            optimizer.restrict(shares.own().range());
            self.shares = Some(Rc::new(shares));
        }
    }

    /// The parts that workers have of the parameters, if they share the optimiser's state out.
    pub(crate) fn shares(&self) -> Option<&Shares<T>> {
        self.shares.as_deref()
    }

    /// Whether workers can share the optimiser's state out.
    pub(crate) fn check_sharing(&self) -> Result<(), TrainError> {
        let reason = match &self.stepper {
            Some(stepper) if !stepper.optimizer().is_elementwise() => {
                format!("{} is not elementwise, and cannot be", stepper.optimizer().name())
            }
            Some(stepper) if stepper.settings().children.contains_key("clip_units") => {
                "clip_units looks at units that several workers have a part of".to_owned()
            }
            _ => return Ok(()),
        };
        Err(TrainError::Settings(format!(
            "the optimiser's state is to be shared out among workers: {reason}"
        )))
    }

    /// The result of `work` with the parameters to evaluate the model with.
    pub(crate) fn evaluated<R>(&mut self, work: impl FnOnce(&Params<T>) -> R) -> R {
        if let Some(average) = self.average.as_ref().and_then(Snapshots::get) {
            return with_values(self.params, |_, out| out.copy_from_slice(average), work);
        }
        let Some(stepper) = &self.stepper else { return work(self.params) };
        let write = |start: &[T], out: &mut [T]| {
            stepper.optimizer().write_evaluation(start, out);
            if let Some(Err(error)) = self.shares.as_ref().map(|shares| shares.complete(out)) {
                panic!("the parameters to evaluate the model with cannot be gathered: {error}");
            }
        };
        with_values(self.params, write, work)
    }

    /// Puts the parameters to evaluate the model with in the place of those that are trained.
    pub(crate) fn settle(&mut self) {
        let values = self.evaluated(|params| params.values().to_vec());
        self.params.values_mut().copy_from_slice(&values);
    }
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
