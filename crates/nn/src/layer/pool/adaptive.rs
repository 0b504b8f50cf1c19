//! Pooling to a given size.

use wengert_tape::{Index, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};

/// Means of as many windows as are wanted, which cover each of the last `D` axes of `[batch, channels, size…]` evenly:
/// [`AdaptiveAvgPool1d`], [`AdaptiveAvgPool2d`] and [`AdaptiveAvgPool3d`]. See [`Var::adaptive_avg_pool`].
///
/// ```
/// use wengert_nn::{AdaptiveAvgPool, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// // One number a channel, whatever the size of the image.
/// let y = params.infer(|cx| AdaptiveAvgPool::<2>::new(1).forward(cx, &Var::ones([2, 8, 7, 5])));
/// assert_eq!(y.shape(), &[2, 8, 1, 1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveAvgPool<const D: usize> {
    size: [Option<usize>; D],
}

/// Sequences `[batch, channels, length]` averaged to a length.
#[doc(alias = "nn.AdaptiveAvgPool1d")]
pub type AdaptiveAvgPool1d = AdaptiveAvgPool<1>;

/// Images `[batch, channels, height, width]` averaged to a size.
///
/// ```
/// use wengert_nn::{AdaptiveAvgPool2d, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| AdaptiveAvgPool2d::new(1).forward(cx, &Var::ones([8, 6, 11, 7])));
/// assert_eq!(y.shape(), &[8, 6, 1, 1]);
/// let y = params.infer(|cx| AdaptiveAvgPool2d::keeping([None, Some(5)]).forward(cx, &Var::ones([8, 6, 11, 7])));
/// assert_eq!(y.shape(), &[8, 6, 11, 5]);
/// ```
#[doc(alias = "nn.AdaptiveAvgPool2d")]
#[doc(alias = "GlobalAveragePooling")]
pub type AdaptiveAvgPool2d = AdaptiveAvgPool<2>;

/// Volumes `[batch, channels, depth, height, width]` averaged to a size.
#[doc(alias = "nn.AdaptiveAvgPool3d")]
pub type AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

/// Maxima of as many windows as are wanted, which cover each of the last `D` axes of `[batch, channels, size…]` evenly:
/// [`AdaptiveMaxPool1d`], [`AdaptiveMaxPool2d`] and [`AdaptiveMaxPool3d`]. See [`Var::adaptive_max_pool`].
///
/// ```
/// use wengert_nn::{AdaptiveMaxPool, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let layer = AdaptiveMaxPool::keeping([Some(1), None]);
/// let y = params.infer(|cx| layer.forward(cx, &Var::ones([2, 8, 7, 5])));
/// assert_eq!(y.shape(), &[2, 8, 1, 5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveMaxPool<const D: usize> {
    size: [Option<usize>; D],
}

/// The maxima of sequences `[batch, channels, length]`, as many as are wanted.
#[doc(alias = "nn.AdaptiveMaxPool1d")]
pub type AdaptiveMaxPool1d = AdaptiveMaxPool<1>;

/// The maxima of images `[batch, channels, height, width]`, as many as are wanted.
#[doc(alias = "nn.AdaptiveMaxPool2d")]
pub type AdaptiveMaxPool2d = AdaptiveMaxPool<2>;

/// The maxima of volumes `[batch, channels, depth, height, width]`, as many as are wanted.
#[doc(alias = "nn.AdaptiveMaxPool3d")]
pub type AdaptiveMaxPool3d = AdaptiveMaxPool<3>;

/// The constructors of both kinds.
macro_rules! sizes {
    ($Name:ident) => {
        impl<const D: usize> $Name<D> {
            /// Pooling to this size; one number stands for all axes.
            pub fn new(size: impl Into<Extents<D>>) -> Self {
                $Name { size: size.into().0.map(Some) }
            }

            /// Pooling to this size, except along the axes without a number, which stay as they are.
            pub fn keeping(size: [Option<usize>; D]) -> Self {
                $Name { size }
            }
        }
    };
}

sizes!(AdaptiveAvgPool);
sizes!(AdaptiveMaxPool);

/// The lengths that are wanted. Panics if there are not `D + 2` axes.
#[track_caller]
fn lengths<T: Float, const D: usize>(operation: &str, size: [Option<usize>; D], x: &Var<T>) -> [usize; D] {
    assert!(x.rank() == D + 2, "{operation}: {} does not have {} axes", x.shape(), D + 2);
    let mut lengths = [0; D];
    for (axis, (length, wanted)) in lengths.iter_mut().zip(size).enumerate() {
        *length = wanted.unwrap_or(x.shape()[axis + 2]);
    }
    lengths
}

impl<T: Float, const D: usize> Layer<T> for AdaptiveAvgPool<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or an axis without elements is to have some.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let layer = cx.enter(named::<D>(["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"]));
        let y = x.adaptive_avg_pool(lengths("adaptive_avg_pool", self.size, x));
        layer.leave(&[], y)
    }
}

impl<const D: usize> AdaptiveMaxPool<D> {
    /// The maxima and their positions: see [`Var::adaptive_max_pool_with_indices`].
    ///
    /// # Panics
    /// As `forward`.
    #[doc(alias = "return_indices")]
    #[track_caller]
    pub fn with_indices<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> (Var<T>, Index<T>) {
        let layer = cx.enter(named::<D>(["AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"]));
        let (y, indices) = x.adaptive_max_pool_with_indices(lengths("adaptive_max_pool", self.size, x));
        (layer.leave(&[], y), indices)
    }
}

impl<T: Float, const D: usize> Layer<T> for AdaptiveMaxPool<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or an axis without elements is to have some.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let layer = cx.enter(named::<D>(["AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"]));
        let y = x.adaptive_max_pool(lengths("adaptive_max_pool", self.size, x));
        layer.leave(&[], y)
    }
}
