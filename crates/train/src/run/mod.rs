//! A run of training.

mod buckets;
mod columns;
mod found;
mod measure;
mod meet;
mod minimize;
mod save;
mod settings;
mod spare;
mod spread;
mod state;
mod step;
mod together;

use std::cell::RefCell;
use std::rc::Rc;

use wengert_nn::Params;
use wengert_optim::Counts;
use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_tensor::Float;

use crate::epochs::Epochs;
use crate::error::TrainError;
use crate::event::{Event, Moment};
use crate::history::History;
#[cfg(feature = "interrupt")]
use crate::interrupt;
use crate::kept::Kept;
use crate::learner::Learner;
use crate::logbook::Logbook;
use crate::monitor::{Plateau, Stopping};
use crate::parallel::{Workers, expect_alike};
use crate::place::Place;
use crate::reason::{Finished, StopReason};
use crate::trainer::Trainer;

pub use measure::Measured;
use save::Saving;
#[doc(hidden)]
pub use spare::take_fitting;
use together::Together;

/// A run of training, for a loop of one's own: made by [`Trainer::start`].
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Layer, Linear, Losses, Params};
/// use wengert_optim::Adam;
/// use wengert_train::Trainer;
///
/// let data = synthetic::digits(200, 0);
/// let mut params: Params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// let mut run = Trainer::new(&mut params, Adam::new(3e-3)).start()?;
/// for epoch in run.epochs(3)? {
///     for (images, labels) in epoch.batches(data.batches(50).shuffled(0))? {
///         run.step(|cx| model.forward(cx, &images).cross_entropy(&labels))?;
///     }
/// }
/// let history = run.finish()?.history;
/// assert!(history.rows[2].value < history.rows[0].value);
/// # Ok::<(), wengert_train::TrainError>(())
/// ```
///
/// What belongs to a batch is done when the next one is asked for, and what belongs to an epoch when the next one begins: then
/// is everything as it can be saved. So a batch may take several steps, of one network or of several.
pub struct Run<'p, T: Float = f32> {
    pub(crate) learner: Learner<'p, T>,
    others: Vec<(String, Learner<'p, T>)>,
    place: Rc<Place>,
    log: Logbook<'p, T>,
    stopping: Option<Stopping>,
    plateau: Option<Plateau>,
    /// What observers are told of the settings, and those that another run must have to go on from this one.
    notes: Vec<(String, String)>,
    settings: State,
    /// The values that were announced, with the loss that every run has.
    known: Vec<(String, Goal)>,
    kept: Kept,
    /// Losses of the epoch's steps, by examples.
    losses: Losses,
    /// The epoch that observers know of.
    told_epoch: Option<u64>,
    /// What a method of minimisation goes on from.
    method: Option<State>,
    counts: Counts,
    saving: Option<Saving>,
    /// Whether checkpoints are written, by the first worker if there are several.
    has_checkpoints: bool,
    /// Where several workers train.
    together: Option<Together<T>>,
    /// A checkpoint that could not be written where there was nobody to be told.
    unsaved: Option<TrainError>,
    /// Why the run is to end.
    reason: Option<StopReason>,
    finished: bool,
    /// How often each network was evaluated when the unit was given out.
    evaluated: RefCell<Evaluations>,
}

/// The steps and inferences of each network, when this unit was given out.
#[derive(Clone, Debug, Default)]
struct Evaluations {
    unit: Option<u64>,
    counts: Vec<[u64; 2]>,
}

/// The mean of the losses of an epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    epoch: u64,
    sum: f64,
    weight: f64,
    /// Whether it was told already.
    told: bool,
}

impl<'p, T: Float> Run<'p, T> {
    pub(crate) fn new(mut trainer: Trainer<'p, T>) -> Result<Self, TrainError> {
        let workers = trainer.group.clone().map(|group| group as Rc<dyn Workers>);
        if workers.as_ref().is_some_and(|workers| workers.rank() > 0) {
            trainer.observers.clear();
        }
        let place = Rc::new(Place::among(workers));
        if trainer.interruptible {
            #[cfg(feature = "interrupt")]
            interrupt::listen()?;
            place.watch_for_interruption();
        }
        let settings = settings::of(&trainer);
        let networks = 1 + trainer.others.len();
        let mut run = Run {
            learner: trainer.learner,
            others: trainer.others,
            place,
            log: Logbook::new(trainer.observers),
            stopping: trainer.stopping,
            plateau: trainer.plateau,
            notes: trainer.settings,
            settings,
            known: trainer.known,
            kept: Kept::default(),
            losses: Losses::default(),
            told_epoch: None,
            method: None,
            counts: Counts::default(),
            saving: None,
            has_checkpoints: trainer.checkpoints.is_some(),
            together: trainer.group.map(|group| Together::new(group, networks)),
            unsaved: None,
            reason: None,
            finished: false,
            evaluated: RefCell::default(),
        };
        run.meet(trainer.checkpoints.is_some().then_some(trainer.resume))?;
        if let Some(state) = run.state_of_first(trainer.from)? {
            run.check_settings(&state, trainer.others_allowed)?;
            run.load_state(&state, trainer.others_allowed)?;
        }
        if let Some(rules) = trainer.checkpoints {
            run.open(&rules, trainer.resume, trainer.others_allowed)?;
        }
        run.share_state();
        let now = run.now();
        let notes = settings::notes(&run);
        run.log.tell(&Event::Start { params: run.learner.params(), settings: &notes }, &now);
        run.end_if_broken();
        Ok(run)
    }

    /// The epochs that are left of so many. They end early when the run is to end.
    ///
    /// # Errors
    /// If `epochs` is 0, or other [workers](Trainer::parallel) are to do another number.
    pub fn epochs(&mut self, epochs: u64) -> Result<Epochs, TrainError> {
        if epochs == 0 {
            return Err(TrainError::NoEpochs);
        }
        if let Some(workers) = self.place.workers() {
            expect_alike(workers, &[("number of epochs".to_owned(), epochs.to_string())])?;
        }
        self.place.set_epochs(epochs);
        Ok(Epochs::new(Rc::clone(&self.place)))
    }

    /// Where the run is.
    pub fn now(&self) -> Moment {
        self.log.moment(&self.place.at())
    }

    /// The parameters that are trained. For those to evaluate the model with see [`evaluated`](Run::evaluated).
    pub fn params(&self) -> &Params<T> {
        self.look();
        self.learner.params()
    }

    /// The parameters, to be changed.
    pub fn params_mut(&mut self) -> &mut Params<T> {
        self.look();
        self.save_before_change();
        self.learner.params_mut()
    }

    /// The result of `work` with the parameters to evaluate the model with: for optimisers that average, the averages. Workers that share
    /// the optimiser's state out call it together.
    pub fn evaluated<R>(&mut self, work: impl FnOnce(&Params<T>) -> R) -> R {
        self.look();
        self.learner.evaluated(work)
    }

    /// The values, gradients and products that a [method of minimisation](Trainer::minimize) took so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What was measured so far.
    pub fn history(&self) -> &History {
        &self.log.history
    }

    /// Keeps a state of the program's own with the run, e.g. of a generator: to be called whenever it has changed, at any place
    /// in the loop.
    ///
    /// ```
    /// # use wengert_nn::{Linear, Params};
    /// # use wengert_optim::Sgd;
    /// # use wengert_state::State;
    /// # use wengert_tensor::random::Generator;
    /// # use wengert_train::Trainer;
    /// # let mut params: Params = Params::seeded(0);
    /// # Linear::new(params.root(), 1, 1);
    /// let mut noise = Generator::seeded(1);
    /// let mut run = Trainer::new(&mut params, Sgd::new(0.1)).start()?;
    /// if let Some(kept) = run.kept("noise") {
    ///     noise = Generator::try_from(kept)?;
    /// }
    /// for _ in run.epochs(2)? {
    ///     noise.uniform();
    ///     run.keep("noise", &noise);
    /// }
    /// # Ok::<(), wengert_train::TrainError>(())
    /// ```
    pub fn keep(&mut self, name: &str, state: impl Into<State>) {
        let at = self.place.at();
        if at.is_whole() {
            // Of what comes behind the unit there is no state before.
            self.place.changed();
        }
        self.kept.put(name, state.into(), at.unit);
    }

    /// What was kept under this name, by this run or the one that it goes on from.
    pub fn kept(&self, name: &str) -> Option<&State> {
        self.kept.latest(name)
    }

    /// Ends the run: no further batch or epoch is given out.
    pub fn stop(&mut self, reason: &str) {
        self.end(StopReason::Asked(reason.to_owned()));
    }

    /// Notes how often the networks were evaluated before anything is done in a unit: whoever does something comes by here first.
    fn look(&self) {
        let unit = Some(self.place.at().unit);
        let mut evaluated = self.evaluated.borrow_mut();
        if evaluated.unit != unit {
            let others = self.others.iter().map(|(_, learner)| learner);
            evaluated.unit = unit;
            evaluated.counts.clear();
            evaluated.counts.extend(
                std::iter::once(&self.learner).chain(others).map(|learner| learner.params().evaluations()),
            );
        }
    }

    fn end(&mut self, reason: StopReason) {
        self.reason.get_or_insert(reason);
        self.place.end();
    }

    /// Why the run ends, if it does before its time.
    pub fn stopped(&self) -> Option<&StopReason> {
        self.reason.as_ref()
    }

    /// Ends the run. The parameters are then those to evaluate the model with, of the best measurement where
    /// [early stopping](Trainer::early_stopping) watches one.
    ///
    /// # Errors
    /// If the last checkpoint cannot be written.
    pub fn finish(mut self) -> Result<Finished, TrainError> {
        self.place.failed()?;
        self.tell_losses();
        self.check_measured()?;
        if self.place.is_asked() {
            let reason = self.together.as_mut().and_then(Together::take_reason);
            let reason = reason.unwrap_or_else(|| "an observer of the first worker wanted it".to_owned());
            self.reason.get_or_insert(StopReason::Asked(reason));
        }
        if self.place.is_interrupted() {
            self.reason.get_or_insert(StopReason::Interrupted);
        }
        self.save_last()?;
        self.finished = true;
        self.learner.settle();
        self.others.iter_mut().for_each(|(_, learner)| learner.settle());
        if let Some(stopping) = &self.stopping
            && !self.place.is_interrupted()
        {
            stopping.restore(self.learner.params_mut())?;
        }
        let now = self.now();
        let reason = self.reason.take();
        let reason = reason.unwrap_or_else(|| match self.place.at().is_before_end() {
            true => StopReason::Asked(format!("the program ended it in epoch {}", now.epoch)),
            false => StopReason::Done("all epochs are done".to_owned()),
        });
        self.log.tell(&Event::End { reason: &reason.to_string() }, &now);
        Ok(Finished { history: std::mem::take(&mut self.log.history), reason })
    }

    /// Whether what is watched was ever measured.
    fn check_measured(&self) -> Result<(), TrainError> {
        let watched = self.stopping.iter().map(|stopping| &stopping.name);
        let mut watched = watched.chain(self.plateau.iter().map(|plateau| &plateau.name));
        let measured = |name: &String| {
            self.log.history.rows.iter().any(|row| format!("{}.{}", row.set, row.name) == *name)
        };
        match watched.find(|name| self.log.steps > 0 && !self.place.is_interrupted() && !measured(name)) {
            Some(name) => Err(TrainError::Unmeasured { name: name.clone() }),
            None => Ok(()),
        }
    }

    fn end_if_broken(&mut self) {
        let Some(reason) = self.log.broken.take() else { return };
        match &mut self.together {
            // All workers are to end after the same step.
            Some(together) => {
                together.keep_reason(reason);
                self.place.ask();
            }
            None => self.stop(&reason),
        }
    }
}

impl<T: Float> std::fmt::Debug for Run<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("learner", &self.learner)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}
