//! The shapes of a three-dimensional convolution, and how it is cut into two-dimensional ones.

use std::ops::Range;

use crate::kernels::conv::geometry::{check_channels, check_sizes, positions};
use crate::kernels::conv::{Conv2dGeometry, Conv2dOptions, Conv3dOptions, ConvError};

/// The checked shapes of a three-dimensional convolution.
///
/// Volumes are `[batch, channels, depth, height, width]`, the weight is
/// `[out_channels, in_channels / groups, kernel depth, kernel height, kernel width]`, and the output has as many positions
/// along each axis as [`Conv2dGeometry`] tells.
///
/// ```
/// use wengert_tensor::conv::{Conv3dGeometry, Conv3dOptions};
///
/// let options = Conv3dOptions { stride: [2, 1, 1], ..Default::default() };
/// let g = Conv3dGeometry::new([8, 1, 9, 28, 28], [6, 1, 3, 5, 5], options)?;
/// assert_eq!(g.output_shape(), [8, 6, 4, 24, 24]);
/// # Ok::<(), wengert_tensor::conv::ConvError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv3dGeometry {
    input: [usize; 5],
    weight: [usize; 5],
    output: [usize; 5],
    options: Conv3dOptions,
}

impl Conv3dGeometry {
    /// Checks the shapes of a volume `[batch, channels, depth, height, width]` and of a weight
    /// `[out, in / groups, depth, height, width]`.
    ///
    /// # Errors
    /// If the channels do not fit the groups, a stride, dilation or kernel extent is 0, the kernel is larger
    /// than the padded volume, or a size overflows.
    pub fn new(input: [usize; 5], weight: [usize; 5], options: Conv3dOptions) -> Result<Self, ConvError> {
        check_channels(input[1], [weight[0], weight[1]], options.groups)?;
        let mut output = [input[0], weight[0], 0, 0, 0];
        for axis in 0..3 {
            let (size, kernel) = (input[2 + axis], weight[2 + axis]);
            let (stride, padding) = (options.stride[axis], options.padding[axis]);
            output[2 + axis] = positions(size, kernel, stride, padding, options.dilation[axis])?;
        }
        check_sizes([input, weight, output])?;
        Ok(Self { input, weight, output, options })
    }

    /// `[batch, channels, depth, height, width]` of the volume.
    pub fn input_shape(&self) -> [usize; 5] {
        self.input
    }

    /// `[out, in / groups, depth, height, width]` of the weight.
    pub fn weight_shape(&self) -> [usize; 5] {
        self.weight
    }

    /// `[batch, channels, depth, height, width]` of the output.
    pub fn output_shape(&self) -> [usize; 5] {
        self.output
    }

    /// Stride, padding, dilation and groups.
    pub fn options(&self) -> Conv3dOptions {
        self.options
    }

    /// Pixels of one slice (one depth of one channel) of the input, of the output and of the weight.
    pub(super) fn slices(&self) -> [usize; 3] {
        [self.input, self.output, self.weight].map(|[.., height, width]| height * width)
    }

    /// The taps along the depth that meet a slice of the input at a position.
    fn taps(&self, position: usize) -> Range<usize> {
        let ([size, kernel], o) = ([self.input[2], self.weight[2]], &self.options);
        let (padding, dilation) = (o.padding[0], o.dilation[0]);
        // Padded depth and dilated kernel were found to fit into `isize`, and so does the last position's corner.
        let corner = position * o.stride[0].min(size + 2 * padding);
        let first = padding.saturating_sub(corner).div_ceil(dilation).min(kernel);
        let end = (size + padding).saturating_sub(corner).div_ceil(dilation).min(kernel);
        first..end.max(first)
    }

    /// The slice of the input that a tap meets at a position where it meets one.
    pub(super) fn depth(&self, position: usize, tap: usize) -> usize {
        let o = &self.options;
        position * o.stride[0].min(self.input[2] + 2 * o.padding[0]) + tap * o.dilation[0] - o.padding[0]
    }
}

/// Some positions along the depth of some volumes, at which the same taps meet slices of the input. They make one
/// two-dimensional convolution: an image for each position of each volume, whose channels are the slices that the taps
/// meet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slab {
    pub(super) volumes: Range<usize>,
    pub(super) positions: Range<usize>,
    pub(super) taps: Range<usize>,
}

/// Elements of the images of a slab, unless those of one position are more.
const SLAB: usize = 1 << 20;

impl Slab {
    /// All of a convolution whose output has elements. They depend on the shapes alone.
    pub(super) fn all(g: &Conv3dGeometry) -> Vec<Slab> {
        let ([volumes, channels, ..], [in_slice, out_slice, _]) = (g.input, g.slices());
        let (mut slabs, mut start) = (Vec::new(), 0);
        while start < g.output[2] {
            let taps = g.taps(start);
            let same = (start..g.output[2]).take_while(|&position| g.taps(position) == taps).count();
            // Each tap meets a slice of its own, so the first is no larger than a volume of the input.
            let image = (channels * taps.len() * in_slice).max(g.output[1] * out_slice);
            let images = (SLAB / image.max(1)).max(1);
            let at_once = images.min(same);
            let together = (images / at_once).max(1);
            for position in (start..start + same).step_by(at_once) {
                let positions = position..(position + at_once).min(start + same);
                for volume in (0..volumes).step_by(together) {
                    let volumes = volume..(volume + together).min(volumes);
                    slabs.push(Slab { volumes, positions: positions.clone(), taps: taps.clone() });
                }
            }
            start += same;
        }
        slabs
    }

    /// The two-dimensional convolution.
    pub(super) fn plane(&self, g: &Conv3dGeometry) -> Conv2dGeometry {
        let [_, channels, _, height, width] = g.input;
        let [outs, ins, _, kernel_height, kernel_width] = g.weight;
        let (images, taps) = (self.volumes.len() * self.positions.len(), self.taps.len());
        let (o, last) = (&g.options, |pair: [usize; 3]| [pair[1], pair[2]]);
        let options = Conv2dOptions {
            stride: last(o.stride),
            padding: last(o.padding),
            dilation: last(o.dilation),
            groups: o.groups,
        };
        let (input, weight) =
            ([images, channels * taps, height, width], [outs, ins * taps, kernel_height, kernel_width]);
        Conv2dGeometry::new(input, weight, options).expect("a part of what was checked")
    }
}
