//! Which pixels the taps of a kernel meet, along one axis.

use super::Conv2dGeometry;
use super::frame::Tap;

/// One axis of a convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Pixels of the image.
    pub(super) size: usize,
    /// Positions of the kernel.
    pub(super) positions: usize,
    taps: usize,
    pub(super) stride: usize,
    padding: usize,
    dilation: usize,
}

impl Axis {
    /// The axes of height and width.
    pub(super) fn both(g: &Conv2dGeometry) -> [Self; 2] {
        let o = g.options();
        [0, 1].map(|i| Self {
            size: g.input_shape()[2 + i],
            positions: g.output_shape()[2 + i],
            taps: g.weight_shape()[2 + i],
            stride: o.stride[i],
            padding: o.padding[i],
            dilation: o.dilation[i],
        })
    }

    /// Where the taps meet the input, split into `stride` phases: tap t of position q meets pixel
    /// `q · stride + t · dilation − padding`.
    pub(super) fn over_input(&self) -> Vec<Tap> {
        let stride = self.stride as isize;
        let place = |t: usize| (t * self.dilation) as isize - self.padding as isize;
        (0..self.taps)
            .map(|t| Tap { phase: place(t).rem_euclid(stride) as usize, shift: place(t).div_euclid(stride) })
            .collect()
    }

    /// Where the taps met the pixels `start, start + stride, …` of the input, as shifts over the output's gradient:
    /// tap t met pixel i at position `(i + padding − t · dilation) / stride`, if that is whole. Each comes with t.
    pub(super) fn over_output(&self, start: usize) -> Vec<(usize, Tap)> {
        let stride = self.stride as isize;
        let place = |t: usize| (start + self.padding) as isize - (t * self.dilation) as isize;
        (0..self.taps)
            .filter(|&t| place(t).rem_euclid(stride) == 0)
            .map(|t| (t, Tap { phase: 0, shift: place(t).div_euclid(stride) }))
            .collect()
    }

    /// How many pixels there are in `start, start + stride, …`.
    pub(super) fn pixels_from(&self, start: usize) -> usize {
        self.size.saturating_sub(start).div_ceil(self.stride)
    }
}
