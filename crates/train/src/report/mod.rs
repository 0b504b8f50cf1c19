//! What a run was and found, as one page.

mod chart;
#[cfg(feature = "plot")]
mod drawn;
mod error;
mod page;
mod wrong;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use wengert_tensor::Float;
use wengert_tensor::file::write_atomically;

use crate::event::{Event, Moment, RunObserver};
use crate::folder::make_folder;
use crate::history::History;
use crate::metric::ConfusionMatrix;

pub use error::ReportError;
pub use wrong::{WrongExample, WrongExamples};

/// A report of a run as one HTML file, which needs no other file and no network: curves, tables of the best values and of the settings,
/// and as asked for confusion matrices and wrong examples.
///
/// A run that it is lent to, `observe(&mut report)`, fills it with settings, values and times.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{ConfusionMatrix, Metric};
/// use wengert_train::{History, Report};
/// # let folder = std::env::temp_dir().join(format!("wengert-report-{}", std::process::id()));
///
/// let mut history = History::default();
/// for epoch in 1..=5 {
///     history.push(epoch, 100 * epoch, "validation", "accuracy", 1.0 - 0.5f64.powi(epoch as i32));
/// }
/// let mut matrix = ConfusionMatrix::new().classes(["odd", "even"]);
/// matrix.update(&Tensor::from([[2.0f32, 1.0], [0.0, 1.0], [0.3, 0.2]]), &Tensor::from([0, 1, 1]));
/// Report::new("Digits")
///     .note("Two layers, trained on 6,000 digits.")
///     .history(&history)
///     .confusion("validation", &matrix)
///     .write(folder.join("report.html"))?;
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), wengert_train::ReportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    title: String,
    notes: Vec<String>,
    settings: Vec<(String, String)>,
    history: History,
    now: Moment,
    reason: Option<String>,
    confusions: Vec<Confusion>,
    wrong: Vec<(String, WrongExamples)>,
}

/// What was taken for what.
#[derive(Clone, Debug)]
struct Confusion {
    set: String,
    labels: Vec<String>,
    counts: Vec<Vec<u64>>,
    /// Taken for nothing.
    undecided: u64,
}

impl Report {
    /// A report of this title.
    pub fn new(title: impl Into<String>) -> Self {
        Report {
            title: title.into(),
            notes: Vec::new(),
            settings: Vec::new(),
            history: History::default(),
            now: Moment::default(),
            reason: None,
            confusions: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// With a paragraph at its beginning.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// With one more line in the table of settings.
    pub fn setting(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.settings.push((name.into(), value.to_string()));
        self
    }

    /// With these values in the place of those it was told of, such as those of a run that went on from a checkpoint.
    pub fn history(mut self, history: &History) -> Self {
        self.history = history.clone();
        self
    }

    /// With the confusion matrix of a set.
    pub fn confusion(mut self, set: &str, matrix: &ConfusionMatrix) -> Self {
        let classes = 0..matrix.len();
        self.confusions.push(Confusion {
            set: set.to_owned(),
            labels: classes.clone().map(|class| matrix.class(class)).collect(),
            counts: classes.clone().map(|l| classes.clone().map(|p| matrix.count(l, p)).collect()).collect(),
            undecided: matrix.undecided().iter().sum(),
        });
        self
    }

    /// With the examples of a set that were taken for something else.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::{Report, WrongExamples};
    /// let mut wrong = WrongExamples::new(24).size(1, 2).classes(["cat", "dog"]);
    /// wrong.update(&Tensor::from([[0.0f32, 1.0]]), &Tensor::from([[1.0f32, 3.0]]), &Tensor::from([0]));
    /// let page = Report::new("Pets").wrong("test", &wrong).to_html();
    /// assert!(page.contains("cat, taken for dog") && page.contains("1 of 1 are wrong."));
    /// ```
    pub fn wrong(mut self, set: &str, wrong: &WrongExamples) -> Self {
        self.wrong.push((set.to_owned(), wrong.clone()));
        self
    }

    /// The page.
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// Writes the page, in a folder that is made if it is missing.
    ///
    /// # Errors
    /// If the file cannot be written; an older one is then still there.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        let (path, html) = (path.as_ref(), self.to_html());
        path.parent()
            .map_or(Ok(()), make_folder)
            .and_then(|()| write_atomically(path, |file| file.write_all(html.as_bytes())))
            .map_err(|error| ReportError::Write { path: path.to_owned(), error })
    }
}

impl<T: Float> RunObserver<T> for Report {
    fn on(&mut self, event: &Event<'_, T>, now: &Moment) -> ControlFlow<String> {
        match event {
            Event::Start { settings, .. } => {
                for (name, value) in *settings {
                    match self.settings.iter_mut().find(|own| own.0 == *name) {
                        Some(own) => own.1.clone_from(value),
                        None => self.settings.push((name.clone(), value.clone())),
                    }
                }
                self.history.rows.retain(|row| now.step > 0 && row.step <= now.step);
                self.reason = None;
            }
            Event::Values { set, values } => {
                for (name, value) in *values {
                    self.history.push(now.epoch, now.step, set, name, *value);
                }
            }
            Event::End { reason } => self.reason = Some((*reason).to_owned()),
            Event::Epoch | Event::Step(_) | Event::Saved { .. } => {}
        }
        self.now = *now;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
