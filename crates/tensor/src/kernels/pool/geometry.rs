//! The shapes of a two-dimensional pooling.

use std::iter::Chain;
use std::ops::Range;

use crate::kernels::conv::{ConvError, check_sizes, positions};

/// The checked shapes of a two-dimensional pooling: a window that moves over each plane of an image
/// `[batch, channels, height, width]`. Pairs are (height, width).
///
/// The output has along each axis `⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1` positions.
///
/// ```
/// use wengert_tensor::pool::Pool2dGeometry;
///
/// let g = Pool2dGeometry::new([64, 32, 24, 24], [2, 2], [2, 2], [0, 0], [1, 1])?;
/// assert_eq!(g.output_shape(), [64, 32, 12, 12]);
/// # Ok::<(), wengert_tensor::conv::ConvError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dGeometry {
    pub(super) input: [usize; 4],
    pub(super) output: [usize; 4],
    pub(super) axes: [Axis; 2],
}

/// The window along one axis. Padded image and dilated window fit into `isize`, so no product or sum of a position, a tap
/// and the padding overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    /// Pixels.
    pub(super) size: usize,
    /// Positions of the window.
    pub(super) positions: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
}

impl Pool2dGeometry {
    /// Checks the shape of the image and of the window.
    ///
    /// # Errors
    /// If a kernel extent, stride or dilation is 0, the window is larger than the padded image, the padding is
    /// more than half of the window or leaves a window without a pixel, or a size overflows (a plane must have less than 2³² pixels).
    pub fn new(
        input: [usize; 4],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Self, ConvError> {
        Self::checked(positions, input, [kernel, stride, padding, dilation])
    }

    /// As [`new`](Self::new), with positions rounded up (PyTorch's `ceil_mode`): a last window may reach beyond the
    /// padded image, if it starts inside of the image or of the padding before it.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// ```
    /// use wengert_tensor::pool::Pool2dGeometry;
    ///
    /// let g = Pool2dGeometry::rounded_up([1, 1, 5, 4], [2, 2], [2, 2], [0, 0], [1, 1])?;
    /// assert_eq!(g.output_shape(), [1, 1, 3, 2]);
    /// # Ok::<(), wengert_tensor::conv::ConvError>(())
    /// ```
    pub fn rounded_up(
        input: [usize; 4],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Self, ConvError> {
        Self::checked(positions_rounded_up, input, [kernel, stride, padding, dilation])
    }

    fn checked(
        positions: fn(usize, usize, usize, usize, usize) -> Result<usize, ConvError>,
        input: [usize; 4],
        [kernel, stride, padding, dilation]: [[usize; 2]; 4],
    ) -> Result<Self, ConvError> {
        let axis = |i: usize| -> Result<Axis, ConvError> {
            let (size, kernel, stride) = (input[2 + i], kernel[i], stride[i]);
            let (padding, dilation) = (padding[i], dilation[i]);
            let positions = positions(size, kernel, stride, padding, dilation)?;
            let axis = Axis { size, positions, kernel, stride, padding, dilation };
            if padding > ((kernel - 1) * dilation).div_ceil(2) || axis.misses_pixels() {
                return Err(ConvError::PaddingTooLarge { kernel, padding, dilation });
            }
            Ok(axis)
        };
        // Positions are stored in `u32`.
        let plane = input[2].checked_mul(input[3]).filter(|&plane| u32::try_from(plane).is_ok());
        if plane.is_none() {
            return Err(ConvError::TooLarge { shape: input.into() });
        }
        check_sizes([input])?;
        let axes = [axis(0)?, axis(1)?];
        let output = [input[0], input[1], axes[0].positions, axes[1].positions];
        check_sizes([output])?;
        Ok(Self { input, output, axes })
    }

    /// `[batch, channels, height, width]` of the image.
    pub fn input_shape(&self) -> [usize; 4] {
        self.input
    }

    /// `[batch, channels, height, width]` of the output.
    pub fn output_shape(&self) -> [usize; 4] {
        self.output
    }

    /// Pixels of an input and of an output plane.
    pub(super) fn planes(&self) -> [usize; 2] {
        [self.input[2] * self.input[3], self.output[2] * self.output[3]]
    }
}

/// [`positions`], and one more if that window reaches only beyond the end but does not start there.
///
/// # Errors
/// As [`positions`].
fn positions_rounded_up(
    size: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Result<usize, ConvError> {
    match positions(size, kernel, stride, padding, dilation) {
        Ok(whole) => {
            // In `u128`: nothing about the stride was checked.
            let next = whole as u128 * stride as u128;
            let reach = ((kernel - 1) * dilation + 1) as u128;
            let more = next + reach < (size + 2 * padding) as u128 + stride as u128;
            Ok(if more && next < (size + padding) as u128 { whole + 1 } else { whole })
        }
        // A single window may be larger than the padded image, by less than the stride.
        Err(error @ ConvError::KernelTooLarge { .. }) => {
            let reach = (kernel - 1).checked_mul(dilation).and_then(|reach| reach.checked_add(1));
            let padded = padding.checked_mul(2).and_then(|padding| padding.checked_add(size));
            match (reach, padded) {
                (Some(reach), Some(padded))
                    if reach > padded
                        && reach - padded < stride
                        && size > 0
                        && reach <= isize::MAX as usize =>
                {
                    Ok(1)
                }
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

impl Axis {
    /// How many taps count at a position where the padding does: those within the padded image, which are all but where
    /// positions were rounded up.
    pub(super) fn counted(&self, position: usize) -> usize {
        let left = (self.size + 2 * self.padding).saturating_sub(position * self.stride);
        left.div_ceil(self.dilation).min(self.kernel)
    }

    /// The positions at which a tap meets a pixel.
    #[inline(always)]
    pub(super) fn inside(&self, tap: usize) -> Range<usize> {
        let tap = tap * self.dilation;
        let low = self.padding.saturating_sub(tap).div_ceil(self.stride);
        // Pixels up to the last one, counted from the first position's.
        let high = match (self.size + self.padding).checked_sub(tap + 1) {
            Some(last) => (last / self.stride + 1).min(self.positions),
            None => 0,
        };
        low.min(high)..high
    }

    /// The pixel that a tap meets at a position where it meets one.
    #[inline(always)]
    pub(super) fn pixel(&self, position: usize, tap: usize) -> usize {
        position * self.stride + tap * self.dilation - self.padding
    }

    /// The taps that meet a pixel at a position.
    #[inline(always)]
    pub(super) fn taps_at(&self, position: usize) -> Range<usize> {
        let corner = position * self.stride;
        let first = self.padding.saturating_sub(corner).div_ceil(self.dilation);
        let pixel = corner + first * self.dilation - self.padding;
        let count = if pixel < self.size { (self.size - pixel - 1) / self.dilation + 1 } else { 0 };
        first..first + count.min(self.kernel.saturating_sub(first))
    }

    /// Whether a window holds no pixel, where the padding is at most half of it: then each window begins or ends within
    /// the image or has it between its ends, and so may miss it only by taps that are further apart than it is wide.
    fn misses_pixels(&self) -> bool {
        // Those that begin before the image.
        let windows = self.padding.div_ceil(self.stride).min(self.positions);
        if self.dilation <= self.size || windows == 0 {
            return false;
        }
        // Where the first tap that is not before the image is: for the first window, and then further on by the stride
        // until the tap before takes its place.
        let first = (self.dilation - self.padding % self.dilation) % self.dilation;
        if first >= self.size {
            return true;
        }
        let inside = (self.size - first).div_ceil(self.stride);
        inside < windows && first + inside * self.stride < self.dilation
    }

    /// The taps that meet a pixel at any position, and few others, in ascending order.
    #[inline(always)]
    pub(super) fn taps(&self) -> Chain<Range<usize>, Range<usize>> {
        let last = self.positions - 1;
        let first =
            |position: usize| self.padding.saturating_sub(position * self.stride).div_ceil(self.dilation);
        let end = (self.size + self.padding).div_ceil(self.dilation).min(self.kernel);
        if self.stride <= self.size || last == 0 {
            return (0..0).chain(first(last)..end);
        }
        // Where positions are rounded up, the last may be so far from the others that many taps meet none of both.
        let (others, at_last) = (first(last - 1)..end, self.taps_at(last));
        if at_last.end < others.start { at_last.chain(others) } else { (0..0).chain(at_last.start..end) }
    }
}
