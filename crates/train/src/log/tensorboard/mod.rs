//! Event files for TensorBoard.

mod histogram;
mod record;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use wengert_optim::Step;
use wengert_tensor::Float;

use super::LogError;
use super::append::Append;
use crate::event::{Event, Moment, RunObserver};
use crate::picture::Picture;
use histogram::Histogram;
use record::{Fields, record};

/// Logs a run to event files that TensorBoard reads: `tensorboard --logdir FOLDER`.
///
/// The loss, learning rate and norm of the gradient of each step are the scalars `step/loss`, `step/learning_rate` and
/// `step/gradient_norm`; values are under their set, as `validation/accuracy`; the settings are a text. With
/// [`histograms_every`](TensorBoard::histograms_every) there are histograms of parameters and gradients by name.
///
/// Clones write to the same file: one for the run, another for what a program adds by hand.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::{Picture, TensorBoard};
/// # let folder = std::env::temp_dir().join(format!("wengert-board-{}", std::process::id()));
/// let board = TensorBoard::create(&folder)?;
/// // Trainer::new(…).observe(board.clone()) …
/// board.scalar("tries/best", 100, 0.97);
/// board.histogram("tries/errors", 100, &[0.1f32, 0.2, 0.15]);
/// board.picture("tries/first", 100, &Picture::new(&Tensor::<f32>::linspace(0.0, 1.0, 64).reshape([8, 8])));
/// board.text("tries/notes", 100, "**bold** as in Markdown");
/// assert!(board.error().is_none());
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Each `create` makes a file of its own in the folder. A run that starts, anew or from a checkpoint, says so in it, and TensorBoard
/// forgets what earlier files have of later steps. What cannot be written does not end the run, as with [`JsonLines`](super::JsonLines).
#[derive(Clone, Debug)]
pub struct TensorBoard {
    shared: Arc<Mutex<Shared>>,
    steps: u64,
    histograms: Option<u64>,
    stops: bool,
}

#[derive(Debug)]
struct Shared {
    file: Append,
    event: Vec<u8>,
    record: Vec<u8>,
    /// For tests, the time of all events.
    time: Option<f64>,
}

/// Distinguishes the files of a process.
static FILES: AtomicU64 = AtomicU64::new(0);

impl TensorBoard {
    /// Logs to a new file in a folder, which is made if it is missing.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, LogError> {
        let time = now_seconds();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host: String = host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let host = if host.is_empty() { "localhost" } else { &host };
        let (process, number) = (std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let name = format!("events.out.tfevents.{:010}.{host}.{process}.{number}", time as u64);
        Self::file(folder.as_ref().join(name), None)
    }

    fn file(path: PathBuf, time: Option<f64>) -> Result<Self, LogError> {
        let file = Append::open(&path)?;
        let mut shared = Shared { file, event: Vec::new(), record: Vec::new(), time };
        shared.write(0, |event| event.bytes(3, b"brain.Event:2"));
        if let Some(LogError::Lost { path, error, .. }) = shared.file.error() {
            return Err(LogError::File { path, error });
        }
        let shared = Arc::new(Mutex::new(shared));
        Ok(TensorBoard { shared, steps: 1, histograms: None, stops: false })
    }

    /// Logs only steps whose number is a multiple of this.
    ///
    /// # Panics
    /// If it is zero.
    #[track_caller]
    pub fn every_steps(mut self, steps: u64) -> Self {
        assert!(steps > 0, "TensorBoard::every_steps: at least 1");
        self.steps = steps;
        self
    }

    /// Logs histograms of parameters and gradients at steps whose number is a multiple of this.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Sgd;
    /// use wengert_train::{TensorBoard, Trainer};
    ///
    /// let data = synthetic::digits(100, 0);
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let folder = tempfile::tempdir()?;
    /// let board = TensorBoard::create(folder.path())?.histograms_every(2);
    /// Trainer::new(&mut params, Sgd::new(0.1))
    ///     .observe(board)
    ///     .fit(&data, 1, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
    /// let file = std::fs::read_dir(folder.path())?.next().unwrap()?.path();
    /// assert!(String::from_utf8_lossy(&std::fs::read(file)?).contains("gradients/weight"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If it is zero.
    #[track_caller]
    pub fn histograms_every(mut self, steps: u64) -> Self {
        assert!(steps > 0, "TensorBoard::histograms_every: at least 1");
        self.histograms = Some(steps);
        self
    }

    /// Ends the run if something cannot be written.
    ///
    /// ```
    /// use wengert_data::synthetic;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Sgd;
    /// use wengert_train::{TensorBoard, StopReason, Trainer};
    ///
    /// let data = synthetic::digits(100, 0);
    /// let mut params: Params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let folder = tempfile::tempdir()?;
    /// let log = TensorBoard::create(folder.path())?.stop_on_error();
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
        self.lock().file.error()
    }

    /// Adds a number.
    pub fn scalar(&self, tag: &str, step: u64, value: f64) {
        self.lock().summary(step, |summary| scalar(summary, tag, value));
    }

    /// Adds a histogram of values. Those that are not finite are left out; there is none of nothing.
    pub fn histogram<T: Float>(&self, tag: &str, step: u64, values: &[T]) {
        if let Some(found) = Histogram::of(values) {
            self.lock().summary(step, |summary| {
                summary.message(1, |value| {
                    value.bytes(1, tag.as_bytes());
                    value.message(5, |histogram| found.write(histogram));
                });
            });
        }
    }

    /// Adds a picture.
    pub fn picture(&self, tag: &str, step: u64, picture: &Picture) {
        let png = picture.to_png();
        self.lock().summary(step, |summary| {
            summary.message(1, |value| {
                value.bytes(1, tag.as_bytes());
                value.message(4, |image| {
                    image.integer(1, u64::from(picture.height()));
                    image.integer(2, u64::from(picture.width()));
                    image.integer(3, picture.channels() as u64);
                    image.bytes(4, &png);
                });
            });
        });
    }

    /// Adds a text, which TensorBoard shows as Markdown.
    pub fn text(&self, tag: &str, step: u64, text: &str) {
        self.lock().summary(step, |summary| {
            summary.message(1, |value| {
                value.bytes(1, tag.as_bytes());
                // A tensor of texts of shape [1], for the plugin "text".
                value.message(8, |tensor| {
                    tensor.integer(1, 7);
                    tensor.message(2, |shape| shape.message(2, |axis| axis.integer(1, 1)));
                    tensor.bytes(8, text.as_bytes());
                });
                value.message(9, |metadata| metadata.message(1, |plugin| plugin.bytes(1, b"text")));
            });
        });
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scalar(summary: &mut Vec<u8>, tag: &str, number: f64) {
    summary.message(1, |value| {
        value.bytes(1, tag.as_bytes());
        value.float(2, number as f32);
    });
}

impl Shared {
    /// Writes an event.
    fn write(&mut self, step: u64, fill: impl FnOnce(&mut Vec<u8>)) {
        self.event.clear();
        self.event.double(1, self.time.unwrap_or_else(now_seconds));
        self.event.integer(2, step);
        fill(&mut self.event);
        self.record.clear();
        record(&mut self.record, &self.event);
        self.file.write(&self.record);
    }

    fn summary(&mut self, step: u64, fill: impl FnOnce(&mut Vec<u8>)) {
        self.write(step, |event| event.message(5, fill));
    }
}

fn now_seconds() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

impl<T: Float> RunObserver<T> for TensorBoard {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        match event {
            Event::Start { settings, .. } => {
                // What is of this step or a later one is forgotten.
                let first = if now.step == 0 { 0 } else { now.step + 1 };
                self.lock().write(first, |event| event.message(7, |session| session.integer(1, 1)));
                if !settings.is_empty() {
                    self.text("settings", now.step, &table(settings));
                }
            }
            Event::Step(step) => {
                if now.step.is_multiple_of(self.steps) {
                    self.lock().summary(now.step, |summary| {
                        scalar(summary, "step/loss", step.loss);
                        scalar(summary, "step/learning_rate", step.learning_rate);
                        if let Step::Updated { gradient_norm } = step.outcome {
                            scalar(summary, "step/gradient_norm", gradient_norm);
                        }
                    });
                }
                if self.histograms.is_some_and(|every| now.step.is_multiple_of(every)) {
                    for (name, _, values) in step.params.iter() {
                        self.histogram(&format!("parameters/{name}"), now.step, values);
                    }
                    for (name, _, values) in step.grads.named() {
                        self.histogram(&format!("gradients/{name}"), now.step, values);
                    }
                }
            }
            Event::Values { set, values } => self.lock().summary(now.step, |summary| {
                for (name, value) in *values {
                    scalar(summary, &format!("{set}/{name}"), *value);
                }
            }),
            Event::End { .. } => self.lock().file.finish(),
            Event::Epoch | Event::Saved { .. } => {}
        }
        let over = matches!(event, Event::End { .. });
        super::verdict(&self.lock().file, &mut None, self.stops, over)
    }
}

/// Settings as a table in Markdown.
fn table(settings: &[(String, String)]) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace(['\n', '\r'], " ");
    let rows = settings.iter().map(|(name, value)| format!("| {} | {} |\n", cell(name), cell(value)));
    ["| setting | value |\n|---|---|\n".to_owned()].into_iter().chain(rows).collect()
}

#[cfg(test)]
mod tests;
