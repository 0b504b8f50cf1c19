//! Convolution.

use wengert_tape::Var;
use wengert_tensor::conv::{Conv2dOptions, ConvOptions};
use wengert_tensor::{Float, Shape};

use super::ConvBuilder;
use super::border::Border;
use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};
use crate::observe::Affine;
use crate::params::{ParamId, Scope};

/// The convolution of `[batch, in_channels, size…]` over `D` axes with learned kernels, plus a bias per output channel:
/// [`Conv1d`], [`Conv2d`] and [`Conv3d`].
///
/// Parameters as in PyTorch: `weight` of shape `[out_channels, in_channels / groups, kernel…]` and `bias` of shape
/// `[out_channels]`, both uniform in ±1/√fan_in at the start unless the builder says otherwise.
///
/// ```
/// use wengert_nn::{Conv, Init, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let builder = Conv::<1>::builder(2, 4, 3).dilation(2).groups(2).padding_sides([[4, 0]]).bias(Init::Ones);
/// let causal: Conv<1> = builder.build(params.at("conv"));
/// assert_eq!(params.shape(causal.weight()), &[4, 1, 3]);
/// let y = params.infer(|cx| causal.forward(cx, &Var::zeros([1, 2, 10])));
/// assert_eq!((y.shape(), y.max().item()), (&[1, 4, 10].into(), 1.0));
/// ```
#[derive(Clone, Debug)]
pub struct Conv<const D: usize> {
    pub(super) weight: ParamId,
    pub(super) bias: Option<ParamId>,
    pub(super) kernel: [usize; D],
    pub(super) options: ConvOptions<D>,
    pub(super) border: Border<D>,
}

/// The convolution of sequences `[batch, in_channels, length]`: see [`Conv`].
///
/// ```
/// use wengert_nn::{Conv1d, Layer, Params};
/// use wengert_tape::{PadMode, Var};
/// let mut params: Params = Params::seeded(0);
/// let layer = Conv1d::builder(2, 8, 3).same().padding_mode(PadMode::Circular).build(params.at("conv"));
/// let y = params.infer(|cx| layer.forward(cx, &Var::zeros([4, 2, 100])));
/// assert_eq!(y.shape(), &[4, 8, 100]);
/// ```
#[doc(alias = "nn.Conv1d")]
pub type Conv1d = Conv<1>;

/// The convolution of images `[batch, in_channels, height, width]`: see [`Conv`].
///
/// ```
/// use wengert_nn::{Conv2d, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let first = Conv2d::new(params.at("first"), 1, 6, 5);
/// let second = Conv2d::builder(6, 16, [3, 3]).stride(2).padding(1).build(params.at("second"));
/// let y = params.infer(|cx| second.forward(cx, &first.forward(cx, &Var::zeros([4, 1, 28, 28]))));
/// assert_eq!(y.shape(), &[4, 16, 12, 12]);
/// ```
#[doc(alias = "nn.Conv2d")]
pub type Conv2d = Conv<2>;

/// The convolution of volumes `[batch, in_channels, depth, height, width]`: see [`Conv`].
///
/// ```
/// use wengert_nn::{Conv3d, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let layer = Conv3d::builder(1, 4, [1, 3, 3]).padding([0, 1, 1]).build(params.at("conv"));
/// let y = params.infer(|cx| layer.forward(cx, &Var::zeros([2, 1, 5, 8, 8])));
/// assert_eq!(y.shape(), &[2, 4, 5, 8, 8]);
/// ```
#[doc(alias = "nn.Conv3d")]
pub type Conv3d = Conv<3>;

impl<const D: usize> Conv<D> {
    /// A layer with bias, stride 1, no padding and PyTorch's initial values.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(
        p: Scope<'_, T>,
        in_channels: usize,
        out_channels: usize,
        kernel: impl Into<Extents<D>>,
    ) -> Self {
        Self::builder(in_channels, out_channels, kernel).build(p)
    }

    /// A layer with options.
    pub fn builder(in_channels: usize, out_channels: usize, kernel: impl Into<Extents<D>>) -> ConvBuilder<D> {
        ConvBuilder::new([in_channels, out_channels], kernel.into().0)
    }

    /// The weight, of shape `[out_channels, in_channels / groups, kernel…]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The bias, of shape `[out_channels]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.bias
    }
}

impl<T: Float, const D: usize> Layer<T> for Conv<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, its channels or its size do not fit, a border is wider than its mode allows,
    /// or the layer belongs to another `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let operation = named::<D>(["conv1d", "conv2d", "conv3d"]);
        let (weight, bias) = cx.weight_and_bias(operation, self.weight, self.bias);
        assert!(
            x.rank() == D + 2,
            "{operation}: image {} and weight {} do not both have {} axes",
            x.shape(),
            weight.shape(),
            named::<D>(["three", "four", "five"])
        );
        let layer = cx.enter(named::<D>(["Conv1d", "Conv2d", "Conv3d"]));
        let (bordered, options) = self.border.made(x, &self.kernel, self.options);
        let x = bordered.as_ref().unwrap_or(x);
        let y = x.conv(&weight, bias.as_ref(), options);
        if let Some(convolution) = planar(&options) {
            let map = Affine { weight: self.weight, bias: self.bias, convolution: Some(convolution) };
            cx.affine(map, x, &y);
        }
        layer.leave(&[Some(self.weight), self.bias], y)
    }
}

/// The options as those of images, of which sequences are some of height 1; not for volumes.
fn planar<const D: usize>(options: &ConvOptions<D>) -> Option<Conv2dOptions> {
    let pair = |of: &[usize; D], other: usize| match of[..] {
        [length] => Some([other, length]),
        [height, width] => Some([height, width]),
        _ => None,
    };
    Some(Conv2dOptions {
        stride: pair(&options.stride, 1)?,
        padding: pair(&options.padding, 0)?,
        dilation: pair(&options.dilation, 1)?,
        groups: options.groups,
    })
}

/// The shape of sequences or of their kernels as that of images of height 1.
pub(crate) fn four_axes(shape: &Shape) -> Option<[usize; 4]> {
    match shape[..] {
        [a, b, c] => Some([a, b, 1, c]),
        [a, b, c, d] => Some([a, b, c, d]),
        _ => None,
    }
}
