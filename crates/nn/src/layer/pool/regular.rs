//! Maxima and means of windows that move over the image.

use wengert_tape::{Divisor, Index, PoolOptions, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};

/// The methods for the options that both kinds of pooling have.
macro_rules! options {
    ($Name:ident) => {
        impl<const D: usize> $Name<D> {
            /// Adjacent windows of this extent.
            pub fn new(kernel: impl Into<Extents<D>>) -> Self {
                Self::from(PoolOptions::new(kernel.into().0))
            }

            /// Pixels from one window to the next; by default the window's extent.
            #[must_use]
            pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
                self.options.stride = stride.into().0;
                self
            }

            /// Pixels added round the image, on both sides; at most half of the window's extent. Default 0.
            #[must_use]
            pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
                self.options.padding = padding.into().0;
                self
            }

            /// Whether the number of windows is rounded up, so that the last may reach beyond the image. Default false.
            #[must_use]
            pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
                self.options.ceil_mode = ceil_mode;
                self
            }
        }
    };
}

/// The largest element of each window over the last `D` axes of `[batch, channels, size…]`: [`MaxPool1d`], [`MaxPool2d`] and
/// [`MaxPool3d`].
///
/// ```
/// use wengert_nn::{Layer, MaxPool, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let layer = MaxPool::<1>::new(2).stride(1).padding(1).dilation(1).ceil_mode(true);
/// let y = params.infer(|cx| layer.forward(cx, &Var::from([[[1.0, 3.0, 2.0]]])));
/// assert_eq!(y.value().to_vec(), [1.0, 3.0, 3.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool<const D: usize> {
    options: PoolOptions<D>,
}

/// The largest element of each window of sequences `[batch, channels, length]`.
#[doc(alias = "nn.MaxPool1d")]
pub type MaxPool1d = MaxPool<1>;

/// The largest element of each window of images `[batch, channels, height, width]`.
///
/// ```
/// use wengert_nn::{Layer, MaxPool2d, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| MaxPool2d::new(2).forward(cx, &Var::zeros([8, 6, 24, 24])));
/// assert_eq!(y.shape(), &[8, 6, 12, 12]);
/// ```
#[doc(alias = "nn.MaxPool2d")]
pub type MaxPool2d = MaxPool<2>;

/// The largest element of each window of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.MaxPool3d")]
pub type MaxPool3d = MaxPool<3>;

options!(MaxPool);

impl<const D: usize> From<PoolOptions<D>> for MaxPool<D> {
    fn from(options: PoolOptions<D>) -> Self {
        MaxPool { options }
    }
}

impl<const D: usize> MaxPool<D> {
    /// Pixels from one element of the window to the next. Default 1.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Extents<D>>) -> Self {
        self.options.dilation = dilation.into().0;
        self
    }

    /// The maxima and their positions, as [`MaxUnpool`](crate::MaxUnpool) takes them: see
    /// [`Var::max_pool_with_indices`].
    ///
    /// # Panics
    /// As `forward`.
    #[doc(alias = "return_indices")]
    #[track_caller]
    pub fn with_indices<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> (Var<T>, Index<T>) {
        let layer = cx.enter(named::<D>(["MaxPool1d", "MaxPool2d", "MaxPool3d"]));
        let (y, indices) = x.max_pool_with_indices(self.options);
        (layer.leave(&[], y), indices)
    }
}

impl<T: Float, const D: usize> Layer<T> for MaxPool<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or the window does not fit.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let layer = cx.enter(named::<D>(["MaxPool1d", "MaxPool2d", "MaxPool3d"]));
        let y = x.max_pool(self.options);
        layer.leave(&[], y)
    }
}

/// The mean of each window over the last `D` axes of `[batch, channels, size…]`: [`AvgPool1d`], [`AvgPool2d`] and
/// [`AvgPool3d`].
///
/// ```
/// use wengert_nn::{AvgPool, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let x = Var::from([[[2.0, 4.0]]]);
/// let run = |layer: AvgPool<1>| params.infer(|cx| layer.forward(cx, &x)).value().to_vec();
/// let padded = || AvgPool::<1>::new(2).padding(1);
/// assert_eq!(run(padded()), [1.0, 2.0]);
/// assert_eq!(run(padded().count_padding(false)), [2.0, 4.0]);
/// assert_eq!(run(padded().divisor(1)), [2.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool<const D: usize> {
    options: PoolOptions<D>,
    divisor: Divisor,
}

/// The mean of each window of sequences `[batch, channels, length]`.
#[doc(alias = "nn.AvgPool1d")]
pub type AvgPool1d = AvgPool<1>;

/// The mean of each window of images `[batch, channels, height, width]`.
///
/// ```
/// use wengert_nn::{AvgPool2d, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| AvgPool2d::new([2, 3]).forward(cx, &Var::ones([1, 1, 4, 6])));
/// assert_eq!(y.value().to_vec(), [1.0; 4]);
/// ```
#[doc(alias = "nn.AvgPool2d")]
pub type AvgPool2d = AvgPool<2>;

/// The mean of each window of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.AvgPool3d")]
pub type AvgPool3d = AvgPool<3>;

options!(AvgPool);

impl<const D: usize> From<PoolOptions<D>> for AvgPool<D> {
    fn from(options: PoolOptions<D>) -> Self {
        AvgPool { options, divisor: Divisor::Taps }
    }
}

impl<const D: usize> AvgPool<D> {
    /// Whether the zeros of the padding count as elements, as they do by default and in PyTorch.
    #[doc(alias = "count_include_pad")]
    #[must_use]
    pub fn count_padding(mut self, count: bool) -> Self {
        self.divisor = count.into();
        self
    }

    /// Divides the sums of all windows by this number.
    #[doc(alias = "divisor_override")]
    #[must_use]
    pub fn divisor(mut self, divisor: usize) -> Self {
        self.divisor = Divisor::Fixed(divisor);
        self
    }
}

impl<T: Float, const D: usize> Layer<T> for AvgPool<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, the window does not fit, or the divisor is 0.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let layer = cx.enter(named::<D>(["AvgPool1d", "AvgPool2d", "AvgPool3d"]));
        let y = x.avg_pool(self.options, self.divisor);
        layer.leave(&[], y)
    }
}
