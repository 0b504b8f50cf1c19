//! The thread that writes.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use wengert_state::State;

use super::CheckpointError;
use super::format::{is_foreign, write};
use super::names::{Named, list};
use super::store::Best;

/// A state that is to be written.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) state: State,
    /// The first is written, the others are the same file.
    pub(super) names: Vec<Named>,
    /// Whether a newer one may take its place.
    pub(super) replaceable: bool,
}

/// Where the files are, and which stay.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) folder: PathBuf,
    pub(super) last: usize,
    pub(super) best: Vec<Best>,
}

/// The thread, which is there from the first job on.
#[derive(Debug)]
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    keep: Keep,
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    waiting: Option<Job>,
    busy: bool,
    closing: bool,
    /// States that are written, or are not to be written any longer.
    done: Vec<State>,
    saved: Vec<PathBuf>,
    errors: VecDeque<CheckpointError>,
    panic: Option<Box<dyn Any + Send>>,
}

impl Now {
    /// Keeps the state for its memory: of two at most, for one is being written and one waits.
    fn finish(&mut self, job: Job) {
        if self.done.len() < 2 {
            self.done.push(job.state);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Now> {
        // Nothing that can panic is done with the lock.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, now: MutexGuard<'a, Now>) -> MutexGuard<'a, Now> {
        self.changed.wait(now).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until there is nothing more to come.
    fn run(&self) {
        let mut now = self.lock();
        loop {
            let Some(job) = now.waiting.take() else {
                if now.closing {
                    return;
                }
                now = self.wait(now);
                continue;
            };
            now.busy = true;
            drop(now);
            self.changed.notify_all();
            let mut saved = Vec::new();
            let result = catch_unwind(AssertUnwindSafe(|| self.keep.write(&job, &mut saved)));
            now = self.lock();
            now.busy = false;
            now.finish(job);
            now.saved.append(&mut saved);
            match result {
                Ok(Ok(())) => {}
                Ok(Err(error)) => now.errors.push_back(error),
                Err(panic) => now.panic = Some(panic),
            }
            self.changed.notify_all();
        }
    }
}

impl Worker {
    pub(super) fn new(keep: Keep) -> Self {
        let shared = Shared { keep, now: Mutex::default(), changed: Condvar::new() };
        Worker { shared: Arc::new(shared), thread: None }
    }

    /// Lets it wait to be written.
    pub(super) fn submit(&mut self, job: Job) {
        if self.thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("wengert-checkpoints".into());
            match thread.spawn(move || shared.run()) {
                Ok(thread) => self.thread = Some(thread),
                // Without a thread it is written at once.
                Err(_) => return self.write_here(&job),
            }
        }
        let mut now = self.shared.lock();
        while now.panic.is_none() && now.waiting.as_ref().is_some_and(|waiting| !waiting.replaceable) {
            now = self.shared.wait(now);
        }
        let replaced = now.waiting.replace(job);
        if let Some(replaced) = replaced {
            now.finish(replaced);
        }
        drop(now);
        self.shared.changed.notify_all();
        self.unwind();
    }

    fn write_here(&self, job: &Job) {
        let mut saved = Vec::new();
        let result = self.shared.keep.write(job, &mut saved);
        let mut now = self.shared.lock();
        now.saved.append(&mut saved);
        now.errors.extend(result.err());
    }

    /// Until nothing is being written or waits.
    pub(super) fn wait(&self) {
        let mut now = self.shared.lock();
        while now.panic.is_none() && (now.busy || now.waiting.is_some()) {
            now = self.shared.wait(now);
        }
        drop(now);
        self.unwind();
    }

    /// A panic of the thread goes on here.
    fn unwind(&self) {
        let panic = self.shared.lock().panic.take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// The states that are done with, so that their memory can be used again.
    pub(super) fn done(&self) -> Vec<State> {
        std::mem::take(&mut self.shared.lock().done)
    }

    pub(super) fn saved(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.shared.lock().saved)
    }

    pub(super) fn error(&self) -> Option<CheckpointError> {
        self.shared.lock().errors.pop_front()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        // It catches its panics.
        let _ = thread.join();
    }
}

impl Keep {
    fn write(&self, job: &Job, saved: &mut Vec<PathBuf>) -> Result<(), CheckpointError> {
        let mut written: Option<PathBuf> = None;
        for named in &job.names {
            let path = self.folder.join(named.file_name());
            // Writing would follow a link, out of the folder.
            let there = std::fs::symlink_metadata(&path);
            if there.as_ref().is_ok_and(|there| there.is_symlink()) {
                return Err(CheckpointError::NotAFile { path, kind: "a symbolic link" });
            }
            if there.as_ref().is_ok_and(|there| there.is_file()) && is_foreign(&path) {
                let reason = "a file that is no checkpoint has this name, and is left as it is";
                return Err(CheckpointError::content(&path, reason));
            }
            match &written {
                // The same bytes under a second name, where the file system has such; of those that were written before
                // the value is the same.
                Some(first) if there.is_err() && std::fs::hard_link(first, &path).is_ok() => {
                    sync(&self.folder);
                }
                _ => write(&path, &job.state)?,
            }
            saved.push(path.clone());
            written.get_or_insert(path);
        }
        self.clear(&job.names)
    }

    /// Removes what is not to be kept any longer, but none of `new`.
    fn clear(&self, new: &[Named]) -> Result<(), CheckpointError> {
        let found = list(&self.folder).map_err(|source| CheckpointError::io(&self.folder, source))?;
        let old = |named: &Named| !new.contains(named);
        let steps = found.iter().rev().filter(|(named, _)| named.best.is_none() && old(named));
        steps.skip(self.last - 1).try_for_each(|(_, path)| remove(path))?;
        for best in &self.best {
            let of = |named: &Named| {
                named.best.as_ref().filter(|(name, _)| *name == best.name).map(|(_, value)| *value)
            };
            let count = new.iter().filter(|named| of(named).is_some()).count();
            if count == 0 {
                continue;
            }
            let mut others: Vec<(f64, &PathBuf)> = found
                .iter()
                .filter(|(named, _)| old(named))
                .filter_map(|(named, path)| Some((of(named)?, path)))
                .collect();
            // Of the same value the older stays.
            others.sort_by(|(a, _), (b, _)| match (best.is_better(*a, *b), best.is_better(*b, *a)) {
                (true, _) => std::cmp::Ordering::Less,
                (_, true) => std::cmp::Ordering::Greater,
                _ => std::cmp::Ordering::Equal,
            });
            others.iter().skip(best.count - count.min(best.count)).try_for_each(|(_, path)| remove(path))?;
        }
        Ok(())
    }
}

/// Removes a checkpoint; what somebody else has given such a name, or has removed already, is left alone.
fn remove(path: &Path) -> Result<(), CheckpointError> {
    if is_foreign(path) {
        return Ok(());
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(CheckpointError::io(path, error)),
        _ => Ok(()),
    }
}

/// Makes a new name last. Not every system can, and the file itself is safe under its first one.
fn sync(folder: &Path) {
    if cfg!(unix)
        && let Ok(folder) = std::fs::File::open(folder)
    {
        let _ = folder.sync_all();
    }
}
