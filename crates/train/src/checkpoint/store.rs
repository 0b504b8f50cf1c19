//! A run's folder of checkpoints while the run goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wengert_optim::first::Goal;
use wengert_state::{Spare, State};

use super::names::{Named, list};
use super::worker::{Job, Keep, Worker};
use super::{CheckpointError, Checkpoints};
use crate::Moment;

/// A run's folder of checkpoints while the run goes on: says when one is due, and writes it in the background.
///
/// One is being written at a time, and one waits: a newer one takes its place, unless it is there for a value of which it
/// is the best, or all are to be kept; then [`submit`](CheckpointStore::submit) waits until there is room. When the store is dropped, also by
/// a panic, what was submitted is written first.
///
/// ```
/// use wengert_optim::first::Goal;
/// use wengert_state::State;
/// use wengert_train::Moment;
/// use wengert_train::checkpoint::{Checkpoints, read};
///
/// let folder = tempfile::tempdir()?;
/// let rules = Checkpoints::new(folder.path()).every_steps(2).best("validation.loss");
/// let mut store = rules.open(&[("validation.loss".into(), Goal::Min)])?;
/// store.expect_unused()?;
///
/// let (run, now) = (State::new("run", 0).with_count("epoch", 3), Moment::default());
/// let values = [("validation.loss".to_owned(), 0.5)];
/// if store.is_due(&now, false) || store.is_best(&values) {
///     store.submit(run.clone(), &now, &values)?;
/// }
/// store.flush()?;
/// assert!(folder.path().join("best-00000000-validation.loss=0.5.safetensors").exists());
/// assert_eq!(read(store.newest()?.unwrap())?, run);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CheckpointStore {
    rules: Checkpoints,
    best: Vec<Best>,
    /// The step and time of the last one that was submitted.
    last: Option<(u64, Duration)>,
    worker: Worker,
    spare: Spare,
}

/// A value of which the best are kept.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub(super) name: String,
    pub(super) goal: Goal,
    pub(super) count: usize,
    /// The best so far, best first.
    values: Vec<f64>,
}

impl Best {
    /// Whether `a` is better. NaN never is, and all are better than it.
    pub(super) fn is_better(&self, a: f64, b: f64) -> bool {
        match self.goal {
            Goal::Min => a < b || (b.is_nan() && !a.is_nan()),
            Goal::Max => a > b || (b.is_nan() && !a.is_nan()),
        }
    }

    fn improves(&self, value: f64) -> bool {
        !value.is_nan()
            && (self.values.len() < self.count || self.values.iter().any(|&old| self.is_better(value, old)))
    }

    fn insert(&mut self, value: f64) {
        let at = self.values.iter().position(|&old| self.is_better(value, old)).unwrap_or(self.values.len());
        self.values.insert(at, value);
        self.values.truncate(self.count);
    }
}

impl CheckpointStore {
    pub(super) fn open(
        rules: Checkpoints,
        best: Vec<(String, Goal, usize)>,
    ) -> Result<Self, CheckpointError> {
        let best: Vec<Best> = best
            .into_iter()
            .map(|(name, goal, count)| Best { name, goal, count, values: Vec::new() })
            .collect();
        let keep = Keep { folder: rules.folder().to_owned(), last: rules.kept(), best: best.clone() };
        let mut store =
            CheckpointStore { rules, best, last: None, worker: Worker::new(keep), spare: Spare::default() };
        store.look_for_best()?;
        Ok(store)
    }

    /// What is best goes by what is there.
    fn look_for_best(&mut self) -> Result<(), CheckpointError> {
        let found = self.list()?;
        for best in &mut self.best {
            best.values.clear();
            for (named, _) in &found {
                if let Some((name, value)) = &named.best
                    && *name == best.name
                    && !value.is_nan()
                {
                    best.insert(*value);
                }
            }
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<(Named, PathBuf)>, CheckpointError> {
        let folder = self.rules.folder();
        list(folder).map_err(|source| CheckpointError::io(folder, source))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.rules.folder()
    }

    /// The checkpoint of the most steps in the folder, by its name. Those that are only submitted yet are not there.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn newest(&self) -> Result<Option<PathBuf>, CheckpointError> {
        Ok(self.list()?.pop().map(|(_, path)| path))
    }

    /// The state in the [newest](Self::newest) checkpoint, with its file, if there is one.
    ///
    /// ```
    /// use wengert_state::State;
    /// use wengert_train::Moment;
    /// use wengert_train::checkpoint::{CheckpointError, Checkpoints};
    /// let folder = tempfile::tempdir()?;
    /// let mut store = Checkpoints::new(folder.path()).open(&[])?;
    /// assert!(store.read_newest()?.is_none());
    /// for step in [10, 20] {
    ///     let mut now = Moment::default();
    ///     now.step = step;
    ///     store.submit(State::new("run", 0).with_count("step", step), &now, &[])?;
    ///     store.flush()?;
    /// }
    /// let (path, state) = store.read_newest()?.unwrap();
    /// assert_eq!(state.count("step")?, 20);
    ///
    /// std::fs::write(&path, "damaged")?;
    /// let Err(CheckpointError::Newest { intact, .. }) = store.read_newest() else { panic!("it is not whole") };
    /// assert!(intact.unwrap().ends_with("step-00000010.safetensors"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the folder or the file cannot be read. Where the file is damaged, it is [`CheckpointError::Newest`], which names the
    /// newest of those before it that is whole; nothing is passed over, since what was lost is for the program's user to
    /// know.
    pub fn read_newest(&self) -> Result<Option<(PathBuf, State)>, CheckpointError> {
        let mut found = self.list()?.into_iter().rev().map(|(_, path)| path);
        let Some(newest) = found.next() else { return Ok(None) };
        match super::read(&newest) {
            Ok(state) => Ok(Some((newest, state))),
            Err(error) => Err(error.or_older(&newest, found)),
        }
    }

    /// For a run that starts anew: those of another run would be taken for its own.
    ///
    /// # Errors
    /// [`CheckpointError::Occupied`] if there are checkpoints in the folder.
    pub fn expect_unused(&self) -> Result<(), CheckpointError> {
        match self.newest()? {
            None => Ok(()),
            Some(newest) => {
                let newest = newest.file_name().map(PathBuf::from).unwrap_or_default();
                Err(CheckpointError::Occupied { folder: self.folder().to_owned(), newest })
            }
        }
    }

    /// Whether one is to be written at this moment, after a step or, if `epoch_ended`, at the end of the epoch
    /// `now.epoch`. At the first call, the time until the next one begins.
    pub fn is_due(&mut self, now: &Moment, epoch_ended: bool) -> bool {
        let (step, time) = *self.last.get_or_insert((u64::MAX, now.elapsed));
        let same = step == now.step && !epoch_ended;
        let epochs = epoch_ended.then_some(now.epoch);
        !same && self.rules.is_due(now.step, epochs, now.elapsed.saturating_sub(time))
    }

    /// Whether one of these values, by names such as `validation.accuracy`, is among the best, so that a checkpoint is to
    /// be kept for it.
    pub fn is_best(&self, values: &[(String, f64)]) -> bool {
        self.best
            .iter()
            .any(|best| values.iter().any(|(name, value)| *name == best.name && best.improves(*value)))
    }

    /// Hands a run's state to the thread that writes, due or not. It becomes the checkpoint of the step, and is
    /// kept for those of the values of which it is the best.
    ///
    /// # Errors
    /// What went wrong with an earlier one. The new one is taken nevertheless, and the run can go on.
    pub fn submit(
        &mut self,
        state: State,
        now: &Moment,
        values: &[(String, f64)],
    ) -> Result<(), CheckpointError> {
        let mut names = vec![Named::of_step(now.step)];
        for best in &mut self.best {
            if let Some((name, value)) = values.iter().find(|(name, _)| *name == best.name)
                && best.improves(*value)
            {
                names.push(Named::best(now.step, name, *value));
                best.insert(*value);
            }
        }
        self.last = Some((now.step, now.elapsed));
        let replaceable = names.len() == 1 && self.rules.kept() != usize::MAX;
        self.worker.submit(Job { state, names, replaceable });
        self.failed()
    }

    /// The state that `make` makes, to be [submitted](Self::submit), in the memory of those that are written already: copying a state of
    /// large vectors is what a run waits for.
    ///
    /// ```
    /// use wengert_state::State;
    /// use wengert_train::Moment;
    /// use wengert_train::checkpoint::Checkpoints;
    /// let (folder, weights) = (tempfile::tempdir()?, vec![0.5f32; 100_000]);
    /// let mut store = Checkpoints::new(folder.path()).open(&[])?;
    /// for step in [10, 20, 30] {
    ///     let mut now = Moment::default();
    ///     now.step = step;
    ///     let state = store.prepare(|| State::new("run", 0).with_vector("weights", &weights));
    ///     store.submit(state, &now, &[])?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare(&mut self, make: impl FnOnce() -> State) -> State {
        self.worker.done().into_iter().for_each(|state| self.spare.keep(state));
        self.spare.lend(make)
    }

    /// The files that were written since the last call, newest last.
    pub fn saved(&mut self) -> Vec<PathBuf> {
        self.worker.saved()
    }

    /// Waits until all that was submitted is on the disk.
    ///
    /// # Errors
    /// What went wrong with one.
    pub fn flush(&mut self) -> Result<(), CheckpointError> {
        self.worker.wait();
        self.failed()
    }

    /// The first error that nobody was told of.
    fn failed(&mut self) -> Result<(), CheckpointError> {
        match self.worker.error() {
            None => Ok(()),
            Some(error) => {
                // It may have been the best. That the folder cannot be read is no other news.
                let _ = self.look_for_best();
                Err(error)
            }
        }
    }
}
