//! How well scores separate the classes: ROC AUC and average precision.

use wengert_optim::first::Goal;
use wengert_state::{State, StateError, Values};
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::kept::{Kept, kept_in, named, refused, unlike, words};
use super::outputs::{Examples, Scale};

/// Scores with labels: one column for class 1 of two, else one for each class.
#[derive(Clone, Debug, Default)]
struct Scores {
    /// 0 before anything was taken in.
    columns: usize,
    scores: Vec<f64>,
    labels: Vec<u64>,
}

impl Scores {
    fn columns_of<T: Float>(examples: &Examples<T>) -> usize {
        if examples.columns == 2 { 1 } else { examples.columns }
    }

    fn refusal<T: Float>(
        &self,
        metric: &str,
        scale: Scale,
        outputs: &Tensor<T>,
        labels: &Tensor<u32>,
    ) -> Option<String> {
        scale.refusal(metric, outputs, labels).or_else(|| {
            let found = Self::columns_of(&Examples::new(outputs, labels));
            let classes = |columns: usize| columns.max(2);
            (self.columns != 0 && found != self.columns).then(|| {
                format!(
                    "{metric}: outputs for {} classes after some for {}",
                    classes(found),
                    classes(self.columns)
                )
            })
        })
    }

    fn take_in<T: Float>(&mut self, scale: Scale, outputs: &Tensor<T>, labels: &Tensor<u32>) {
        let examples = Examples::new(outputs, labels);
        self.columns = Self::columns_of(&examples);
        let mut probabilities = Vec::new();
        for (scores, label) in examples.iter() {
            match (scale, scores) {
                // Ranks are those of the probabilities, and nothing is rounded to 1.
                (_, [score]) => self.scores.push(score.to_f64()),
                (Scale::Logits, [low, high]) => self.scores.push(high.to_f64() - low.to_f64()),
                (Scale::Probabilities, [_, high]) => self.scores.push(high.to_f64()),
                _ => {
                    scale.probabilities(scores, &mut probabilities);
                    self.scores.extend_from_slice(&probabilities);
                }
            }
            self.labels.push(label as u64);
        }
    }

    /// The mean over the classes that have a value; NaN if none has, or a score is NaN.
    fn mean(&self, of: impl Fn(Vec<(f64, bool)>) -> Option<f64>) -> f64 {
        if self.columns == 0 || self.scores.iter().any(|score| score.is_nan()) {
            return f64::NAN;
        }
        let column = |class: usize| {
            let positive = if self.columns == 1 { 1 } else { class as u64 };
            let scores = self.scores.iter().skip(class).step_by(self.columns);
            let mut pairs: Vec<(f64, bool)> =
                scores.copied().zip(self.labels.iter().map(|&label| label == positive)).collect();
            pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
            of(pairs)
        };
        let values: Vec<f64> = (0..self.columns).filter_map(column).collect();
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// The numbers of positive and of negative examples at each score, the largest score first.
fn groups(pairs: &[(f64, bool)]) -> impl Iterator<Item = (u64, u64)> {
    pairs.chunk_by(|a, b| a.0 == b.0).map(|group| {
        let positive = group.iter().filter(|pair| pair.1).count() as u64;
        (positive, group.len() as u64 - positive)
    })
}

fn roc_auc(pairs: Vec<(f64, bool)>) -> Option<f64> {
    // Whole numbers, so that there is one rounding. A tie counts half.
    let (mut above, mut twice, mut negatives) = (0, 0u128, 0);
    for (positive, negative) in groups(&pairs) {
        twice += u128::from(negative) * u128::from(2 * above + positive);
        above += positive;
        negatives += negative;
    }
    let all = 2 * u128::from(above) * u128::from(negatives);
    (all > 0).then(|| twice as f64 / all as f64)
}

fn average_precision(pairs: Vec<(f64, bool)>) -> Option<f64> {
    let positives = pairs.iter().filter(|pair| pair.1).count() as f64;
    let (mut right, mut seen, mut area) = (0, 0, 0.0);
    for (positive, negative) in groups(&pairs) {
        right += positive;
        seen += positive + negative;
        area += positive as f64 * (right as f64 / seen as f64);
    }
    (positives > 0.0).then(|| area / positives)
}

impl Kept for Scores {
    fn write(&self, state: State) -> State {
        let mut state = state.with_count("columns", self.columns as u64).with_words("labels", &self.labels);
        state.vectors.insert("scores".into(), Values::F64(self.scores.clone()));
        state
    }

    fn read(&self, state: &State) -> Result<Self, StateError> {
        let labels = words(state, "labels")?.to_vec();
        let columns = state.count("columns")?;
        if labels.iter().any(|&label| label >= columns.max(2)) {
            return Err(refused(state, "labels", "one that is no class"));
        }
        let scores = labels.len().checked_mul(usize::try_from(columns).unwrap_or(usize::MAX));
        let scores = state.vector("scores", scores.ok_or_else(|| state.refuse("columns", "smaller"))?)?;
        Ok(Scores { columns: columns as usize, scores, labels })
    }

    fn add(&mut self, other: Self) -> Result<(), StateError> {
        if other.columns == 0 {
            return Ok(());
        }
        if self.columns != 0 && self.columns != other.columns {
            return Err(unlike("scores", "columns", self.columns, other.columns));
        }
        self.columns = other.columns;
        self.scores.extend(other.scores);
        self.labels.extend(other.labels);
        Ok(())
    }

    fn reset(&mut self) {
        *self = Scores::default();
    }
}

/// Declares a metric of scores.
macro_rules! of_scores {
    ($(#[$doc:meta])* $Name:ident, $name:literal, $of:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name {
            name: String,
            scale: Scale,
            kept: Scores,
        }

        impl $Name {
            /// Nothing taken in yet.
            #[allow(clippy::new_without_default, reason = "as the other metrics")]
            pub fn new() -> Self {
                $Name { name: $name.into(), scale: Scale::Logits, kept: Scores::default() }
            }

            /// Takes outputs for probabilities, not for logits of which they are the softmax.
            pub fn probabilities(mut self) -> Self {
                self.scale = Scale::Probabilities;
                self
            }

            named!();

            /// The value over all that was taken in; NaN if that is nothing.
            pub fn value(&self) -> f64 {
                self.kept.mean($of)
            }

            fn settings(&self) -> State {
                State::new($name, 0).with_scalar("scale", wengert_state::Scalar::Text(self.scale.word().into()))
            }
        }

        impl<T: Float> Metric<T> for $Name {
            kept_in!(kept);

            fn goal(&self) -> Goal {
                Goal::Max
            }

            fn refuses(&self, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
                self.kept.refusal(&self.name, self.scale, outputs, labels)
            }

            #[track_caller]
            fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
                super::expect_fit(self.refuses(outputs, labels));
                self.kept.take_in(self.scale, outputs, labels);
            }
        }
    };
}

of_scores! {
    /// The area under the receiver operating characteristic: how likely an example of class 1 has a larger output than one of
    /// class 0, where a tie counts half. With more than two classes, the mean over the classes of the same for the probability
    /// of the class against all others; a class that none or all of the examples have has no such value and does not count.
    ///
    /// It is exact, also when merged, and keeps all scores for it: 8 bytes for each, and 8 for each label. Labels of
    /// [`IGNORED`](wengert_nn::IGNORED) do not count. NaN if an output is.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Metric, RocAuc};
    /// let mut auc = RocAuc::new();
    /// auc.update(&Tensor::from([0.1f32, 0.4, 0.35, 0.8]), &Tensor::from([0, 0, 1, 1]));
    /// assert_eq!(auc.value(), 0.75);
    /// ```
    RocAuc, "roc_auc", roc_auc
}

of_scores! {
    /// The mean of the precisions at the outputs of the examples of class 1, each with all of at least that output taken for
    /// class 1. With more than two classes, the mean over the classes of the same for the probability of the class; a class
    /// that does not occur does not count.
    ///
    /// It is exact, also when merged, and keeps all scores for it: 8 bytes for each, and 8 for each label. Labels of
    /// [`IGNORED`](wengert_nn::IGNORED) do not count. NaN if an output is.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{AveragePrecision, Metric};
    /// let mut precision = AveragePrecision::new();
    /// precision.update(&Tensor::from([0.1f32, 0.4, 0.35, 0.8]), &Tensor::from([0, 0, 1, 1]));
    /// assert_eq!(precision.value(), (1.0 + 2.0 / 3.0) / 2.0);
    /// ```
    AveragePrecision, "average_precision", average_precision
}
