//! Several axes as one.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// The axes from `start` to `end`, both included, as one; by default all but the first, the batch.
///
/// ```
/// use wengert_nn::{Flatten, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let x = Var::zeros([2, 3, 4, 5]);
/// let shape = |layer: Flatten| params.infer(|cx| layer.forward(cx, &x)).shape().to_vec();
/// assert_eq!(shape(Flatten::default()), [2, 60]);
/// assert_eq!(shape(Flatten { start: 2, end: 3 }), [2, 3, 20]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten {
    /// The first axis; default 1.
    pub start: isize,
    /// The last axis; default −1.
    pub end: isize,
}

impl Default for Flatten {
    fn default() -> Self {
        Flatten { start: 1, end: -1 }
    }
}

impl<T: Float> Layer<T> for Flatten {
    /// # Panics
    /// If there are no such axes.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Flatten").leave(&[], x.flatten(self.start, self.end))
    }
}
