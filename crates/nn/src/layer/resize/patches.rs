//! Patches as columns of a matrix, and back.

use wengert_tape::Var;
use wengert_tensor::Float;
use wengert_tensor::conv::ConvOptions;

use crate::ctx::Ctx;
use crate::layer::{Extents, Layer};

/// The patches of `[batch, channels, size…]` as `[batch, channels · taps, positions]`: see [`Var::unfold`].
///
/// ```
/// use wengert_nn::{Fold, Layer, Params, Unfold};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let patches = params.infer(|cx| Unfold::new([2, 2]).forward(cx, &Var::ones([1, 3, 4, 5])));
/// assert_eq!(patches.shape(), &[1, 12, 12]);
/// let image = params.infer(|cx| Fold::new([4, 5], [2, 2]).forward(cx, &patches));
/// assert_eq!(image.shape(), &[1, 3, 4, 5]);
/// ```
#[doc(alias = "nn.Unfold")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfold<const D: usize> {
    kernel: [usize; D],
    options: ConvOptions<D>,
}

/// Images of a given size in which each pixel is the sum of what the patches have at it: see [`Var::fold`].
///
/// ```
/// use wengert_nn::{Fold, Layer, Params, Unfold};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let patches = Unfold::new([3]).stride(2).padding(1).dilation(1);
/// let y = params.infer(|cx| patches.forward(cx, &Var::ones([1, 1, 5])));
/// let image = Fold::new([5], [3]).stride(2).padding(1);
/// // How often each pixel is in a patch.
/// let counts = params.infer(|cx| image.forward(cx, &y));
/// assert_eq!(counts.value().to_vec(), [1.0, 2.0, 1.0, 2.0, 1.0]);
/// ```
#[doc(alias = "nn.Fold")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold<const D: usize> {
    size: [usize; D],
    kernel: [usize; D],
    options: ConvOptions<D>,
}

/// The methods for the options that both have.
macro_rules! options {
    ($Name:ident) => {
        impl<const D: usize> $Name<D> {
            /// Pixels from one patch to the next. Default 1.
            #[must_use]
            pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
                self.options.stride = stride.into().0;
                self
            }

            /// Zeros round the image, on both sides. Default 0.
            #[must_use]
            pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
                self.options.padding = padding.into().0;
                self
            }

            /// Pixels from one element of a patch to the next. Default 1.
            #[must_use]
            pub fn dilation(mut self, dilation: impl Into<Extents<D>>) -> Self {
                self.options.dilation = dilation.into().0;
                self
            }
        }
    };
}

options!(Unfold);
options!(Fold);

impl<const D: usize> Unfold<D> {
    /// Patches of this extent.
    pub fn new(kernel: [usize; D]) -> Self {
        Unfold { kernel, options: ConvOptions::default() }
    }
}

impl<const D: usize> Fold<D> {
    /// Images of this size from patches of this extent.
    pub fn new(size: [usize; D], kernel: [usize; D]) -> Self {
        Fold { size, kernel, options: ConvOptions::default() }
    }
}

impl<T: Float, const D: usize> Layer<T> for Unfold<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, or the kernel does not fit.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Unfold").leave(&[], x.unfold(self.kernel, self.options))
    }
}

impl<T: Float, const D: usize> Layer<T> for Fold<D> {
    /// # Panics
    /// If the patches are not those of such images.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("Fold").leave(&[], x.fold(self.size, self.kernel, self.options))
    }
}
