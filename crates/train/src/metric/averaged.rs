//! Precision, recall and F1.

use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::confusion::{Matrix, OfClass};
use super::kept::{kept_in, named};

/// How one value comes of those of the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Averaging {
    /// Of two classes, the value of class 1.
    Binary,
    /// Over all examples, whatever their class.
    Micro,
    /// The mean over the classes. One that neither occurs nor was predicted does not count.
    Macro,
    /// The mean over the classes, weighted by the number of their examples.
    Weighted,
}

impl Averaging {
    fn word(self) -> &'static str {
        match self {
            Averaging::Binary => "binary",
            Averaging::Micro => "micro",
            Averaging::Macro => "macro",
            Averaging::Weighted => "weighted",
        }
    }

    fn name(self, of: &str) -> String {
        match self {
            Averaging::Binary => of.to_owned(),
            _ => format!("{}_{of}", self.word()),
        }
    }

    /// Why the classes cannot be averaged so.
    fn refusal<T: Float>(
        self,
        metric: &str,
        matrix: &Matrix,
        outputs: &Tensor<T>,
        labels: &Tensor<u32>,
    ) -> Option<String> {
        matrix.refusal(metric, outputs, labels).or_else(|| {
            let classes = super::outputs::Examples::new(outputs, labels).classes();
            (self == Averaging::Binary && classes != 2).then(|| {
                format!(
                    "{metric}: {classes} classes, but `Averaging::Binary` is for two: outputs have shape {}",
                    outputs.shape()
                )
            })
        })
    }

    fn value(self, matrix: &Matrix, ratio: impl Fn(&OfClass) -> f64) -> f64 {
        let values = matrix.by_class(ratio);
        let total = matrix.total() as f64;
        match self {
            _ if total == 0.0 => f64::NAN,
            // Class 1 may neither occur nor have been predicted.
            Averaging::Binary if values[1].is_nan() => 0.0,
            Averaging::Binary => values[1],
            Averaging::Micro => matrix.right() as f64 / total,
            Averaging::Macro => {
                let there = || values.iter().filter(|value| !value.is_nan());
                there().sum::<f64>() / there().count() as f64
            }
            Averaging::Weighted => {
                let weighted =
                    values.iter().enumerate().map(|(class, &value)| (value, matrix.of(class).labelled));
                weighted
                    .filter(|&(_, weight)| weight > 0.0)
                    .map(|(value, weight)| value * weight)
                    .sum::<f64>()
                    / total
            }
        }
    }
}

/// Declares a metric that is a ratio of counts for each class.
macro_rules! ratio_of_counts {
    ($(#[$doc:meta])* $Name:ident, $name:literal, $ratio:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name {
            name: String,
            averaging: Averaging,
            threshold: f64,
            kept: Matrix,
        }

        impl $Name {
            /// Nothing taken in yet.
            pub fn new(averaging: Averaging) -> Self {
                $Name { name: averaging.name($name), averaging, threshold: 0.0, kept: Matrix::default() }
            }

            /// Above which a single output means class 1: 0.5 for probabilities.
            ///
            /// ```
            /// use wengert_tensor::Tensor;
            /// use wengert_train::metric::{Averaging, Metric, Recall};
            /// let mut recall = Recall::new(Averaging::Binary).threshold(0.5);
            /// recall.update(&Tensor::from([0.9f32, 0.4, 0.1]), &Tensor::from([1, 1, 0])); // probabilities
            /// assert_eq!(recall.value(), 0.5);
            /// ```
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.threshold = threshold;
                self
            }

            named!();

            /// The value over all that was taken in; NaN if that is nothing.
            pub fn value(&self) -> f64 {
                self.averaging.value(&self.kept, $ratio)
            }

            /// The value of each class: 0 where it is 0 / 0, and NaN for a class that neither occurs nor was predicted.
            pub fn by_class(&self) -> Vec<f64> {
                self.kept.by_class($ratio)
            }

            fn settings(&self) -> State {
                State::new($name, 0)
                    .with_scalar("averaging", wengert_state::Scalar::Text(self.averaging.word().into()))
                    .with_real("threshold", self.threshold)
            }
        }

        impl<T: Float> Metric<T> for $Name {
            kept_in!(kept);

            fn goal(&self) -> Goal {
                Goal::Max
            }

            fn refuses(&self, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
                self.averaging.refusal(&self.name, &self.kept, outputs, labels)
            }

            #[track_caller]
            fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
                super::expect_fit(self.refuses(outputs, labels));
                self.kept.take_in(outputs, labels, self.threshold);
            }
        }
    };
}

ratio_of_counts! {
    /// What part of the examples that were taken for a class are of it. 0 for a class that nothing was taken for.
    ///
    /// Classes are chosen as [`Accuracy`](super::Accuracy) does. Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. An
    /// output that is NaN is a wrong choice: of two classes the other, of several none.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Averaging, Metric, Precision};
    /// let mut precision = Precision::new(Averaging::Binary);
    /// precision.update(&Tensor::from([1.5f32, 0.5, -2.0, 3.0]), &Tensor::from([1, 0, 1, 1]));
    /// assert_eq!(precision.value(), 2.0 / 3.0);
    /// ```
    Precision, "precision", |c| c.right / c.predicted
}

ratio_of_counts! {
    /// What part of the examples of a class were taken for it. 0 for a class that was predicted and never occurs.
    ///
    /// Classes are chosen as [`Accuracy`](super::Accuracy) does. Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. An
    /// output that is NaN is a wrong choice.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Averaging, Metric, Recall};
    /// let mut recall = Recall::new(Averaging::Binary);
    /// recall.update(&Tensor::from([1.5f32, 0.5, -2.0, 3.0]), &Tensor::from([1, 0, 1, 1]));
    /// assert_eq!(recall.value(), 2.0 / 3.0);
    /// ```
    Recall, "recall", |c| c.right / c.labelled
}

ratio_of_counts! {
    /// The harmonic mean of [`Precision`] and [`Recall`], which see.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Averaging, F1, Metric};
    /// let mut f1 = F1::new(Averaging::Macro);
    /// f1.update(&Tensor::from([[2.0f32, 1.0, 0.0], [0.0, 1.0, 3.0]]), &Tensor::from([0, 1]));
    /// assert_eq!((f1.name(), f1.value()), ("macro_f1", 1.0 / 3.0));
    /// assert_eq!(f1.by_class(), [1.0, 0.0, 0.0]);
    /// ```
    F1, "f1", |c| 2.0 * c.right / (c.predicted + c.labelled)
}
