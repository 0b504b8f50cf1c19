//! Softmax cross-entropy.

use wengert_tape::{Index, Var};
use wengert_tensor::{Float, Shape, Tensor};

use super::Reduction;

/// The cross-entropy −Σₖ qₖ · ln softmax(x)ₖ of logits x against a target distribution q: the label's class, or given
/// probabilities.
///
/// With label smoothing ε, q is replaced by (1 − ε)·q + ε/K for K classes (Szegedy et al., "Rethinking the Inception
/// architecture", 2016). By default the classes are along the last axis, and the result is the mean over all others.
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
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "CrossEntropyLoss")]
pub struct CrossEntropy {
    /// Mean over the examples, sum or neither.
    pub reduction: Reduction,
    /// ε in [0, 1]; default 0.
    pub label_smoothing: f64,
    /// The axis of the classes; default −1, the last. PyTorch's is 1.
    pub axis: isize,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        CrossEntropy { reduction: Reduction::Mean, label_smoothing: 0.0, axis: -1 }
    }
}

/// What logits are compared with: made from `&Tensor<u32>`, `&Index` or `&Var`.
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
    /// If the shapes do not fit, a label is not less than the number of classes, or the smoothing is not in [0, 1].
    #[track_caller]
    pub fn loss<'a, T: Float>(&self, logits: &Var<T>, target: impl Into<Target<'a, T>>) -> Var<T> {
        let smoothing = self.label_smoothing;
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "cross_entropy: the label smoothing {smoothing} is not in [0, 1]"
        );
        let axis = logits.shape().axis("cross_entropy", self.axis);
        let losses = match target.into() {
            Target::Labels(labels) => {
                check_labels("cross_entropy", logits.shape(), axis, labels.value());
                of_labels(logits, &labels, axis, smoothing)
            }
            Target::Probabilities(q) => {
                assert!(
                    logits.shape() == q.shape(),
                    "cross_entropy: the logits have shape {}, the probabilities {}",
                    logits.shape(),
                    q.shape()
                );
                of_probabilities(logits, q, axis, smoothing)
            }
        };
        self.reduction.apply(losses)
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
fn of_probabilities<T: Float>(logits: &Var<T>, q: &Var<T>, axis: usize, smoothing: f64) -> Var<T> {
    let log_p = logits.log_softmax(axis);
    let right = -(q * &log_p).sum_axes(axis, false);
    if smoothing == 0.0 {
        return right;
    }
    right * (1.0 - smoothing) - log_p.mean_axes(axis, false) * smoothing
}

/// Panics unless there is a label for each example and every label is a class.
#[track_caller]
pub(super) fn check_labels(operation: &str, logits: &Shape, axis: usize, labels: &Tensor<u32>) {
    let classes = logits[axis];
    let examples = logits.iter().enumerate().filter(|&(i, _)| i != axis).map(|(_, &d)| d);
    assert!(
        examples.clone().eq(labels.shape().iter().copied()),
        "{operation}: the logits have shape {logits} with the classes along axis {axis}, the labels {}, which should be {}",
        labels.shape(),
        examples.collect::<Shape>()
    );
    let labels = labels.contiguous();
    let flat = labels.as_slice().expect("contiguous");
    if let Some(at) = flat.iter().position(|&label| label as usize >= classes) {
        panic!(
            "{operation}: the label {} at position {} is not one of {classes} classes (0 to {})",
            flat[at],
            position(at, labels.shape()),
            classes as i64 - 1
        );
    }
}

/// The index of element number `at` of a shape, as `[i, j]`.
pub(super) fn position(mut at: usize, shape: &Shape) -> Shape {
    let mut index = vec![0; shape.len()];
    for (i, &d) in index.iter_mut().zip(shape.iter()).rev() {
        *i = at % d;
        at /= d;
    }
    index.into()
}
