//! Max pooling with windows at random places.

use wengert_tape::{Index, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};

/// The largest elements of windows whose places are random, so that the image becomes smaller by any factor:
/// [`FractionalMaxPool2d`] and [`FractionalMaxPool3d`]. The places are drawn anew in each step, in evaluation too, as in PyTorch.
/// See [`Var::fractional_max_pool`].
///
/// ```
/// use wengert_nn::{FractionalMaxPool, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let y = params.infer(|cx| FractionalMaxPool::<2>::new(2, 5).forward(cx, &Var::ones([1, 3, 8, 8])));
/// assert_eq!(y.shape(), &[1, 3, 5, 5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FractionalMaxPool<const D: usize> {
    kernel: [usize; D],
    size: Size<D>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size<const D: usize> {
    Fixed([usize; D]),
    Ratio([f64; D]),
}

/// Of images `[batch, channels, height, width]`.
///
/// ```
/// use wengert_nn::{FractionalMaxPool2d, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let layer = FractionalMaxPool2d::with_ratio(2, [0.7, 0.7]);
/// let y = params.infer(|cx| layer.forward(cx, &Var::zeros([4, 2, 28, 28])));
/// assert_eq!(y.shape(), &[4, 2, 19, 19]);
/// ```
#[doc(alias = "nn.FractionalMaxPool2d")]
pub type FractionalMaxPool2d = FractionalMaxPool<2>;

/// Of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.FractionalMaxPool3d")]
pub type FractionalMaxPool3d = FractionalMaxPool<3>;

impl<const D: usize> FractionalMaxPool<D> {
    /// Windows of that extent, as many as `size` says.
    pub fn new(kernel: impl Into<Extents<D>>, size: impl Into<Extents<D>>) -> Self {
        FractionalMaxPool { kernel: kernel.into().0, size: Size::Fixed(size.into().0) }
    }

    /// Windows of that extent, as many as the image's size times `ratio`, rounded down.
    ///
    /// # Panics
    /// If a ratio is not in (0, 1).
    #[doc(alias = "output_ratio")]
    #[track_caller]
    pub fn with_ratio(kernel: impl Into<Extents<D>>, ratio: [f64; D]) -> Self {
        let fits = ratio.iter().all(|&ratio| ratio > 0.0 && ratio < 1.0);
        assert!(fits, "fractional_max_pool: the ratios {ratio:?} are not in (0, 1)");
        FractionalMaxPool { kernel: kernel.into().0, size: Size::Ratio(ratio) }
    }

    /// The maxima and their positions, as [`MaxUnpool`](crate::MaxUnpool) takes them.
    ///
    /// # Panics
    /// As `forward`.
    #[doc(alias = "return_indices")]
    #[track_caller]
    pub fn with_indices<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> (Var<T>, Index<T>) {
        assert!(x.rank() == D + 2, "fractional_max_pool: {} does not have {} axes", x.shape(), D + 2);
        let mut size = [0; D];
        for (axis, size) in size.iter_mut().enumerate() {
            *size = match self.size {
                Size::Fixed(fixed) => fixed[axis],
                Size::Ratio(ratio) => (x.shape()[axis + 2] as f64 * ratio[axis]) as usize,
            };
        }
        let samples = Var::uniform([x.shape()[0], x.shape()[1], D], 0.0, 1.0, cx.key());
        let layer =
            cx.enter(named::<D>(["FractionalMaxPool1d", "FractionalMaxPool2d", "FractionalMaxPool3d"]));
        let (y, at) = x.fractional_max_pool(self.kernel, size, &samples);
        (layer.leave(&[], y), at)
    }
}

impl<T: Float, const D: usize> Layer<T> for FractionalMaxPool<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or kernel and number of windows are together larger than the axis and one.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.with_indices(cx, x).0
    }
}
