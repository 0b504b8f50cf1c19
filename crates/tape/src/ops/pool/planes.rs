//! Windows, and the poolings of planes that make up one of any number of axes.

use wengert_tensor::Shape;
use wengert_tensor::conv::ConvError;
use wengert_tensor::pool::Pool2dGeometry;

use crate::describe::Attributes;

/// How a pooling window moves over the last `D` axes; arrays are in their order, so for two (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions<const D: usize> {
    /// Extent of the window.
    pub kernel: [usize; D],
    /// Pixels from one position of the window to the next; by default the kernel, so that windows do not overlap.
    pub stride: [usize; D],
    /// Pixels added round the image, on both sides: −∞ for the maximum, 0 for the mean; at most half of the window.
    /// Default 0.
    pub padding: [usize; D],
    /// Pixels from one element of the window to the next. Default 1.
    pub dilation: [usize; D],
    /// Whether the number of positions is rounded up: a last window may reach beyond the padded image, if it starts inside
    /// of the image or of the padding before it. Default false.
    pub ceil_mode: bool,
}

impl<const D: usize> PoolOptions<D> {
    /// Adjacent windows of this extent.
    pub fn new(kernel: [usize; D]) -> Self {
        PoolOptions { kernel, stride: kernel, padding: [0; D], dilation: [1; D], ceil_mode: false }
    }

    /// The same along some of the axes, as a window of planes; along those that are missing it has one element.
    fn of(&self, axes: [Option<usize>; 2]) -> PoolOptions<2> {
        let pick = |of: &[usize; D]| axes.map(|axis| axis.map_or(1, |axis| of[axis]));
        PoolOptions {
            kernel: pick(&self.kernel),
            stride: pick(&self.stride),
            padding: axes.map(|axis| axis.map_or(0, |axis| self.padding[axis])),
            dilation: pick(&self.dilation),
            ceil_mode: self.ceil_mode,
        }
    }
}

/// A pooling of planes, as which images of some shape are seen for it.
#[derive(Clone)]
pub(super) struct Window {
    pub(super) geometry: Pool2dGeometry,
    options: PoolOptions<2>,
}

impl Window {
    fn new(options: PoolOptions<2>, shape: [usize; 4]) -> Result<Self, ConvError> {
        let PoolOptions { kernel, stride, padding, dilation, ceil_mode } = options;
        let geometry = if ceil_mode {
            Pool2dGeometry::rounded_up(shape, kernel, stride, padding, dilation)
        } else {
            Pool2dGeometry::new(shape, kernel, stride, padding, dilation)
        };
        Ok(Window { geometry: geometry?, options })
    }

    pub(super) fn describe(&self, attributes: &mut Attributes) {
        let PoolOptions { kernel, stride, padding, dilation, ceil_mode } = &self.options;
        attributes.set("image", &self.geometry.input_shape()[..]);
        attributes.set("kernel", &kernel[..]);
        attributes.set("stride", &stride[..]);
        attributes.set("padding", &padding[..]);
        attributes.set("dilation", &dilation[..]);
        attributes.set("ceil_mode", *ceil_mode);
    }
}

/// What a pooling over the last axes of `[batch, channels, size…]` is made of.
pub(super) struct Planes {
    /// One after the other: of the slices, and for volumes then along the depth.
    pub(super) windows: Vec<Window>,
    pub(super) output: Shape,
}

impl Planes {
    /// Panics if there are not `D + 2` axes, or the window does not fit; `operation` names the caller's operation.
    #[track_caller]
    pub(super) fn new<const D: usize>(operation: &str, options: &PoolOptions<D>, image: &Shape) -> Self {
        const { assert!(D >= 1 && D <= 3, "pooling is over one, two or three axes") };
        if image.len() != D + 2 {
            panic!("{operation}: image {image} does not have {} axes", ["three", "four", "five"][D - 1]);
        }
        match Self::checked(options, image) {
            Ok(planes) => planes,
            Err(error) => panic!("{operation}: image {image}: {error}"),
        }
    }

    fn checked<const D: usize>(options: &PoolOptions<D>, image: &Shape) -> Result<Self, ConvError> {
        let [batch, channels] = [image[0], image[1]];
        let window = |axes, shape| Window::new(options.of(axes), shape);
        let windows = match image[2..] {
            [length] => vec![window([None, Some(0)], [batch, channels, 1, length])?],
            [height, width] => vec![window([Some(0), Some(1)], [batch, channels, height, width])?],
            [depth, height, width] => {
                // No product of a tensor's lengths overflows.
                let slices = window([Some(1), Some(2)], [batch, channels * depth, height, width])?;
                let [.., height, width] = slices.geometry.output_shape();
                let volume = Shape::from([batch, channels, depth, height, width]);
                if !volume.fits() || height.checked_mul(width).is_none() {
                    return Err(ConvError::TooLarge { shape: volume });
                }
                vec![slices, window([Some(0), None], [batch, channels, depth, height * width])?]
            }
            _ => unreachable!("the number of axes was checked"),
        };
        let mut output = image.clone();
        match (&windows[..], D) {
            ([only], 1) => output = output.with(2, only.geometry.output_shape()[3]),
            ([only], _) => output = only.geometry.output_shape().into(),
            ([slices, depths], _) => {
                let ([.., height, width], [_, _, depth, _]) =
                    (slices.geometry.output_shape(), depths.geometry.output_shape());
                output = output.with(2, depth).with(3, height).with(4, width);
            }
            _ => unreachable!("one or two"),
        }
        Ok(Planes { windows, output })
    }
}
