//! What is taken for what.

use std::fmt;

use wengert_optim::first::Goal;
use wengert_state::{State, StateError};
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::kept::{Kept, counts, kept_in, named, unlike};
use super::outputs::{Examples, choice, refusal};

/// How often examples of each class were taken for each class, chosen as [`Accuracy`](super::Accuracy) does. Its
/// [value](Metric::value) is the fraction that was right.
///
/// Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. An example with a NaN among its outputs is taken for nothing,
/// which is counted apart.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{ConfusionMatrix, Metric};
/// let mut matrix = ConfusionMatrix::new().classes(["cat", "dog"]);
/// matrix.update(&Tensor::from([[2.0f32, 1.0], [0.0, 1.0], [0.3, 0.2]]), &Tensor::from([0, 1, 1]));
/// assert_eq!(matrix.count(1, 0), 1);
/// assert_eq!(matrix.recall(), [1.0, 0.5]);
/// let table = [
///     "true \\ predicted  cat  dog",
///     "             cat    1    0",
///     "             dog    1    1\n",
/// ];
/// assert_eq!(matrix.to_string(), table.join("\n"));
/// ```
#[derive(Clone, Debug)]
pub struct ConfusionMatrix {
    name: String,
    threshold: f64,
    labels: Vec<String>,
    kept: Matrix,
}

impl ConfusionMatrix {
    /// Nothing taken in yet.
    #[allow(clippy::new_without_default, reason = "as the other metrics")]
    pub fn new() -> Self {
        let (name, kept) = ("confusion_matrix".into(), Matrix::default());
        ConfusionMatrix { name, threshold: 0.0, labels: Vec::new(), kept }
    }

    /// Above which a single output means class 1: 0.5 for probabilities.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{ConfusionMatrix, Metric};
    /// let mut matrix = ConfusionMatrix::new().threshold(0.5);
    /// matrix.update(&Tensor::from([0.9f32, 0.4, 0.1]), &Tensor::from([1, 0, 1])); // probabilities
    /// assert_eq!((matrix.count(1, 1), matrix.count(1, 0)), (1, 1));
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// What the classes are called; else they have numbers.
    pub fn classes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.labels = names.into_iter().map(Into::into).collect();
        self
    }

    named!();

    /// The value over all that was taken in; NaN if that is nothing.
    pub fn value(&self) -> f64 {
        self.kept.right() as f64 / self.total() as f64
    }

    fn settings(&self) -> State {
        State::new("confusion_matrix", 0).with_real("threshold", self.threshold)
    }

    /// The number of classes; 0 before the first update.
    pub fn len(&self) -> usize {
        self.kept.classes
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.total() == 0
    }

    /// The name of a class, which is its number where none was given.
    pub fn class(&self, class: usize) -> String {
        self.labels.get(class).cloned().unwrap_or_else(|| class.to_string())
    }

    /// How many examples of class `label` were taken for class `predicted`.
    ///
    /// # Panics
    /// If there are not as many classes.
    #[track_caller]
    pub fn count(&self, label: usize, predicted: usize) -> u64 {
        let classes = self.len();
        assert!(
            label < classes && predicted < classes,
            "{}: there is no count of class {label} as {predicted}: there are {classes} classes",
            self.name
        );
        self.kept.counts[label * classes + predicted]
    }

    /// How many examples of each class were taken for nothing, since there was a NaN among their outputs.
    pub fn undecided(&self) -> &[u64] {
        &self.kept.undecided
    }

    /// How many examples there were.
    pub fn total(&self) -> u64 {
        self.kept.total()
    }

    /// What part of the examples that were taken for each class are of it; 0 for a class that nothing was taken for, and NaN
    /// if there is none of it either.
    pub fn precision(&self) -> Vec<f64> {
        self.kept.by_class(|c| c.right / c.predicted)
    }

    /// What part of the examples of each class were taken for it; 0 for a class that there is nothing of, and NaN if nothing was
    /// taken for it either.
    pub fn recall(&self) -> Vec<f64> {
        self.kept.by_class(|c| c.right / c.labelled)
    }

    /// The harmonic mean of [`precision`](Self::precision) and [`recall`](Self::recall) of each class.
    pub fn f1(&self) -> Vec<f64> {
        self.kept.by_class(|c| 2.0 * c.right / (c.predicted + c.labelled))
    }
}

impl<T: Float> Metric<T> for ConfusionMatrix {
    kept_in!(kept);

    fn goal(&self) -> Goal {
        Goal::Max
    }

    fn refuses(&self, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
        self.kept.refusal(&self.name, outputs, labels)
    }

    #[track_caller]
    fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
        super::expect_fit(self.refuses(outputs, labels));
        self.kept.take_in(outputs, labels, self.threshold);
    }
}

impl fmt::Display for ConfusionMatrix {
    /// A row for each class, with what its examples were taken for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.len();
        let undecided = self.kept.undecided.iter().any(|&n| n > 0);
        let column = |head: String, cells: &mut dyn Iterator<Item = String>| -> Vec<String> {
            [head].into_iter().chain(cells).collect()
        };
        let names = || (0..classes).map(|class| self.class(class));
        let mut columns = vec![column("true \\ predicted".into(), &mut names())];
        for (predicted, name) in names().enumerate() {
            let mut counts = (0..classes).map(|label| self.count(label, predicted).to_string());
            columns.push(column(name, &mut counts));
        }
        if undecided {
            columns.push(column("NaN".into(), &mut self.kept.undecided.iter().map(u64::to_string)));
        }
        let width = |column: &Vec<String>| column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = columns.iter().map(width).collect();
        for row in 0..=classes {
            for (i, (column, width)) in columns.iter().zip(&widths).enumerate() {
                let gap = if i == 0 { "" } else { "  " };
                write!(f, "{gap}{:>width$}", column[row])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Counts by class and choice.
#[derive(Clone, Debug, Default)]
pub(super) struct Matrix {
    /// 0 before anything was taken in.
    pub(super) classes: usize,
    counts: Vec<u64>,
    undecided: Vec<u64>,
}

/// What is counted of one class.
pub(super) struct OfClass {
    pub(super) right: f64,
    pub(super) predicted: f64,
    pub(super) labelled: f64,
}

impl Matrix {
    /// Why it cannot take outputs in, if so.
    pub(super) fn refusal<T: Float>(
        &self,
        metric: &str,
        outputs: &Tensor<T>,
        labels: &Tensor<u32>,
    ) -> Option<String> {
        refusal(metric, outputs, labels).or_else(|| {
            let found = Examples::new(outputs, labels).classes();
            (self.classes != 0 && found != self.classes)
                .then(|| format!("{metric}: outputs for {found} classes after some for {}", self.classes))
        })
    }

    pub(super) fn take_in<T: Float>(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>, threshold: f64) {
        let examples = Examples::new(outputs, labels);
        self.grow(examples.classes());
        for (scores, label) in examples.iter() {
            match choice(scores, threshold) {
                Some(class) => self.counts[label * self.classes + class] += 1,
                None => self.undecided[label] += 1,
            }
        }
    }

    fn grow(&mut self, classes: usize) {
        if self.classes == 0 {
            self.classes = classes;
            self.counts = vec![0; classes * classes];
            self.undecided = vec![0; classes];
        }
    }

    /// How many were right.
    pub(super) fn right(&self) -> u64 {
        (0..self.classes).map(|class| self.counts[class * (self.classes + 1)]).sum()
    }

    /// How many there were.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().chain(&self.undecided).sum()
    }

    /// The counts of a class. Where there are two, what is undecided is taken for the wrong one.
    pub(super) fn of(&self, class: usize) -> OfClass {
        let of_label = |label: usize| &self.counts[label * self.classes..(label + 1) * self.classes];
        let taken: u64 = (0..self.classes).map(|label| of_label(label)[class]).sum();
        let wrong = if self.classes == 2 { self.undecided[1 - class] } else { 0 };
        OfClass {
            right: of_label(class)[class] as f64,
            predicted: (taken + wrong) as f64,
            labelled: (of_label(class).iter().sum::<u64>() + self.undecided[class]) as f64,
        }
    }

    /// A ratio for each class, 0 in the place of 0 / 0, and NaN for a class that there is nothing of.
    pub(super) fn by_class(&self, ratio: impl Fn(&OfClass) -> f64) -> Vec<f64> {
        let of = |class: usize| {
            let of = self.of(class);
            match ratio(&of) {
                _ if of.predicted + of.labelled == 0.0 => f64::NAN,
                value if value.is_nan() => 0.0,
                value => value,
            }
        };
        (0..self.classes).map(of).collect()
    }
}

impl Kept for Matrix {
    fn write(&self, state: State) -> State {
        state.with_words("counts", &self.counts).with_words("undecided", &self.undecided)
    }

    fn read(&self, state: &State) -> Result<Self, StateError> {
        let (found, undecided) = (counts(state, "counts")?, counts(state, "undecided")?);
        let classes = undecided.len();
        if classes.checked_mul(classes) != Some(found.len()) {
            return Err(unlike(&state.kind, "counts", classes * classes, found.len()));
        }
        Ok(Matrix { classes, counts: found, undecided })
    }

    fn add(&mut self, other: Self) -> Result<(), StateError> {
        if other.classes == 0 {
            return Ok(());
        }
        self.grow(other.classes);
        if self.classes != other.classes {
            return Err(unlike("confusion_matrix", "classes", self.classes, other.classes));
        }
        let both = |own: &mut [u64], more: &[u64]| own.iter_mut().zip(more).for_each(|(n, more)| *n += more);
        both(&mut self.counts, &other.counts);
        both(&mut self.undecided, &other.undecided);
        Ok(())
    }

    fn reset(&mut self) {
        *self = Matrix::default();
    }
}
