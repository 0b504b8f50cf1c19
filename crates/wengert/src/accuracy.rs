//! How good a classifier is on a data set.

use wengert_data::Dataset;
use wengert_nn::{Layer, Params};

/// Examples that are evaluated at once.
const BATCH: usize = 1000;

/// The fraction of a data set's examples for which the model's largest output, in evaluation mode, is the label's.
///
/// # Panics
/// If the model does not take the examples, its outputs are not `[examples, classes]`, or a label is not a class.
///
/// ```
/// use wengert::prelude::*;
/// let data = synthetic::digits(100, 0);
/// let mut params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// assert!((0.0..0.5).contains(&accuracy(&model, &params, &data)));
/// ```
#[track_caller]
pub fn accuracy(model: &impl Layer, params: &Params, data: &Dataset) -> f64 {
    let right: f64 = data
        .batches(BATCH)
        .map(|batch| {
            let logits = params.infer(|cx| model.forward(cx, &batch.images));
            wengert_nn::accuracy(&logits, &batch.labels) * batch.labels.len() as f64
        })
        .sum();
    right / data.len() as f64
}
