//! Two-dimensional convolution.

use wengert_tape::Var;
use wengert_tensor::Float;
use wengert_tensor::conv::Conv2dOptions;

use crate::ctx::Ctx;
use crate::init::Init;
use crate::layer::{Layer, Pair};
use crate::observe::Affine;
use crate::params::{ParamId, Scope};

/// The convolution of images `[batch, in_channels, height, width]` with learned kernels, plus a bias per output channel.
///
/// Parameters as in PyTorch: `weight` of shape `[out_channels, in_channels / groups, kernel height, kernel width]` and
/// `bias` of shape `[out_channels]`, both uniform in ±1/√fan_in at the start unless the builder says otherwise.
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
#[derive(Clone, Debug)]
pub struct Conv2d {
    weight: ParamId,
    bias: Option<ParamId>,
    options: Conv2dOptions,
}

impl Conv2d {
    /// A layer with bias, stride 1, no padding and PyTorch's initial values.
    ///
    /// # Panics
    /// If the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn new<T: Float>(
        p: Scope<'_, T>,
        in_channels: usize,
        out_channels: usize,
        kernel: impl Into<Pair>,
    ) -> Self {
        Conv2d::builder(in_channels, out_channels, kernel).build(p)
    }

    /// A layer with options.
    pub fn builder(in_channels: usize, out_channels: usize, kernel: impl Into<Pair>) -> Conv2dBuilder {
        Conv2dBuilder {
            channels: [in_channels, out_channels],
            kernel: kernel.into().0,
            options: Conv2dOptions::default(),
            weight: Init::pytorch_weight(),
            bias: Some(None),
        }
    }

    /// The weight, of shape `[out_channels, in_channels / groups, kernel height, kernel width]`.
    pub fn weight(&self) -> ParamId {
        self.weight
    }

    /// The bias, of shape `[out_channels]`.
    pub fn bias(&self) -> Option<ParamId> {
        self.bias
    }
}

/// The options of a [`Conv2d`] layer; one number stands for both axes.
#[derive(Clone, Debug)]
pub struct Conv2dBuilder {
    channels: [usize; 2],
    kernel: [usize; 2],
    options: Conv2dOptions,
    weight: Init,
    /// Whether there is one, and how it starts if not as usual.
    bias: Option<Option<Init>>,
}

impl Conv2dBuilder {
    /// Pixels from one position of the kernel to the next. Default 1.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        self.options.stride = stride.into().0;
        self
    }

    /// Zeros round the image, on both sides. Default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        self.options.padding = padding.into().0;
        self
    }

    /// Pixels from one tap of the kernel to the next. Default 1.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        self.options.dilation = dilation.into().0;
        self
    }

    /// Groups that the channels are split into; each output channel sees one group of input channels. Default 1.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.options.groups = groups;
        self
    }

    /// How the weight starts.
    #[must_use]
    pub fn weight(mut self, init: Init) -> Self {
        self.weight = init;
        self
    }

    /// How the bias starts.
    #[must_use]
    pub fn bias(mut self, init: Init) -> Self {
        self.bias = Some(Some(init));
        self
    }

    /// No bias.
    #[must_use]
    pub fn no_bias(mut self) -> Self {
        self.bias = None;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the channels are not multiples of the groups, or the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, mut p: Scope<'_, T>) -> Conv2d {
        let ([inputs, outputs], [height, width], groups) = (self.channels, self.kernel, self.options.groups);
        assert!(
            groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
            "conv2d: {inputs} input and {outputs} output channels are not multiples of {groups} groups"
        );
        let inputs = inputs / groups;
        let weight = p.param("weight", [outputs, inputs, height, width], self.weight);
        let bias = self.bias.map(|init| init.unwrap_or_else(|| Init::pytorch_bias(inputs * height * width)));
        let bias = p.optional("bias", &[outputs], bias);
        Conv2d { weight, bias, options: self.options }
    }
}

impl<T: Float> Layer<T> for Conv2d {
    /// # Panics
    /// If the input does not have four axes, its channels or its size do not fit, or the layer belongs to another
    /// `Params`.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let (weight, bias) = cx.weight_and_bias("conv2d", self.weight, self.bias);
        let y = x.conv2d(&weight, bias.as_ref(), self.options);
        let map = Affine { weight: self.weight, bias: self.bias, convolution: Some(self.options) };
        cx.affine(map, x, &y);
        cx.trace("Conv2d", &[Some(self.weight), self.bias], y)
    }
}
