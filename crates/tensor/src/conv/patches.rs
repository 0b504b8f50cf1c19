//! The patches of an image as a matrix that exists only block by block in packing buffers.

use std::ops::Range;

use super::geometry::Conv2dGeometry;
use crate::element::Float;
use crate::gemm::{Source, copy_run};

/// Which pixel a tap meets along one axis: `(position · step + start + tap · tap_step) / divisor`, if that is a
/// whole number in the image; else a zero. `step` is 1 if `divisor` is not.
#[derive(Clone, Copy, Debug)]
struct Axis {
    size: isize,
    positions: usize,
    taps: usize,
    step: isize,
    start: isize,
    tap_step: isize,
    divisor: isize,
}

/// The matrix whose rows are the taps (channel, ky, kx) and whose columns are the positions (y, x) of the kernel,
/// with the pixel that the tap meets, or 0 beyond the edge.
pub(super) struct Patches<T> {
    image: *const T,
    y: Axis,
    x: Axis,
}

// SAFETY: the pixels are only read; whoever makes `Patches` keeps the image borrowed while it is in use.
unsafe impl<T: Float> Sync for Patches<T> {}

impl<T: Float> Patches<T> {
    /// What the weight meets when it moves over `image`, the first plane of a group of the input.
    pub(super) fn of_input(g: &Conv2dGeometry, image: *const T) -> Self {
        let options = g.options();
        let axis = |i: usize| Axis {
            size: g.input_shape()[2 + i] as isize,
            positions: g.output_shape()[2 + i],
            taps: g.weight_shape()[2 + i],
            step: options.stride[i] as isize,
            start: -(options.padding[i] as isize),
            tap_step: options.dilation[i] as isize,
            divisor: 1,
        };
        Self { image, y: axis(0), x: axis(1) }
    }

    /// What reaches each input pixel from `image`, the first plane of a group of the output's gradient: a pixel at
    /// `i` met tap `t` at position `(i + padding − t · dilation) / stride`.
    pub(super) fn of_output(g: &Conv2dGeometry, image: *const T) -> Self {
        let options = g.options();
        let axis = |i: usize| Axis {
            size: g.output_shape()[2 + i] as isize,
            positions: g.input_shape()[2 + i],
            taps: g.weight_shape()[2 + i],
            step: 1,
            start: options.padding[i] as isize,
            tap_step: -(options.dilation[i] as isize),
            divisor: options.stride[i] as isize,
        };
        Self { image, y: axis(0), x: axis(1) }
    }
}

impl Axis {
    /// The pixel that a tap meets at a position, if there is one.
    #[inline(always)]
    fn pixel(&self, position: usize, tap: usize) -> Option<usize> {
        let p = position as isize * self.step + self.start + tap as isize * self.tap_step;
        if self.divisor == 1 {
            return (p >= 0 && p < self.size).then_some(p as usize);
        }
        (p >= 0 && p % self.divisor == 0 && p / self.divisor < self.size).then(|| (p / self.divisor) as usize)
    }

    /// Writes the pixels of `row` that a tap meets at `len` positions from `first` on.
    ///
    /// # Safety
    /// `row` must have `size` pixels and `to` room for `len`.
    #[inline(always)]
    unsafe fn copy<T: Float>(&self, row: *const T, first: usize, len: usize, tap: usize, to: *mut T) {
        let start = first as isize * self.step + self.start + tap as isize * self.tap_step;
        let len = len as isize;
        // Position i of the run meets pixel (start + i · step) / divisor, which is whole for every `every`-th i from
        // `phase` on. Those from `low` to `high` are in the image.
        let (every, phase, first_pixel) = if self.divisor == 1 {
            (1, 0, start)
        } else {
            let phase = (-start).rem_euclid(self.divisor);
            (self.divisor, phase, (start + phase) / self.divisor)
        };
        let count = if len > phase { (len - phase - 1) / every + 1 } else { 0 };
        let pixels = if self.divisor == 1 { self.step } else { 1 };
        let low = if first_pixel >= 0 { 0 } else { (-first_pixel + pixels - 1) / pixels };
        let high = if self.size > first_pixel { (self.size - first_pixel - 1) / pixels + 1 } else { 0 };
        let (low, high) = (low.min(count), high.clamp(low.min(count), count));
        // SAFETY: position `phase + i · every` is below `len` for i below `count`; pixel `first_pixel + i · pixels` is
        // in the row for i from `low` to `high`.
        unsafe {
            if every == 1 && pixels == 1 {
                zero_run(to, low as usize);
                copy_run(row.offset(first_pixel + low), to.offset(low), (high - low) as usize);
                zero_run(to.offset(high), (len - high) as usize);
                return;
            }
            zero_run(to, len as usize);
            for i in low..high {
                *to.offset(phase + i * every) = *row.offset(first_pixel + i * pixels);
            }
        }
    }
}

/// Writes `len` zeros.
///
/// # Safety
/// They must be writable.
#[inline(always)]
unsafe fn zero_run<T: Float>(to: *mut T, len: usize) {
    for i in 0..len {
        // SAFETY: as the caller guarantees.
        unsafe { *to.add(i) = T::ZERO };
    }
}

// SAFETY: the runs cover the columns once, and each is filled for every row.
unsafe impl<T: Float> Source<T> for Patches<T> {
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        let width = self.x.size as usize;
        let plane = self.y.size as usize * width;
        let taps = self.y.taps * self.x.taps;
        // Positions in runs that stay in one row of positions.
        let mut done = 0;
        let (mut y, mut x) = (columns.start / self.x.positions, columns.start % self.x.positions);
        while done < columns.len() {
            let len = (self.x.positions - x).min(columns.len() - done);
            let (mut channel, tap) = (rows.start / taps, rows.start % taps);
            let (mut ky, mut kx) = (tap / self.x.taps, tap % self.x.taps);
            for r in 0..rows.len() {
                // SAFETY: the run of this row is within the caller's block; `pixel` is a row of the image.
                unsafe {
                    let to = to.add(r * stride + done);
                    match self.y.pixel(y, ky) {
                        Some(pixel) => {
                            self.x.copy(self.image.add(channel * plane + pixel * width), x, len, kx, to);
                        }
                        None => zero_run(to, len),
                    }
                }
                kx += 1;
                if kx == self.x.taps {
                    (kx, ky) = (0, ky + 1);
                    if ky == self.y.taps {
                        (ky, channel) = (0, channel + 1);
                    }
                }
            }
            done += len;
            (y, x) = (y + 1, 0);
        }
    }
}
