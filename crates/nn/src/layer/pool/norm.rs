//! Pooling by a norm.

use wengert_tape::{PoolOptions, Var};
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};

/// (Σ xᵖ)^(1/p) over each window of the last `D` axes of `[batch, channels, size…]`: [`LpPool1d`], [`LpPool2d`] and
/// [`LpPool3d`]. See [`Var::lp_pool`].
///
/// ```
/// use wengert_nn::{Layer, LpPool1d, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let x = Var::from([3.0, 4.0, 0.0, 1.0]).reshape([1, 1, 4]);
/// assert_eq!(params.infer(|cx| LpPool1d::new(2.0, 2).forward(cx, &x)).value().to_vec(), [5.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LpPool<const D: usize> {
    p: f64,
    options: PoolOptions<D>,
}

/// Of sequences `[batch, channels, length]`.
#[doc(alias = "nn.LPPool1d")]
pub type LpPool1d = LpPool<1>;
/// Of images `[batch, channels, height, width]`.
#[doc(alias = "nn.LPPool2d")]
pub type LpPool2d = LpPool<2>;
/// Of volumes `[batch, channels, depth, height, width]`.
#[doc(alias = "nn.LPPool3d")]
pub type LpPool3d = LpPool<3>;

impl<const D: usize> LpPool<D> {
    /// The p-norms of adjacent windows of this extent.
    ///
    /// # Panics
    /// If p is not positive and finite.
    #[track_caller]
    pub fn new(p: f64, kernel: impl Into<Extents<D>>) -> Self {
        assert!(p > 0.0 && p.is_finite(), "lp_pool: the power {p} is not positive and finite");
        LpPool { p, options: PoolOptions::new(kernel.into().0) }
    }

    /// Pixels from one window to the next; by default the window's extent.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.options.stride = stride.into().0;
        self
    }

    /// Whether the number of windows is rounded up, so that the last may reach beyond the image. Default false.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.options.ceil_mode = ceil_mode;
        self
    }
}

impl<T: Float, const D: usize> Layer<T> for LpPool<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or the window does not fit.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter(named::<D>(["LpPool1d", "LpPool2d", "LpPool3d"])).leave(&[], x.lp_pool(self.p, self.options))
    }
}
