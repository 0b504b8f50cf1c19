//! The settings of a run.

mod check;

pub(crate) use check::nearest_values;

use std::rc::Rc;

use wengert_nn::Params;
use wengert_optim::first::{AdaptiveClip, Goal, NonFinite};
use wengert_optim::schedule::{ReduceOnPlateau, Schedule};
use wengert_optim::{Average, EarlyStopping, Optimizer};
use wengert_state::State;
use wengert_tensor::Float;

use crate::checkpoint::Checkpoints;
use crate::error::TrainError;
use crate::event::RunObserver;
use crate::learner::Learner;
use crate::metric::Metrics;
use crate::monitor::{Plateau, Stopping};
use crate::parallel::Parallel;
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
    pub(crate) others_allowed: bool,
    /// What is known of the data before the first step.
    pub(crate) data: Option<State>,
    pub(crate) group: Option<Rc<dyn Parallel<T>>>,
    pub(crate) batch_size: usize,
    pub(crate) seed: u64,
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
            others_allowed: false,
            data: None,
            group: None,
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
    /// ```
    /// use wengert_nn::{Init, Params};
    /// use wengert_optim::{Average, Sgd};
    /// use wengert_train::Trainer;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let x = params.root().param("x", [1], Init::Zeros);
    /// // At a rate of 1 the steps jump over the minimum, from 0 to 2 and back; their mean is there.
    /// let mut run = Trainer::new(&mut params, Sgd::new(1.0)).average(Average::Uniform).start()?;
    /// for _epoch in run.epochs(4)? {
    ///     run.step(|cx| (cx.param(x) - 1.0).square().sum())?;
    /// }
    /// run.finish()?;
    /// assert_eq!(params.values(), [1.0]);
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
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

    /// Announces what [`Run::validate`] will measure on some data, so that the run can be governed by it. A run that announces
    /// values measures no others: a name that was not announced is then an error, with the nearest ones.
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
    /// there is none. The number of epochs may be another. Settings that are others are refused, all of them by name, unless they
    /// are [allowed](Trainer::allow_other_settings): those of the optimiser and the learning rate, schedule, clipping,
    /// accumulation, average, non-finite gradients, early stopping and plateaus, and for [`fit`](Trainer::fit) the batch size, the
    /// seed and the number of examples. Of a file that is damaged nothing is passed over: the error names the newest that is
    /// whole.
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Lets a run go on that had other settings, with those that are here: to fine-tune with another rate, say. What the
    /// run remembers stays: an average or early stopping that it did not have begins now, and one that is not here is left out.
    /// The model, the kind of optimiser and what that keeps must be the same.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Ctx, Layer, Linear, Losses, Params};
    /// use wengert_optim::Adam;
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// use wengert_train::Trainer;
    ///
    /// let data = synthetic::digits(100, 0);
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let loss = |cx: &Ctx, (images, labels): &(Var, Tensor<u32>)| model.forward(cx, images).cross_entropy(labels);
    /// let mut run = Trainer::new(&mut params, Adam::new(1e-2)).start()?;
    /// for epoch in run.epochs(1)? {
    ///     for batch in epoch.batches(data.batches(50).shuffled(0))? {
    ///         run.step(|cx| loss(cx, &batch))?;
    ///     }
    /// }
    /// let state = run.state();
    /// drop(run);
    ///
    /// let error = Trainer::new(&mut params, Adam::new(1e-3)).from_state(state.clone()).start().map(drop).unwrap_err();
    /// assert!(error.to_string().contains("`learning_rate` is 0.01 in the file, 0.001 here"), "{error}");
    /// let finer = Trainer::new(&mut params, Adam::new(1e-3)).from_state(state).allow_other_settings().start()?;
    /// # assert_eq!(finer.now().step, 2);
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    pub fn allow_other_settings(mut self) -> Self {
        self.others_allowed = true;
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

    /// Goes on from the [state](Run::state) of a run of these settings, with its bits, as [`resume`](Trainer::resume) does from a
    /// file.
    pub fn from_state(mut self, state: State) -> Self {
        self.from = Some(state);
        self
    }

    /// Trains together with other workers, each of which runs this program: batches are divided among them, and each makes the same
    /// step with the sum of what all found. `batch_size` is that of the whole batch, so that a run is the same for any number of
    /// workers. Losses are taken for means over the examples of a batch, and metrics are merged, so that all decide alike; the first
    /// worker alone has observers and writes checkpoints.
    ///
    /// What the program decides by itself (to [stop](Run::stop), say) it must decide alike on all workers; what it
    /// [records](Run::record) counts as the first worker measured it. An observer that breaks off or Ctrl-C on any worker ends the
    /// run of all of them after a step.
    pub fn parallel(mut self, workers: impl Parallel<T> + 'static) -> Self {
        self.group = Some(Rc::new(workers));
        self
    }

    /// Notes a setting of the program for logs and reports.
    pub fn setting(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }

    /// Ends the run after the step that is under way when the user presses Ctrl-C; a second time ends the program.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Sgd;
    /// use wengert_train::{StopReason, Trainer};
    ///
    /// let data = synthetic::digits(100, 0);
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let finished = Trainer::new(&mut params, Sgd::new(0.1))
    ///     .on_interrupt()
    ///     .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
    /// match finished.reason {
    ///     StopReason::Interrupted => println!("to be gone on with"),
    ///     reason => println!("{reason}"), // "all epochs are done"
    /// }
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
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
}
