//! Logs of a run as files: JSON lines, CSV, TensorBoard.
//!
//! All of them go on as the run does: when it starts with steps that are done, what they have of later steps is
//! forgotten, and what they have of earlier ones stays. Each event is handed to the system at once, so that a process that is
//! killed leaves all of it but the event under way; a lost power supply may take the last seconds. A disk that is full, or gone,
//! does not end the run: what cannot be written waits, up to a few MiB, and is tried again at each event.

mod append;
mod csv;
mod error;
mod json;
mod tensorboard;

pub use csv::Csv;
pub use error::LogError;
pub use json::JsonLines;
pub use tensorboard::TensorBoard;

use std::ops::ControlFlow;
use std::time::Duration;

use append::Append;

/// Seconds, to the microsecond.
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// Which steps are logged, and what a log has of the moment that the run goes on from.
#[derive(Debug)]
struct Going {
    every: u64,
    started: bool,
    /// The step that the run goes on from, and the sets whose values of it are in the file.
    from: u64,
    known: Vec<(u64, String)>,
}

impl Going {
    fn new() -> Self {
        Going { every: 1, started: false, from: 0, known: Vec::new() }
    }

    /// A run starts behind this step; returns what is to be filled with the sets whose values of it are in the file.
    fn restart(&mut self, step: u64) -> &mut Vec<(u64, String)> {
        (self.started, self.from) = (true, step);
        self.known.clear();
        &mut self.known
    }

    /// Whether values are there already: measured after a checkpoint that the run now goes on from, and measured again.
    fn has(&self, epoch: u64, step: u64, set: &str) -> bool {
        step == self.from && self.known.iter().any(|(e, s)| *e == epoch && s == set)
    }
}

/// In the `impl` of a log that has a `file` of text, `stops` and is `going`: its settings, and what became of it.
macro_rules! text_log {
    ($Log:literal) => {
        /// Logs only steps whose number is a multiple of this.
        ///
        /// # Panics
        /// If it is zero.
        #[track_caller]
        pub fn every_steps(mut self, steps: u64) -> Self {
            assert!(steps > 0, concat!($Log, "::every_steps: at least 1"));
            self.going.every = steps;
            self
        }

        /// Ends the run if something cannot be written.
        ///
        /// ```
        /// use wengert_data::synthetic;
        /// use wengert_nn::{Layer, Linear, Losses, Params};
        /// use wengert_optim::Sgd;
        /// use wengert_train::{JsonLines, StopReason, Trainer};
        ///
        /// let data = synthetic::digits(100, 0);
        /// let mut params: Params = Params::seeded(0);
        /// let model = Linear::new(params.root(), 784, 10);
        /// let folder = tempfile::tempdir()?;
        /// let log = JsonLines::create(folder.path().join("run.jsonl"))?.stop_on_error();
        /// let finished = Trainer::new(&mut params, Sgd::new(0.1))
        ///     .observe(log)
        ///     .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
        /// match finished.reason {
        ///     StopReason::Done(_) => {} // and all is in the log
        ///     reason => panic!("{reason}"), // "log …: No space left on device …"
        /// }
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        pub fn stop_on_error(mut self) -> Self {
            self.stops = true;
            self
        }

        /// What is not in the file, and why; `None` if all is.
        pub fn error(&self) -> Option<LogError> {
            self.file.error()
        }
    };
}
use text_log;

/// Whether what could not be written ends the run.
fn verdict(file: &Append, uncut: &mut Option<LogError>, stops: bool, over: bool) -> ControlFlow<String> {
    match uncut.take().or_else(|| if stops || over { file.error() } else { None }) {
        Some(error) => ControlFlow::Break(error.to_string()),
        None => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
