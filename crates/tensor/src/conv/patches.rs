//! The patches of an image as a matrix that exists only block by block in packing buffers.

use std::ops::Range;

use super::geometry::Conv2dGeometry;
use crate::element::Float;
use crate::gemm::{Slot, Source, copy_run, with_scratch};

/// How a kernel moves over an image, and the frame of zeros that the image is put into first, so that every tap
/// meets a pixel at every position. Pairs are (height, width).
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    channels: usize,
    /// The image.
    size: [usize; 2],
    /// The image with the zeros.
    framed: [usize; 2],
    /// Where the first pixel is in the frame; beyond its edge if negative.
    start: [isize; 2],
    /// From one pixel to the next in the frame.
    spacing: [usize; 2],
    positions: [usize; 2],
    taps: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
}

impl Window {
    /// The kernel of the convolution moving over a group of the input.
    pub(super) fn over_input(g: &Conv2dGeometry) -> Self {
        let ([_, _, height, width], [_, _, kh, kw], [_, _, oh, ow]) =
            (g.input_shape(), g.weight_shape(), g.output_shape());
        let o = g.options();
        Self {
            channels: g.group_channels()[0],
            size: [height, width],
            framed: [height + 2 * o.padding[0], width + 2 * o.padding[1]],
            start: o.padding.map(|p| p as isize),
            spacing: [1, 1],
            positions: [oh, ow],
            taps: [kh, kw],
            stride: o.stride,
            dilation: o.dilation,
        }
    }

    /// The flipped kernel moving over a group of the output's gradient, one position for each pixel of the input: pixel
    /// i met tap t at position `(i + padding − t · dilation) / stride`, so the positions are put `stride` apart.
    pub(super) fn over_output(g: &Conv2dGeometry) -> Self {
        let ([_, _, height, width], [_, _, kh, kw], [_, _, oh, ow]) =
            (g.input_shape(), g.weight_shape(), g.output_shape());
        let o = g.options();
        let reach = [(kh - 1) * o.dilation[0], (kw - 1) * o.dilation[1]];
        Self {
            channels: g.group_channels()[1],
            size: [oh, ow],
            framed: [height + reach[0], width + reach[1]],
            start: [0, 1].map(|i| reach[i] as isize - o.padding[i] as isize),
            spacing: o.stride,
            positions: [height, width],
            taps: [kh, kw],
            stride: [1, 1],
            dilation: o.dilation,
        }
    }

    /// Calls `work` with the patches of the image, whose channels are the first planes of `planes`.
    pub(super) fn with_patches<T: Float>(&self, planes: &[T], work: impl FnOnce(&Patches<T>)) {
        let planes = &planes[..self.channels * self.size[0] * self.size[1]];
        if self.framed == self.size && self.start == [0, 0] && self.spacing == [1, 1] {
            return work(&Patches { image: planes.as_ptr(), window: *self });
        }
        let len = self.channels * self.framed[0] * self.framed[1];
        with_scratch(Slot::Image, len, |buffer| {
            // SAFETY: the buffer has room for the framed image and holds initialised numbers.
            let framed = unsafe { std::slice::from_raw_parts_mut(buffer, len) };
            framed.fill(T::ZERO);
            self.frame(planes, framed);
            work(&Patches { image: framed.as_ptr(), window: *self });
        });
    }

    /// Copies the pixels that fall into the frame.
    fn frame<T: Float>(&self, planes: &[T], framed: &mut [T]) {
        let place = |axis: usize, i: usize| self.start[axis] + (i * self.spacing[axis]) as isize;
        let visible = |axis: usize| {
            let inside = |i: &usize| (0..self.framed[axis] as isize).contains(&place(axis, *i));
            let first = (0..self.size[axis]).find(inside).unwrap_or(0);
            first..(first..self.size[axis]).rfind(inside).map_or(first, |last| last + 1)
        };
        let (rows, columns) = (visible(0), visible(1));
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let ([height, width], [frame_height, frame_width]) = (self.size, self.framed);
        let left = place(1, columns.start) as usize;
        for c in 0..self.channels {
            for y in rows.clone() {
                let from = &planes[(c * height + y) * width..][columns.clone()];
                let to = &mut framed[(c * frame_height + place(0, y) as usize) * frame_width + left..];
                if self.spacing[1] == 1 {
                    to[..from.len()].copy_from_slice(from);
                } else {
                    for (to, &x) in to.iter_mut().step_by(self.spacing[1]).zip(from) {
                        *to = x;
                    }
                }
            }
        }
    }
}

/// The matrix whose rows are the taps (channel, ky, kx) and whose columns are the positions (y, x) of the kernel,
/// with the pixel that the tap meets.
pub(super) struct Patches<T> {
    /// The framed image.
    image: *const T,
    window: Window,
}

// SAFETY: the pixels are only read, and `with_patches` keeps the image borrowed.
unsafe impl<T: Float> Sync for Patches<T> {}

// SAFETY: the runs cover the columns once, and each is filled for every row.
unsafe impl<T: Float> Source<T> for Patches<T> {
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        let Window { framed: [height, width], positions, taps: [kh, kw], stride: step, dilation, .. } =
            self.window;
        let (mut y, mut x) = (columns.start / positions[1], columns.start % positions[1]);
        let (channel, tap) = (rows.start / (kh * kw), rows.start % (kh * kw));
        let mut done = 0;
        // The columns in runs that stay in one row of positions.
        while done < columns.len() {
            let len = (positions[1] - x).min(columns.len() - done);
            let corner = y * step[0] * width + x * step[1];
            let mut plane = corner + channel * height * width;
            let (mut ky, mut kx) = (tap / kw, tap % kw);
            for r in 0..rows.len() {
                // SAFETY: the row of the block is the caller's; by the choice of the frame, every tap meets a pixel of
                // it at every position.
                unsafe {
                    let from = self.image.add(plane + ky * dilation[0] * width + kx * dilation[1]);
                    let to = to.add(r * stride + done);
                    if step[1] == 1 {
                        copy_run(from, to, len);
                    } else {
                        for i in 0..len {
                            *to.add(i) = *from.add(i * step[1]);
                        }
                    }
                }
                kx += 1;
                if kx == kw {
                    (kx, ky) = (0, ky + 1);
                    if ky == kh {
                        (ky, plane) = (0, plane + height * width);
                    }
                }
            }
            done += len;
            (y, x) = (y + 1, 0);
        }
    }
}
