//! The settings of a run.

use wengert_data::{BatchOf, Batches, Dataset, Source};
use wengert_nn::{Ctx, Params};
use wengert_optim::first::{AdaptiveClip, Goal, NonFinite};
use wengert_optim::schedule::{ReduceOnPlateau, Schedule};
use wengert_optim::{Average, EarlyStopping, Optimizer};
use wengert_state::State;
use wengert_tape::Var;
use wengert_tensor::Float;
use wengert_tensor::names::nearest;

use crate::checkpoint::Checkpoints;
use crate::error::TrainError;
use crate::event::RunObserver;
use crate::learner::Learner;
use crate::metric::Metrics;
use crate::monitor::{Plateau, Stopping};
use crate::reason::Finished;
use crate::run::Run;

/// The mean of the losses of an epoch's steps, which every run measures.
pub(crate) const TRAIN_LOSS: &str = "train.loss";

/// A run of training that is still to be: parameters, an optimiser, and what goes with them. [`fit`](Trainer::fit) trains;
/// [`start`](Trainer::start) gives a [`Run`] for a loop of one's own. Both check all settings before the first step.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Adam;
/// use wengert_train::{Trainer, accuracy};
///
/// let data = synthetic::digits(200, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// let finished = Trainer::new(&mut params, Adam::new(3e-3))
///     .batch_size(50)
///     .fit(&data, 10, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
/// assert_eq!(finished.history.rows.len(), 10); // the loss of each epoch
/// assert!(accuracy(&model, &params, &data) > 0.9);
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
#[must_use = "it trains by `fit` or `start`"]
pub struct Trainer<'p, T: Float = f32> {
    pub(crate) learner: Learner<'p, T>,
    pub(crate) others: Vec<(String, Learner<'p, T>)>,
    pub(crate) observers: Vec<Box<dyn RunObserver<T> + 'p>>,
    pub(crate) known: Vec<(String, Goal)>,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) plateau: Option<Plateau>,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) interruptible: bool,
    pub(crate) from: Option<State>,
    pub(crate) checkpoints: Option<Checkpoints>,
    pub(crate) resume: bool,
    batch_size: usize,
    seed: u64,
}

impl<'p, T: Float> Trainer<'p, T> {
    /// Trains these parameters by any first-order optimiser.
    pub fn new(params: &'p mut Params<T>, optimizer: impl Optimizer<T> + 'p) -> Self {
        Self::of(Learner::new(params, optimizer))
    }

    /// For parameters that a method on the whole loss moves, by [`minimize`](Trainer::minimize).
    pub fn without_optimizer(params: &'p mut Params<T>) -> Self {
        Self::of(Learner::unmoved(params))
    }

    /// Trains by this learner.
    pub fn of(learner: Learner<'p, T>) -> Self {
        Trainer {
            learner,
            others: Vec::new(),
            observers: Vec::new(),
            known: vec![(TRAIN_LOSS.to_owned(), Goal::Min)],
            stopping: None,
            plateau: None,
            settings: Vec::new(),
            interruptible: false,
            from: None,
            checkpoints: None,
            resume: false,
            batch_size: 32,
            seed: 0,
        }
    }

    fn learning(mut self, set: impl FnOnce(Learner<'p, T>) -> Learner<'p, T>) -> Self {
        self.learner = set(self.learner);
        self
    }

    /// [`Learner::schedule`].
    ///
    /// # Panics
    /// If the schedule's numbers make no sense.
    #[track_caller]
    pub fn schedule(mut self, schedule: impl Schedule + 'p) -> Self {
        self.learner = self.learner.schedule(schedule);
        self
    }

    /// [`Learner::clip_norm`].
    ///
    /// # Panics
    /// If `limit` is not finite and above 0.
    #[track_caller]
    pub fn clip_norm(mut self, limit: f64) -> Self {
        self.learner = self.learner.clip_norm(limit);
        self
    }

    /// [`Learner::clip_value`].
    ///
    /// # Panics
    /// If `limit` is not finite and above 0.
    #[track_caller]
    pub fn clip_value(mut self, limit: f64) -> Self {
        self.learner = self.learner.clip_value(limit);
        self
    }

    /// [`Learner::clip_units`].
    pub fn clip_units(self, clip: AdaptiveClip) -> Self {
        self.learning(|learner| learner.clip_units(clip))
    }

    /// [`Learner::accumulate`].
    ///
    /// # Panics
    /// If `steps` is 0.
    #[track_caller]
    pub fn accumulate(mut self, steps: u64) -> Self {
        self.learner = self.learner.accumulate(steps);
        self
    }

    /// [`Learner::average`].
    ///
    /// # Panics
    /// If [`Average::check`] refuses it.
    #[track_caller]
    pub fn average(mut self, average: Average) -> Self {
        self.learner = self.learner.average(average);
        self
    }

    /// [`Learner::average_from`].
    ///
    /// # Panics
    /// If [`Average::check`] refuses it, or `every` is 0.
    #[track_caller]
    pub fn average_from(mut self, average: Average, start: u64, every: u64) -> Self {
        self.learner = self.learner.average_from(average, start, every);
        self
    }

    /// [`Learner::non_finite`].
    pub fn non_finite(self, policy: NonFinite) -> Self {
        self.learning(|learner| learner.non_finite(policy))
    }

    /// Trains a further network in the same run, by [`Run::step_of`] and this name: the critic of a generator, say.
    pub fn also(mut self, name: &str, learner: Learner<'p, T>) -> Self {
        self.others.push((name.to_owned(), learner));
        self
    }

    /// Tells someone what happens. What is to be read afterwards is lent: `observe(&mut watch)`.
    pub fn observe(mut self, observer: impl RunObserver<T> + 'p) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Announces what [`Run::validate`] will measure on some data, so that the run can be governed by it.
    pub fn measures<Y: 'static>(mut self, set: &str, metrics: &Metrics<T, Y>) -> Self {
        let values = metrics.iter().map(|metric| (format!("{set}.{}", metric.name()), metric.goal()));
        self.known.extend(values);
        self
    }

    /// Announces a value that the program measures itself, for [`Run::record`], e.g. `"validation.perplexity"`, and whether it is
    /// to become small or large.
    pub fn records(mut self, value: &str, goal: Goal) -> Self {
        self.known.push((value.to_owned(), goal));
        self
    }

    /// Saves the run in a folder, in the background; also when it ends before its time, by a panic too. A folder that has
    /// checkpoints already is refused, unless the run [goes on](Trainer::resume) from them.
    pub fn checkpoints(mut self, rules: Checkpoints) -> Self {
        self.checkpoints = Some(rules);
        self
    }

    /// Goes on from the newest of the [checkpoints](Trainer::checkpoints), in the bits of a run that was not broken off; begins if
    /// there is none. The number of epochs may be another.
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Ends the run when a value has not become better for some of its measurements, with the parameters and buffers of the
    /// best. The value is `"train.loss"` or one that was announced by [`measures`](Trainer::measures) or
    /// [`records`](Trainer::records), which know whether it is to become small or large.
    pub fn early_stopping(mut self, value: &str, rule: EarlyStopping) -> Self {
        self.stopping = Some(Stopping::new(value.to_owned(), rule));
        self
    }

    /// Sets the learning rate to that of a schedule which lowers it when a value does not become better, as for
    /// [`early_stopping`](Trainer::early_stopping).
    pub fn reduce_on_plateau(mut self, value: &str, schedule: ReduceOnPlateau) -> Self {
        self.plateau = Some(Plateau { name: value.to_owned(), schedule });
        self
    }

    /// Goes on from the [state](Run::state) of a run of these settings, with its bits. The number of epochs may be another.
    pub fn from_state(mut self, state: State) -> Self {
        self.from = Some(state);
        self
    }

    /// Notes a setting of the program for logs and reports.
    pub fn setting(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Ends the run after the step that is under way when the user presses Ctrl-C; a second time ends the program.
    #[cfg(feature = "interrupt")]
    pub fn on_interrupt(mut self) -> Self {
        self.interruptible = true;
        self
    }

    /// Examples of a step of [`fit`](Trainer::fit); 32 by default.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn batch_size(mut self, examples: usize) -> Self {
        assert!(examples > 0, "batch_size: there must be at least 1 example in a batch");
        self.batch_size = examples;
        self
    }

    /// The seed of the order of the examples of [`fit`](Trainer::fit); 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks all settings, and begins.
    ///
    /// # Errors
    /// If a value is watched that nothing measures, settings do not go together, or a state is that of another run; the
    /// parameters are then unchanged.
    pub fn start(mut self) -> Result<Run<'p, T>, TrainError> {
        self.check()?;
        Run::new(self)
    }

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
    ///             assert!(measured.get("accuracy") <= 1.0 && measured.get("loss").is_nan());
    ///             Ok(())
    ///         },
    ///     )?;
    /// assert!(matches!(finished.reason, StopReason::EarlyStopping(_)));
    /// let first: &Row = &finished.history.rows[0];
    /// assert_eq!((first.epoch, first.set.as_str(), first.name.as_str()), (0, "train", "loss"));
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
        self,
        data: &Dataset<S>,
        epochs: u64,
        loss: impl Fn(&Ctx<T>, &BatchOf<S>) -> Var<T>,
        mut after: impl FnMut(&mut Run<'p, T>) -> Result<R, TrainError>,
    ) -> Result<Finished, TrainError> {
        let batches: Batches<S> = data.batches(self.batch_size).shuffled(self.seed);
        let mut run = self.start()?;
        for epoch in run.epochs(epochs)? {
            for batch in epoch.batches(batches.clone())? {
                run.step(|cx| loss(cx, &batch))?;
            }
            after(&mut run)?;
        }
        run.finish()
    }

    fn check(&mut self) -> Result<(), TrainError> {
        self.learner.check()?;
        self.others.iter().try_for_each(|(_, learner)| learner.check())?;
        let twice =
            |what, name: Option<String>| name.map_or(Ok(()), |name| Err(TrainError::Twice { what, name }));
        twice("learners", repeated(self.others.iter().map(|(name, _)| name)))?;
        twice("values", repeated(self.known.iter().map(|(name, _)| name)))?;
        if let Some(stopping) = &mut self.stopping {
            stopping.set_goal(goal_of(&self.known, &stopping.name)?);
        }
        if let Some(plateau) = &mut self.plateau {
            plateau.schedule.goal = goal_of(&self.known, &plateau.name)?;
        }
        let refuse = |reason: &str| Err(TrainError::Settings(reason.to_owned()));
        if self.plateau.is_some() && self.learner.has_schedule() {
            return refuse("the learning rate is set by a schedule and on plateaus: only one can");
        }
        if self.resume && self.checkpoints.is_none() {
            return refuse("resume: there is no folder of checkpoints to go on from");
        }
        if self.resume && self.from.is_some() {
            return refuse("a run goes on from a state or from checkpoints: only one can be");
        }
        Ok(())
    }
}

fn goal_of(known: &[(String, Goal)], name: &str) -> Result<Goal, TrainError> {
    if let Some((_, goal)) = known.iter().find(|(known, _)| known == name) {
        return Ok(*goal);
    }
    let known = nearest(name, known.iter().map(|(name, _)| name.as_str()), 10);
    let known = known.into_iter().map(str::to_owned).collect();
    Err(TrainError::UnknownValue { name: name.to_owned(), known })
}

fn repeated<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name)).cloned()
}
