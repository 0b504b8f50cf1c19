//! The negative log-likelihood of labels.

use wengert_tape::{Index, Var};
use wengert_tensor::Float;

use super::Reduction;
use super::labels::Examples;

/// −x\[label\] for logarithms of probabilities x, as [`log_softmax`](Var::log_softmax) gives them; weights of the classes and
/// labels that are ignored as in [`CrossEntropy`](super::CrossEntropy), which takes logits and is more exact.
///
/// ```
/// use wengert_nn::Nll;
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let log_p = Var::from([[0.25f64, 0.75], [0.5, 0.5]]).ln();
/// let loss = Nll::default().loss(&log_p, &Tensor::from([0u32, 1])).item();
/// assert!((loss - 0.5 * 8f64.ln()).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "NLLLoss")]
pub struct Nll {
    /// Mean over the examples, sum or neither.
    pub reduction: Reduction,
    /// The axis of the classes; default −1, the last. PyTorch's is 1.
    pub axis: isize,
    /// The label of examples that do not count; by default [`IGNORED`](super::IGNORED).
    pub ignore_index: u32,
    /// The weight of each class; by default none, which is 1 for all.
    pub class_weights: Option<Vec<f64>>,
}

impl Default for Nll {
    fn default() -> Self {
        Nll { reduction: Reduction::Mean, axis: -1, ignore_index: super::IGNORED, class_weights: None }
    }
}

impl Nll {
    /// The loss of logarithms of probabilities.
    ///
    /// # Panics
    /// If the shapes do not fit, a label is neither below the number of classes nor to be ignored, or there is not a weight
    /// for each class.
    #[track_caller]
    pub fn loss<T: Float>(&self, log_probabilities: &Var<T>, labels: impl Into<Index<T>>) -> Var<T> {
        let x = log_probabilities;
        let axis = x.shape().axis("nll", self.axis);
        let weights = self.class_weights.as_deref();
        let examples = Examples::new("nll", x.shape(), axis, &labels.into(), self.ignore_index, weights);
        let mut with_axis = examples.labels.shape().to_vec();
        with_axis.insert(axis, 1);
        let chosen = x.gather(axis, examples.labels.reshape(with_axis)).squeeze(axis);
        examples.reduce(self.reduction, examples.weighted(-chosen))
    }
}
