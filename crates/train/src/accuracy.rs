//! How good a classifier is on a data set.

use wengert_data::{Dataset, IntoVars, Source};
use wengert_nn::{Layer, Mode, Params};
use wengert_tape::Var;
use wengert_tensor::{Float, Tensor};

/// Examples that are evaluated at once.
const BATCH: usize = 1000;

/// The fraction of a data set's examples for which the model's largest output, in evaluation mode, is the label's.
///
/// # Panics
/// If the model does not take the examples, its outputs are not `[examples, classes]`, or a label is not a class.
///
/// ```
/// use wengert_data::synthetic;
/// use wengert_nn::{Linear, Params};
/// use wengert_train::accuracy;
///
/// let data = synthetic::digits(100, 0);
/// let mut params = Params::seeded(0);
/// let model = Linear::new(params.root(), 784, 10);
/// assert!((0.0..0.5).contains(&accuracy(&model, &params, &data)));
/// ```
#[track_caller]
pub fn accuracy<T: Float, X, S: Source>(
    model: &impl Layer<T, X>,
    params: &Params<T>,
    data: &Dataset<S>,
) -> f64
where
    S::Batch: IntoVars<Vars = (X, Tensor<u32>)>,
{
    let cx = params.context(Mode::Eval, &params.vars());
    let mut right = 0.0;
    // No closures: they would lose the caller's line.
    for (inputs, labels) in data.batches(BATCH) {
        let logits: Var<T> = model.forward(&cx, &inputs);
        right += wengert_nn::accuracy(&logits, &labels) * labels.len() as f64;
    }
    right / data.len() as f64
}
