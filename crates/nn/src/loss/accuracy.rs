//! How often the largest logit is the right one.

use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

use super::labels::{IGNORED, check_labels};

/// The fraction of examples whose largest logit, along the last axis, is the label's; the first of equal ones counts.
/// Labels of [`IGNORED`] do not count; NaN if there are no examples.
///
/// # Panics
/// If the labels' shape is not the logits' without the last axis, or a label is not less than the number of classes.
///
/// ```
/// use wengert_nn::accuracy;
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let logits = Var::from([[0.1f32, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]);
/// assert_eq!(accuracy(&logits, &Tensor::from([1u32, 0, 0, 0])), 0.75);
/// ```
#[track_caller]
pub fn accuracy<T: Float>(logits: &Var<T>, labels: &Tensor<u32>) -> f64 {
    let axis = logits.shape().axis("accuracy", -1);
    check_labels("accuracy", logits.shape(), axis, labels, IGNORED);
    let found = logits.value().argmax(axis).to_vec();
    let pairs = || found.iter().zip(labels.to_vec()).filter(|&(_, label)| label != IGNORED);
    let right = pairs().filter(|&(&found, label)| found == label).count();
    right as f64 / pairs().count() as f64
}
