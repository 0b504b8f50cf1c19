//! Class labels: their checks, their weights, and those that count for nothing.

use wengert_tape::{Index, Mask, Var};
use wengert_tensor::{Float, Shape, Tensor};

use super::Reduction;

/// The label of an example that counts for nothing, PyTorch's −100 as a `u32`.
pub const IGNORED: u32 = -100i32 as u32;

/// The labels of examples, and how much each counts.
pub(super) struct Examples<T: Float> {
    /// The labels, 0 where they are to be ignored.
    pub(super) labels: Index<T>,
    ignored: Option<Mask<T>>,
    /// What the mean divides by the sum of, where it is not the number of labels.
    weights: Option<Var<T>>,
}

impl<T: Float> Examples<T> {
    /// Checks the labels of scores with the classes along an axis.
    #[track_caller]
    pub(super) fn new(
        operation: &str,
        scores: &Shape,
        axis: usize,
        labels: &Index<T>,
        ignore_index: u32,
        class_weights: Option<&[f64]>,
    ) -> Self {
        let some = check_labels(operation, scores, axis, labels.value(), ignore_index);
        // Labels that may be others in a replay may be such then.
        let some = some || labels.is_recorded();
        let ignored = some.then(|| labels.equal_to(ignore_index));
        let labels = match &ignored {
            Some(mask) => labels.masked_fill(mask, 0),
            None => labels.clone(),
        };
        let mut examples = Examples { labels, ignored, weights: None };
        if let Some(weights) = class_weights {
            let of_classes = class_vector(operation, weights, scores[axis]);
            let flat = examples.labels.reshape([examples.labels.len()]);
            let of_labels = of_classes.index_select(0, flat).reshape(examples.labels.shape());
            examples.weights = Some(examples.counted(of_labels));
        } else if examples.ignored.is_some() {
            examples.weights = Some(examples.counted(Var::ones(examples.labels.shape())));
        }
        examples
    }

    /// 0 in the place of what is ignored.
    pub(super) fn counted(&self, losses: Var<T>) -> Var<T> {
        match &self.ignored {
            Some(mask) => losses.masked_fill(mask, 0.0),
            None => losses,
        }
    }

    /// The losses times the weights of the examples.
    pub(super) fn weighted(&self, losses: Var<T>) -> Var<T> {
        match &self.weights {
            Some(weights) => self.counted(losses) * weights,
            None => losses,
        }
    }

    /// The mean over what counts, the sum, or each weighted loss on its own.
    #[track_caller]
    pub(super) fn reduce(&self, reduction: Reduction, losses: Var<T>) -> Var<T> {
        match (reduction, &self.weights) {
            (Reduction::Mean, Some(weights)) => losses.sum() / weights.sum(),
            _ => reduction.apply(losses),
        }
    }
}

#[track_caller]
fn class_vector<T: Float>(operation: &str, weights: &[f64], classes: usize) -> Var<T> {
    assert!(weights.len() == classes, "{operation}: {} class weights for {classes} classes", weights.len());
    let weights: Vec<T> = weights.iter().map(|&w| T::from_f64(w)).collect();
    Var::constant(Tensor::vector(&weights))
}

/// The weights of the classes, to be multiplied with scores that have the classes along an axis.
#[track_caller]
pub(super) fn along<T: Float>(operation: &str, weights: &[f64], scores: &Shape, axis: usize) -> Var<T> {
    let shape: Shape = (0..scores.len()).map(|i| if i == axis { scores[i] } else { 1 }).collect();
    class_vector(operation, weights, scores[axis]).reshape(shape)
}

/// Panics unless there is a label for each example and every label is a class, or to be ignored. Gives whether any is.
#[track_caller]
pub(super) fn check_labels(
    operation: &str,
    logits: &Shape,
    axis: usize,
    labels: &Tensor<u32>,
    ignored: u32,
) -> bool {
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
    if let Some(at) = flat.iter().position(|&label| label as usize >= classes && label != ignored) {
        panic!(
            "{operation}: the label {} at position {} is not one of {classes} classes (0 to {})",
            flat[at],
            position(at, labels.shape()),
            classes as i64 - 1
        );
    }
    flat.contains(&ignored)
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
