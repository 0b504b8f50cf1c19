//! Softmax cross-entropy.

use wengert_tape::{Index, Var};
use wengert_tensor::{Float, Tensor};

use super::Reduction;
use super::labels::{self, Examples};

/// The cross-entropy −Σₖ qₖ · ln softmax(x)ₖ of logits x against a target distribution q: the label's class, or given
/// probabilities.
///
/// With label smoothing ε, q is replaced by (1 − ε)·q + ε/K for K classes (Szegedy et al., "Rethinking the Inception
/// architecture", 2016). By default the classes are along the last axis, and the result is the mean over all others.
///
/// Each class may have a weight w: the loss is then −Σₖ wₖ qₖ · ln softmax(x)ₖ, and the mean over labels divides by the sum of
/// the labels' weights. Labels of [`IGNORED`](super::IGNORED) count for nothing, also in the mean.
///
/// ```
/// use wengert_nn::CrossEntropy;
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let logits = Var::from([[2.0f64, 0.0], [0.0, 0.0]]);
/// let labels = Tensor::from([0u32, 1]);
/// let loss = CrossEntropy::default().loss(&logits, &labels).item();
/// assert!((loss - ((1.0 + (-2f64).exp()).ln() + 2f64.ln()) / 2.0).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "CrossEntropyLoss")]
pub struct CrossEntropy {
    /// Mean over the examples, sum or neither.
    pub reduction: Reduction,
    /// ε in [0, 1]; default 0.
    pub label_smoothing: f64,
    /// The axis of the classes; default −1, the last. PyTorch's is 1.
    pub axis: isize,
    /// The label of examples that do not count; by default [`IGNORED`](super::IGNORED).
    pub ignore_index: u32,
    /// The weight of each class; by default none, which is 1 for all.
    pub class_weights: Option<Vec<f64>>,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        CrossEntropy {
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
            axis: -1,
            ignore_index: super::IGNORED,
            class_weights: None,
        }
    }
}

/// What logits are compared with: made from `&Tensor<u32>`, `&Index` or `&Var`.
///
/// ```
/// use wengert_nn::{Losses, Target};
/// use wengert_tape::{Index, Var};
/// use wengert_tensor::Tensor;
/// let logits = Var::from([[0.0f64, 0.0]]);
/// let by_label = logits.cross_entropy(Target::Labels(Index::from(Tensor::from([1u32]))));
/// let by_shares = logits.cross_entropy(Target::Probabilities(&Var::from([[0.0, 1.0]])));
/// assert_eq!(by_label.item(), by_shares.item());
/// ```
pub enum Target<'a, T: Float> {
    /// The number of the right class, of the logits' shape without the axis of the classes.
    Labels(Index<T>),
    /// The probability of each class, of the logits' shape.
    Probabilities(&'a Var<T>),
}

impl<'a, T: Float> From<&'a Tensor<u32>> for Target<'a, T> {
    fn from(labels: &'a Tensor<u32>) -> Self {
        Target::Labels(labels.into())
    }
}

impl<T: Float> From<&Index<T>> for Target<'_, T> {
    fn from(labels: &Index<T>) -> Self {
        Target::Labels(labels.clone())
    }
}

impl<'a, T: Float> From<&'a Var<T>> for Target<'a, T> {
    fn from(probabilities: &'a Var<T>) -> Self {
        Target::Probabilities(probabilities)
    }
}

impl CrossEntropy {
    /// The loss of logits.
    ///
    /// # Panics
    /// If the shapes do not fit, a label is neither below the number of classes nor to be ignored, there is not a weight for
    /// each class, or the smoothing is not in [0, 1].
    #[track_caller]
    pub fn loss<'a, T: Float>(&self, logits: &Var<T>, target: impl Into<Target<'a, T>>) -> Var<T> {
        let smoothing = self.label_smoothing;
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "cross_entropy: the label smoothing {smoothing} is not in [0, 1]"
        );
        let axis = logits.shape().axis("cross_entropy", self.axis);
        let weights = self.class_weights.as_deref();
        match target.into() {
            Target::Labels(labels) => {
                let examples =
                    Examples::new("cross_entropy", logits.shape(), axis, &labels, self.ignore_index, weights);
                let losses = match weights {
                    // Smoothing takes each class with its own weight.
                    Some(weights) if smoothing > 0.0 => {
                        let right = of_labels(logits, &examples.labels, axis, 0.0);
                        let weights = labels::along::<T>("cross_entropy", weights, logits.shape(), axis);
                        let spread = -(logits.log_softmax(axis) * weights).mean_axes(axis, false);
                        examples.weighted(right) * (1.0 - smoothing) + examples.counted(spread * smoothing)
                    }
                    _ => examples.weighted(of_labels(logits, &examples.labels, axis, smoothing)),
                };
                examples.reduce(self.reduction, losses)
            }
            Target::Probabilities(q) => {
                assert!(
                    logits.shape() == q.shape(),
                    "cross_entropy: the logits have shape {}, the probabilities {}",
                    logits.shape(),
                    q.shape()
                );
                let weights = weights.map(|w| labels::along("cross_entropy", w, logits.shape(), axis));
                self.reduction.apply(of_probabilities(logits, q, axis, smoothing, weights))
            }
        }
    }
}

/// The loss of each example against its label.
fn of_labels<T: Float>(logits: &Var<T>, labels: &Index<T>, axis: usize, smoothing: f64) -> Var<T> {
    let last = logits.rank() - 1;
    if axis != last {
        // The labels keep the order of the other axes.
        let order: Vec<usize> = (0..=last).filter(|&i| i != axis).chain([axis]).collect();
        return of_labels(&logits.permute(&order[..]), labels, last, smoothing);
    }
    let rows = logits.reshape([labels.len(), logits.shape()[last]]);
    rows.softmax_cross_entropy(labels.reshape([labels.len()]), smoothing).reshape(labels.shape())
}

/// The loss of each example against its distribution.
fn of_probabilities<T: Float>(
    logits: &Var<T>,
    q: &Var<T>,
    axis: usize,
    smoothing: f64,
    weights: Option<Var<T>>,
) -> Var<T> {
    let mut log_p = logits.log_softmax(axis);
    if let Some(weights) = weights {
        log_p *= weights;
    }
    let right = -(q * &log_p).sum_axes(axis, false);
    if smoothing == 0.0 {
        return right;
    }
    right * (1.0 - smoothing) - log_p.mean_axes(axis, false) * smoothing
}
