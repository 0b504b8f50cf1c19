//! Moving elements between channels and pixels.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// `[…, channels · factor², height, width]` as `[…, channels, height · factor, width · factor]`: see [`Var::pixel_shuffle`].
///
/// ```
/// use wengert_nn::{Layer, Params, PixelShuffle};
/// use wengert_tape::Var;
/// let params: Params = Params::seeded(0);
/// let y = params.infer(|cx| PixelShuffle { factor: 3 }.forward(cx, &Var::zeros([8, 9, 4, 4])));
/// assert_eq!(y.shape(), &[8, 1, 12, 12]);
/// ```
#[doc(alias = "nn.PixelShuffle")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelShuffle {
    /// How many times larger height and width become.
    #[doc(alias = "upscale_factor")]
    pub factor: usize,
}

impl<T: Float> Layer<T> for PixelShuffle {
    /// # Panics
    /// If there are fewer than three axes, or the channels are no multiple of factor².
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("PixelShuffle").leave(&[], x.pixel_shuffle(self.factor))
    }
}

/// The inverse of [`PixelShuffle`]: see [`Var::pixel_unshuffle`].
///
/// ```
/// use wengert_nn::{Layer, Params, PixelUnshuffle};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let y = params.infer(|cx| PixelUnshuffle { factor: 2 }.forward(cx, &Var::ones([1, 3, 4, 6])));
/// assert_eq!(y.shape(), &[1, 12, 2, 3]);
/// ```
#[doc(alias = "nn.PixelUnshuffle")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelUnshuffle {
    /// How many times smaller height and width become.
    #[doc(alias = "downscale_factor")]
    pub factor: usize,
}

impl<T: Float> Layer<T> for PixelUnshuffle {
    /// # Panics
    /// If there are fewer than three axes, or height or width is no multiple of the factor.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("PixelUnshuffle").leave(&[], x.pixel_unshuffle(self.factor))
    }
}

/// The channels of `[batch, channels, …]` dealt out of their groups: see [`Var::channel_shuffle`].
///
/// ```
/// use wengert_nn::{ChannelShuffle, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let x = Var::from([0.0, 1.0, 2.0, 3.0]).reshape([1, 4, 1]);
/// let y = params.infer(|cx| ChannelShuffle { groups: 2 }.forward(cx, &x));
/// assert_eq!(y.value().to_vec(), [0.0, 2.0, 1.0, 3.0]);
/// ```
#[doc(alias = "nn.ChannelShuffle")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelShuffle {
    /// How many groups of channels follow each other.
    pub groups: usize,
}

impl<T: Float> Layer<T> for ChannelShuffle {
    /// # Panics
    /// If there are fewer than two axes, or the channels are no multiple of the groups.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        cx.enter("ChannelShuffle").leave(&[], x.channel_shuffle(self.groups))
    }
}
