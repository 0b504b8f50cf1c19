//! Softmax and its logarithm, over one axis.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// eˣ / Σeˣ along an axis, the last one by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// The axis; negative ones count from the end.
    pub axis: isize,
}

impl Default for Softmax {
    fn default() -> Self {
        Softmax { axis: -1 }
    }
}

impl<T: Float> Layer<T> for Softmax {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.trace("Softmax", &[], x.softmax(self.axis))
    }
}

/// x − ln Σeˣ along an axis, the last one by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax {
    /// The axis; negative ones count from the end.
    pub axis: isize,
}

impl Default for LogSoftmax {
    fn default() -> Self {
        LogSoftmax { axis: -1 }
    }
}

impl<T: Float> Layer<T> for LogSoftmax {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.trace("LogSoftmax", &[], x.log_softmax(self.axis))
    }
}
