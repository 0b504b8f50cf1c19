//! Two-dimensional pooling.

use wengert_tape::{Pool2dOptions, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::{Layer, Pair};

/// The methods for the options that both kinds of pooling have.
macro_rules! options {
    ($Name:ident) => {
        impl $Name {
            /// Adjacent windows of this extent.
            pub fn new(kernel: impl Into<Pair>) -> Self {
                Self::from(Pool2dOptions::new(kernel.into().0))
            }

            /// Pixels from one window to the next; by default the window's extent.
            #[must_use]
            pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
                self.options.stride = stride.into().0;
                self
            }

            /// Pixels added round the image, on both sides; at most half of the window's extent. Default 0.
            #[must_use]
            pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
                self.options.padding = padding.into().0;
                self
            }
        }
    };
}

/// The largest element of each window of images `[batch, channels, height, width]`.
///
/// ```
/// use wengert_nn::{Layer, MaxPool2d, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| MaxPool2d::new(2).forward(cx, &Var::zeros([8, 6, 24, 24])));
/// assert_eq!(y.shape(), &[8, 6, 12, 12]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool2d {
    options: Pool2dOptions,
}

options!(MaxPool2d);

impl From<Pool2dOptions> for MaxPool2d {
    fn from(options: Pool2dOptions) -> Self {
        MaxPool2d { options }
    }
}

impl MaxPool2d {
    /// Pixels from one element of the window to the next. Default 1.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        self.options.dilation = dilation.into().0;
        self
    }
}

impl<T: Float> Layer<T> for MaxPool2d {
    /// # Panics
    /// If the input does not have four axes, or the window does not fit.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.trace("MaxPool2d", &[], x.max_pool2d(self.options))
    }
}

/// The mean of each window of images `[batch, channels, height, width]`.
///
/// ```
/// use wengert_nn::{AvgPool2d, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| AvgPool2d::new([2, 3]).forward(cx, &Var::ones([1, 1, 4, 6])));
/// assert_eq!(y.value().to_vec(), [1.0; 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool2d {
    options: Pool2dOptions,
    count_padding: bool,
}

options!(AvgPool2d);

impl From<Pool2dOptions> for AvgPool2d {
    fn from(options: Pool2dOptions) -> Self {
        AvgPool2d { options, count_padding: true }
    }
}

impl AvgPool2d {
    /// Whether the zeros of the padding count as elements, as they do by default and in PyTorch.
    #[must_use]
    pub fn count_padding(mut self, count: bool) -> Self {
        self.count_padding = count;
        self
    }
}

impl<T: Float> Layer<T> for AvgPool2d {
    /// # Panics
    /// If the input does not have four axes, or the window does not fit.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.trace("AvgPool2d", &[], x.avg_pool2d(self.options, self.count_padding))
    }
}
