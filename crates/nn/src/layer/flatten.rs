//! Several axes as one.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// The axes from `start` to `end`, both included, as one; by default all but the first, the batch.
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
        cx.trace("Flatten", &[], x.flatten(self.start, self.end))
    }
}
