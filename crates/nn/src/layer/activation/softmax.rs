//! Softmax and its logarithm, over one axis.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::Activations;
use crate::ctx::Ctx;
use crate::layer::Layer;

/// eˣ / Σeˣ along an axis, the last one by default.
///
/// ```
/// use wengert_nn::{Layer, Params, Softmax};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Softmax::default().forward(cx, &Var::from([[1.0, 1.0], [0.0, f64::NEG_INFINITY]])));
/// assert_eq!(y.value().to_vec(), [0.5, 0.5, 1.0, 0.0]);
/// ```
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
        cx.enter("Softmax").leave(&[], x.softmax(self.axis))
    }
}

/// x − ln Σeˣ along an axis, the last one by default.
///
/// ```
/// use wengert_nn::{Layer, Params, LogSoftmax};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| LogSoftmax { axis: 0 }.forward(cx, &Var::from([[1.0], [f64::NEG_INFINITY]])));
/// assert_eq!(y.value().to_vec(), [0.0, f64::NEG_INFINITY]);
/// ```
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
        cx.enter("LogSoftmax").leave(&[], x.log_softmax(self.axis))
    }
}

/// e⁻ˣ / Σe⁻ˣ along an axis, the last one by default.
///
/// ```
/// use wengert_nn::{Layer, Params, Softmin};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Softmin::default().forward(cx, &Var::from([0.0, f64::INFINITY])));
/// assert_eq!(y.value().to_vec(), [1.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmin {
    /// The axis; negative ones count from the end.
    pub axis: isize,
}

impl Default for Softmin {
    fn default() -> Self {
        Softmin { axis: -1 }
    }
}

impl<T: Float> Layer<T> for Softmin {
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Softmin").leave(&[], x.softmin(self.axis))
    }
}

/// eˣ / Σeˣ over the channels of images `[batch, channels, height, width]` or `[channels, height, width]`, at each pixel.
///
/// ```
/// use wengert_nn::{Layer, Params, Softmax2d};
/// use wengert_tape::Var;
/// let y = Params::<f64>::seeded(0).infer(|cx| Softmax2d.forward(cx, &Var::from([[[1.0]], [[1.0]]])));
/// assert_eq!(y.value().to_vec(), [0.5, 0.5]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax2d;

impl<T: Float> Layer<T> for Softmax2d {
    /// # Panics
    /// If the input does not have three or four axes.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let shape = x.shape();
        assert!(
            matches!(shape.len(), 3 | 4),
            "softmax2d: an input of shape {shape} is no image or batch of images"
        );
        cx.enter("Softmax2d").leave(&[], x.softmax(-3))
    }
}
