//! How often the largest output is the right one.

use wengert_optim::first::Goal;
use wengert_state::State;
use wengert_tensor::{Float, Tensor};

use super::Metric;
use super::kept::{Share, kept_in, named};
use super::outputs::{Examples, choice, refusal};

/// The fraction of examples whose largest output is the label's; the first of equal ones counts. Where there is one output
/// only, of shape `[batch]` or `[batch, 1]`, class 1 is chosen above a threshold, 0 by default.
///
/// Labels of [`IGNORED`](wengert_nn::IGNORED) do not count. An output that is NaN is wrong.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_train::metric::{Accuracy, Metric};
/// let mut accuracy = Accuracy::new();
/// accuracy.update(&Tensor::from([[0.1f32, 0.9], [0.8, 0.2]]), &Tensor::from([1, 0]));
/// accuracy.update(&Tensor::from([[0.3f32, 0.7]]), &Tensor::from([0]));
/// assert_eq!(accuracy.value(), 2.0 / 3.0);
/// ```
#[derive(Clone, Debug)]
pub struct Accuracy {
    name: String,
    threshold: f64,
    kept: Share,
}

impl Accuracy {
    /// Nothing taken in yet.
    #[allow(clippy::new_without_default, reason = "as the other metrics")]
    pub fn new() -> Self {
        Accuracy { name: "accuracy".into(), threshold: 0.0, kept: Share::default() }
    }

    /// Above which a single output means class 1: 0.5 for probabilities.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// use wengert_train::metric::{Accuracy, Metric};
    /// let mut accuracy = Accuracy::new().threshold(0.5);
    /// accuracy.update(&Tensor::from([0.9f32, 0.4, 0.1]), &Tensor::from([1, 0, 1])); // probabilities
    /// assert_eq!(accuracy.value(), 2.0 / 3.0);
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    named!();

    /// The value over all that was taken in; NaN if that is nothing.
    pub fn value(&self) -> f64 {
        self.kept.value()
    }

    fn settings(&self) -> State {
        State::new("accuracy", 0).with_real("threshold", self.threshold)
    }
}

impl<T: Float> Metric<T> for Accuracy {
    kept_in!(kept);

    fn goal(&self) -> Goal {
        Goal::Max
    }

    fn refuses(&self, outputs: &Tensor<T>, labels: &Tensor<u32>) -> Option<String> {
        refusal(&self.name, outputs, labels)
    }

    #[track_caller]
    fn update(&mut self, outputs: &Tensor<T>, labels: &Tensor<u32>) {
        super::expect_fit(self.refuses(outputs, labels));
        for (scores, label) in Examples::new(outputs, labels).iter() {
            self.kept.count(choice(scores, self.threshold) == Some(label));
        }
    }
}
