//! Transposed convolution.

use wengert_tape::Var;
use wengert_tensor::Float;
use wengert_tensor::conv::ConvOptions;

use super::{Start, check_groups};
use crate::ctx::Ctx;
use crate::layer::extents::named;
use crate::layer::{Extents, Layer};
use crate::params::{ParamId, Scope};

/// The transposed convolution of `[batch, in_channels, size…]` over `D` axes with learned kernels, plus a bias per output
/// channel: [`ConvTranspose1d`], [`ConvTranspose2d`] and [`ConvTranspose3d`]. It is the gradient of a convolution with these
/// options with respect to its image, and makes images larger by the stride:
/// `(size − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1` pixels along each axis.
///
/// Parameters as in PyTorch: `weight` of shape `[in_channels, out_channels / groups, kernel…]` and `bias` of shape
/// `[out_channels]`, both uniform in ±1/√(out_channels / groups · Π kernel) at the start unless the builder says otherwise.
///
/// ```
/// use wengert_nn::{ConvTranspose, Init, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let up: ConvTranspose<1> =
///     ConvTranspose::builder(2, 4, 3).dilation(2).groups(2).bias(Init::Zeros).build(params.at("up"));
/// let y = params.infer(|cx| up.forward(cx, &Var::ones([1, 2, 10])));
/// assert_eq!(y.shape(), &[1, 4, 14]);
/// ```
#[derive(Clone, Debug)]
pub struct ConvTranspose<const D: usize> {
    weight: ParamId,
    bias: Option<ParamId>,
    options: ConvOptions<D>,
    output_padding: [usize; D],
}

/// The transposed convolution of sequences `[batch, in_channels, length]`: see [`ConvTranspose`].
#[doc(alias = "nn.ConvTranspose1d")]
pub type ConvTranspose1d = ConvTranspose<1>;

/// The transposed convolution of images `[batch, in_channels, height, width]`: see [`ConvTranspose`].
///
/// ```
/// use wengert_nn::{ConvTranspose2d, Layer, Params};
/// use wengert_tape::Var;
/// let mut params: Params = Params::seeded(0);
/// let layer = ConvTranspose2d::builder(8, 3, 3).stride(2).padding(1).output_padding(1).build(params.at("up"));
/// let y = params.infer(|cx| layer.forward(cx, &Var::zeros([4, 8, 7, 7])));
/// assert_eq!(y.shape(), &[4, 3, 14, 14]);
/// ```
#[doc(alias = "nn.ConvTranspose2d")]
#[doc(alias = "deconvolution")]
pub type ConvTranspose2d = ConvTranspose<2>;

/// The transposed convolution of volumes `[batch, in_channels, depth, height, width]`: see [`ConvTranspose`].
#[doc(alias = "nn.ConvTranspose3d")]
pub type ConvTranspose3d = ConvTranspose<3>;

impl<const D: usize> ConvTranspose<D> {
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
    pub fn builder(
        in_channels: usize,
        out_channels: usize,
        kernel: impl Into<Extents<D>>,
    ) -> ConvTransposeBuilder<D> {
        ConvTransposeBuilder {
            channels: [in_channels, out_channels],
            kernel: kernel.into().0,
            options: ConvOptions::default(),
            output_padding: [0; D],
            start: Start::default(),
        }
    }

    /// The weight, of shape `[in_channels, out_channels / groups, kernel…]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The bias, of shape `[out_channels]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.bias
    }
}

/// The options of a [`ConvTranspose`] layer; one number stands for all axes.
#[derive(Clone, Debug)]
pub struct ConvTransposeBuilder<const D: usize> {
    channels: [usize; 2],
    kernel: [usize; D],
    pub(super) options: ConvOptions<D>,
    output_padding: [usize; D],
    pub(super) start: Start,
}

impl<const D: usize> ConvTransposeBuilder<D> {
    /// Pixels of the output from one position of the kernel to the next. Default 1.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.options.stride = stride.into().0;
        self
    }

    /// Pixels of the output that are cut off, on both sides. Default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
        self.options.padding = padding.into().0;
        self
    }

    /// Pixels that the output has more, at the end; fewer than stride or dilation. Default 0.
    #[must_use]
    pub fn output_padding(mut self, padding: impl Into<Extents<D>>) -> Self {
        self.output_padding = padding.into().0;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the channels are not multiples of the groups, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, p: Scope<'_, T>) -> ConvTranspose<D> {
        const { assert!(D >= 1 && D <= 3, "convolutions are over one, two or three axes") };
        let ([inputs, outputs], groups) = (self.channels, self.options.groups);
        check_groups(
            named::<D>(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]),
            self.channels,
            groups,
        );
        let (weight, bias) = self.start.build(p, [inputs, outputs / groups], &self.kernel, outputs);
        ConvTranspose { weight, bias, options: self.options, output_padding: self.output_padding }
    }
}

impl<T: Float, const D: usize> Layer<T> for ConvTranspose<D> {
    /// # Panics
    /// If the input does not have `D + 2` axes, its channels or its size do not fit, or the layer belongs to another
    /// `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let operation = named::<D>(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]);
        let (weight, bias) = cx.weight_and_bias(operation, self.weight, self.bias);
        let layer = cx.enter(named::<D>(["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]));
        let y = x.conv_transpose(&weight, bias.as_ref(), self.options, self.output_padding);
        layer.leave(&[Some(self.weight), self.bias], y)
    }
}
