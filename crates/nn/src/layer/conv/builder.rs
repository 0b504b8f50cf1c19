//! The options of convolutions.

use wengert_tape::PadMode;
use wengert_tensor::Float;
use wengert_tensor::conv::ConvOptions;

use super::border::{Border, Width};
use super::convolution::Conv;
use super::{Start, check_groups};
use crate::layer::extents::named;
use crate::layer::{Extents, Sides};
use crate::params::Scope;

/// The options of a [`Conv`] layer; one number stands for all axes.
#[derive(Clone, Debug)]
pub struct ConvBuilder<const D: usize> {
    channels: [usize; 2],
    kernel: [usize; D],
    pub(super) options: ConvOptions<D>,
    border: Border<D>,
    pub(super) start: Start,
}

impl<const D: usize> ConvBuilder<D> {
    pub(super) fn new(channels: [usize; 2], kernel: [usize; D]) -> Self {
        ConvBuilder {
            channels,
            kernel,
            options: ConvOptions::default(),
            border: Border { width: Width::Sides(Sides::from(0)), mode: PadMode::Constant(0.0) },
            start: Start::default(),
        }
    }

    /// Pixels from one position of the kernel to the next. Default 1.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.options.stride = stride.into().0;
        self
    }

    /// Pixels round the image, on both sides. Default 0.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Extents<D>>) -> Self {
        self.border.width = Width::Sides(Sides(padding.into().0.map(|width| [width; 2])));
        self
    }

    /// Pixels before and after the image along each axis, instead of as many on both sides.
    #[must_use]
    pub fn padding_sides(mut self, sides: impl Into<Sides<D>>) -> Self {
        self.border.width = Width::Sides(sides.into());
        self
    }

    /// As many pixels round the image as it takes for an output of its size (PyTorch's `padding="same"`); the stride must
    /// be 1. A border of an odd number of pixels has one more at the end.
    #[must_use]
    pub fn same(mut self) -> Self {
        self.border.width = Width::Same;
        self
    }

    /// What stands in the border; zeros by default.
    #[must_use]
    pub fn padding_mode(mut self, mode: PadMode) -> Self {
        self.border.mode = mode;
        self
    }

    /// Makes the layer's parameters.
    ///
    /// # Panics
    /// If the channels are not multiples of the groups, the stride is not 1 where the output is to be of the image's size, or
    /// the place already has a `weight` or `bias`.
    #[track_caller]
    pub fn build<T: Float>(self, p: Scope<'_, T>) -> Conv<D> {
        const { assert!(D >= 1 && D <= 3, "convolutions are over one, two or three axes") };
        let operation = named::<D>(["conv1d", "conv2d", "conv3d"]);
        let ([inputs, outputs], groups) = (self.channels, self.options.groups);
        check_groups(operation, self.channels, groups);
        if matches!(self.border.width, Width::Same) && self.options.stride != [1; D] {
            let stride = self.options.stride;
            panic!("{operation}: an output of the image's size takes a stride of 1, not {stride:?}");
        }
        let (weight, bias) = self.start.build(p, [outputs, inputs / groups], &self.kernel, outputs);
        Conv { weight, bias, kernel: self.kernel, options: self.options, border: self.border }
    }
}
