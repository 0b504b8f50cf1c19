//! When a run writes checkpoints, and which it keeps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wengert_optim::first::Goal;
use wengert_tensor::file::{check_writable, clear_abandoned_files};
use wengert_tensor::{names, text};

use super::names::Named;
use super::{CheckpointError, CheckpointStore};
use crate::folder::make_folder;

/// Bytes of a value's name, so that the file's name is none that a file system refuses.
const LONGEST: usize = 100;

/// When a run writes checkpoints into a folder of its own, and which of them it keeps: without further settings one at
/// the end of every epoch, and the last three.
///
/// Files are called `step-00001200.safetensors`, so that the newest is the last by name, and
/// `best-00001200-validation.accuracy=0.97.safetensors` those that are kept for a value. Others are removed once the new one is
/// on the disk. What has other names, is no checkpoint, or a link, is never touched.
///
/// ```
/// use std::time::Duration;
/// use wengert_optim::first::Goal;
/// use wengert_train::checkpoint::Checkpoints;
///
/// let folder = tempfile::tempdir()?;
/// let checkpoints = Checkpoints::new(folder.path().join("a"))
///     .every_steps(500)
///     .every(Duration::from_secs(600))
///     .keep(3)
///     .best("validation.acuracy");
/// let error = checkpoints.check(&[("validation.accuracy".into(), Goal::Max)]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "checkpoints: the run has no value `validation.acuracy`; the nearest are `validation.accuracy`"
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    steps: Option<u64>,
    epochs: Option<u64>,
    time: Option<Duration>,
    keep: usize,
    best: Vec<(String, usize)>,
}

impl Checkpoints {
    /// Into this folder, which is made if it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Checkpoints {
            folder: folder.into(),
            steps: None,
            epochs: None,
            time: None,
            keep: 3,
            best: Vec::new(),
        }
    }

    /// Writes one after every `steps` steps.
    pub fn every_steps(mut self, steps: u64) -> Self {
        self.steps = Some(steps);
        self
    }

    /// Writes one at the end of every so many epochs.
    pub fn every_epochs(mut self, epochs: u64) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// Writes one after the first step for which the last one is so long ago.
    pub fn every(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Keeps the last `count`; with [`usize::MAX`] all.
    pub fn keep(mut self, count: usize) -> Self {
        self.keep = count;
        self
    }

    /// Also writes one whenever the value of this name, such as `validation.accuracy`, is better than ever, and keeps it
    /// until a better one is there. Whether better is smaller or larger goes by the value's own [`Goal`]; NaN never is.
    pub fn best(self, value: impl Into<String>) -> Self {
        self.best_of(value, 1)
    }

    /// Like [`best`](Checkpoints::best), keeping the best `count`.
    pub fn best_of(mut self, value: impl Into<String>, count: usize) -> Self {
        self.best.push((value.into(), count));
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether these settings make sense for a run that has these values. Nothing is written.
    ///
    /// # Errors
    /// If something is 0 or there twice, a value is not one of those, or its name cannot be part of a file's.
    pub fn check(&self, values: &[(String, Goal)]) -> Result<(), CheckpointError> {
        let refuse = |setting, reason: String| Err(CheckpointError::Setting { setting, reason });
        for (setting, zero) in [
            ("every_steps", self.steps == Some(0)),
            ("every_epochs", self.epochs == Some(0)),
            ("every", self.time == Some(Duration::ZERO)),
            ("keep", self.keep == 0),
            ("best_of", self.best.iter().any(|(_, count)| *count == 0)),
        ] {
            if zero {
                return refuse(setting, "is 0, but must be at least 1".into());
            }
        }
        if self.folder.as_os_str().is_empty() {
            return refuse("new", "has no name of a folder".into());
        }
        for (i, (name, _)) in self.best.iter().enumerate() {
            let shown = text::quoted(name);
            if name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|'])
                || name.chars().any(char::is_control)
            {
                return refuse("best", format!("{shown}: no file can have such a name"));
            }
            if name.is_empty() || name.len() > LONGEST {
                return refuse("best", format!("{shown}: must have between 1 and {LONGEST} bytes"));
            }
            if self.best[..i].iter().any(|(other, _)| other == name) {
                return refuse("best", format!("{shown} is there twice"));
            }
            if !values.iter().any(|(known, _)| known == name) {
                let nearest = names::nearest(name, values.iter().map(|(known, _)| known.as_str()), 3);
                let nearest = nearest.into_iter().map(str::to_owned).collect();
                return Err(CheckpointError::Metric { name: name.clone(), nearest });
            }
        }
        Ok(())
    }

    /// Makes the folder, checks that it can be written to, and removes what killed runs left half written. The values are those
    /// that the run will have, and what they are to become.
    ///
    /// # Errors
    /// As [`check`](Checkpoints::check), or if the folder cannot be made, read or written to.
    pub fn open(&self, values: &[(String, Goal)]) -> Result<CheckpointStore, CheckpointError> {
        self.check(values)?;
        let failed = |source| CheckpointError::io(&self.folder, source);
        make_folder(&self.folder).map_err(failed)?;
        check_writable(&self.folder.join(Named::of_step(0).file_name())).map_err(failed)?;
        // What a killed run was writing.
        clear_abandoned_files(&self.folder, |name| Named::parse(name).is_some());
        let goal =
            |name: &str| values.iter().find(|(known, _)| known == name).map_or(Goal::Min, |(_, goal)| *goal);
        let best = self.best.iter().map(|(name, count)| (name.clone(), goal(name), *count)).collect();
        CheckpointStore::open(self.clone(), best)
    }

    pub(super) fn kept(&self) -> usize {
        self.keep
    }

    /// Whether one is due after this many steps, and epochs if one has just ended.
    pub(super) fn is_due(&self, step: u64, epochs_done: Option<u64>, since_last: Duration) -> bool {
        let none = self.steps.is_none() && self.epochs.is_none() && self.time.is_none();
        let epochs = self.epochs.or(none.then_some(1));
        self.steps.is_some_and(|every| step.is_multiple_of(every))
            || epochs.zip(epochs_done).is_some_and(|(every, done)| done.is_multiple_of(every))
            || self.time.is_some_and(|every| since_last >= every)
    }
}
