//! The shapes of a two-dimensional convolution.

use std::fmt;

use crate::array::shape::Shape;

/// How the kernel of a convolution over `D` axes moves over the image; arrays are in the order of the axes, so for two
/// (height, width).
///
/// Zeros that differ between the two sides of an axis are added to the image before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions<const D: usize> {
    /// Pixels from one position of the kernel to the next. Default 1 along each axis.
    pub stride: [usize; D],
    /// Zeros round the image, on both sides. Default 0.
    pub padding: [usize; D],
    /// Pixels from one tap of the kernel to the next. Default 1.
    pub dilation: [usize; D],
    /// Groups that the channels are split into; each output channel sees one group of input channels. Default 1.
    pub groups: usize,
}

impl<const D: usize> Default for ConvOptions<D> {
    fn default() -> Self {
        Self { stride: [1; D], padding: [0; D], dilation: [1; D], groups: 1 }
    }
}

/// Over sequences.
pub type Conv1dOptions = ConvOptions<1>;
/// Over images.
pub type Conv2dOptions = ConvOptions<2>;
/// Over volumes.
pub type Conv3dOptions = ConvOptions<3>;

/// The checked shapes of a two-dimensional convolution.
///
/// Images are `[batch, channels, height, width]`, the weight is
/// `[out_channels, in_channels / groups, kernel height, kernel width]`, and the output has along each axis
///
/// ```text
/// ⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1
/// ```
///
/// positions, as in PyTorch.
///
/// ```
/// use wengert_tensor::conv::{Conv2dGeometry, Conv2dOptions};
///
/// let options = Conv2dOptions { padding: [2, 2], ..Default::default() };
/// let g = Conv2dGeometry::new([64, 1, 28, 28], [6, 1, 5, 5], options)?;
/// assert_eq!(g.output_shape(), [64, 6, 28, 28]);
/// # Ok::<(), wengert_tensor::conv::ConvError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dGeometry {
    input: [usize; 4],
    weight: [usize; 4],
    output: [usize; 4],
    options: Conv2dOptions,
}

impl Conv2dGeometry {
    /// Checks the shapes of an image `[batch, channels, height, width]` and of a weight
    /// `[out, in / groups, height, width]`.
    ///
    /// # Errors
    /// If the channels do not fit the groups, a stride, dilation or kernel extent is 0, the kernel is larger
    /// than the padded image, or a size overflows.
    pub fn new(input: [usize; 4], weight: [usize; 4], options: Conv2dOptions) -> Result<Self, ConvError> {
        check_channels(input[1], [weight[0], weight[1]], options.groups)?;
        let mut output = [input[0], weight[0], 0, 0];
        for axis in 0..2 {
            output[2 + axis] = positions(
                input[2 + axis],
                weight[2 + axis],
                options.stride[axis],
                options.padding[axis],
                options.dilation[axis],
            )?;
        }
        check_sizes([input, weight, output])?;
        Ok(Self { input, weight, output, options })
    }

    /// `[batch, channels, height, width]` of the image.
    pub fn input_shape(&self) -> [usize; 4] {
        self.input
    }

    /// `[out, in / groups, height, width]` of the weight.
    pub fn weight_shape(&self) -> [usize; 4] {
        self.weight
    }

    /// `[batch, channels, height, width]` of the output.
    pub fn output_shape(&self) -> [usize; 4] {
        self.output
    }

    /// Stride, padding, dilation and groups.
    pub fn options(&self) -> Conv2dOptions {
        self.options
    }

    /// Input and output channels of one group.
    pub(super) fn group_channels(&self) -> [usize; 2] {
        [self.weight[1], self.weight[0] / self.options.groups]
    }

    /// Taps of the kernel in one channel.
    pub(super) fn taps(&self) -> usize {
        self.weight[2] * self.weight[3]
    }

    /// Pixels of an input and of an output plane.
    pub(super) fn planes(&self) -> [usize; 2] {
        [self.input[2] * self.input[3], self.output[2] * self.output[3]]
    }
}

/// # Errors
/// If the channels do not fit the groups.
pub(super) fn check_channels(input: usize, weight: [usize; 2], groups: usize) -> Result<(), ConvError> {
    if groups == 0 || !weight[0].is_multiple_of(groups) || weight[1].checked_mul(groups) != Some(input) {
        return Err(ConvError::Channels { input, weight, groups });
    }
    Ok(())
}

/// # Errors
/// If no tensor can have one of the shapes.
pub(crate) fn check_sizes<const R: usize, const N: usize>(shapes: [[usize; R]; N]) -> Result<(), ConvError> {
    match shapes.into_iter().map(Shape::from).find(|shape| !shape.fits()) {
        Some(shape) => Err(ConvError::TooLarge { shape }),
        None => Ok(()),
    }
}

/// How many positions a window of `kernel` taps has along an axis of `size` pixels.
///
/// # Errors
/// If the kernel, the stride or the dilation is 0, or the window is larger than the padded axis.
pub(crate) fn positions(
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Result<usize, ConvError> {
    if kernel == 0 || stride == 0 || dilation == 0 {
        return Err(ConvError::Zero { kernel, stride, dilation });
    }
    let reach = (kernel - 1).checked_mul(dilation).and_then(|reach| reach.checked_add(1));
    let padded = padding.checked_mul(2).and_then(|padding| padding.checked_add(size));
    match (reach, padded) {
        (Some(reach), Some(padded)) if reach <= padded && padded <= isize::MAX as usize => {
            Ok((padded - reach) / stride + 1)
        }
        _ => Err(ConvError::KernelTooLarge { size, kernel, padding, dilation }),
    }
}

/// Why shapes do not make a convolution or a pooling.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvError {
    /// The channels of image and weight do not fit together.
    Channels {
        /// Channels of the image.
        input: usize,
        /// The first two extents of the weight.
        weight: [usize; 2],
        /// The number of groups.
        groups: usize,
    },
    /// An extent that must be at least 1 is 0.
    Zero {
        /// Taps of the kernel along the axis.
        kernel: usize,
        /// The stride along the axis.
        stride: usize,
        /// The dilation along the axis.
        dilation: usize,
    },
    /// The kernel is larger than the padded image.
    KernelTooLarge {
        /// Pixels of the image along the axis.
        size: usize,
        /// Taps of the kernel along the axis.
        kernel: usize,
        /// The padding along the axis.
        padding: usize,
        /// The dilation along the axis.
        dilation: usize,
    },
    /// The padding of a pooling is more than half of its window, or leaves a window without a pixel.
    PaddingTooLarge {
        /// Taps of the window along the axis.
        kernel: usize,
        /// The padding along the axis.
        padding: usize,
        /// The dilation along the axis.
        dilation: usize,
    },
    /// The number of elements overflows, or a plane has more pixels than `u32` counts.
    TooLarge {
        /// The shape that is too large.
        shape: Shape,
    },
}

impl fmt::Display for ConvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channels { input, weight: [out, per_group], groups } => write!(
                f,
                "{input} input channels and a weight of [{out}, {per_group}, …] do not fit {groups} groups: \
                 the weight must be [out, in / groups, …] with out and in multiples of groups"
            ),
            Self::Zero { kernel, stride, dilation } => {
                write!(f, "kernel ({kernel}), stride ({stride}) and dilation ({dilation}) must be at least 1")
            }
            Self::KernelTooLarge { size, kernel, padding, dilation } => write!(
                f,
                "a kernel of {kernel} taps with dilation {dilation} is larger than {size} pixels with padding {padding}"
            ),
            Self::PaddingTooLarge { kernel, padding, dilation } => write!(
                f,
                "padding {padding} is more than half of a window of {kernel} taps with dilation {dilation}, \
                 or leaves a window without a pixel"
            ),
            Self::TooLarge { shape } => write!(f, "shape {shape} has too many elements"),
        }
    }
}

impl std::error::Error for ConvError {}
