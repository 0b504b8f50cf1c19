//! Resampling.

use wengert_tape::{Interpolation, Resize, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// The last `D` axes of `[batch, channels, size…]` resampled to a size or by a factor: see [`Var::interpolate`].
///
/// ```
/// use wengert_nn::{Layer, Params, Upsample};
/// use wengert_tape::{Interpolation, Resize, Var};
/// let params: Params = Params::seeded(0);
/// let layer = Upsample::new(Resize::Scale([2.0, 3.0]), Interpolation::Linear { align_corners: false });
/// let y = params.infer(|cx| layer.forward(cx, &Var::zeros([8, 6, 5, 5])));
/// assert_eq!(y.shape(), &[8, 6, 10, 15]);
/// ```
#[doc(alias = "nn.Upsample")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upsample<const D: usize> {
    resize: Resize<D>,
    mode: Interpolation,
}

impl<const D: usize> Upsample<D> {
    /// Resampling to that size, in that mode.
    pub fn new(resize: Resize<D>, mode: Interpolation) -> Self {
        Upsample { resize, mode }
    }
}

impl<T: Float, const D: usize> Layer<T> for Upsample<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, a factor is not positive, an axis without elements is to have some, or the
    /// result has too many.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Upsample").leave(&[], x.interpolate(self.resize, self.mode))
    }
}

/// Images `[batch, channels, height, width]` whose pixels are repeated: [`Upsample`] with
/// [`Interpolation::Nearest`].
///
/// ```
/// use wengert_nn::{Layer, Params, UpsamplingNearest2d};
/// use wengert_tape::{Resize, Var};
/// let params: Params<f64> = Params::seeded(0);
/// let y = params.infer(|cx| UpsamplingNearest2d::new(Resize::Scale([2.0, 2.0])).forward(cx, &Var::ones([1, 1, 2, 3])));
/// assert_eq!(y.shape(), &[1, 1, 4, 6]);
/// ```
#[doc(alias = "nn.UpsamplingNearest2d")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpsamplingNearest2d(Upsample<2>);

impl UpsamplingNearest2d {
    /// Resampling to that size.
    pub fn new(resize: Resize<2>) -> Self {
        UpsamplingNearest2d(Upsample::new(resize, Interpolation::Nearest))
    }
}

impl<T: Float> Layer<T> for UpsamplingNearest2d {
    /// # Panics
    /// As [`Upsample`]'s.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.0.forward(cx, x)
    }
}

/// Images `[batch, channels, height, width]` resampled linearly, with the corner pixels in their places: [`Upsample`] with
/// [`Interpolation::Linear`] and `align_corners`, which is true here as in PyTorch.
///
/// ```
/// use wengert_nn::{Layer, Params, UpsamplingBilinear2d};
/// use wengert_tape::{Resize, Var};
/// let params: Params<f64> = Params::seeded(0);
/// let y = params.infer(|cx| UpsamplingBilinear2d::new(Resize::Scale([2.0, 2.0])).forward(cx, &Var::ones([1, 1, 2, 3])));
/// assert_eq!(y.shape(), &[1, 1, 4, 6]);
/// ```
#[doc(alias = "nn.UpsamplingBilinear2d")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpsamplingBilinear2d(Upsample<2>);

impl UpsamplingBilinear2d {
    /// Resampling to that size.
    pub fn new(resize: Resize<2>) -> Self {
        UpsamplingBilinear2d(Upsample::new(resize, Interpolation::Linear { align_corners: true }))
    }
}

impl<T: Float> Layer<T> for UpsamplingBilinear2d {
    /// # Panics
    /// As [`Upsample`]'s.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        self.0.forward(cx, x)
    }
}
