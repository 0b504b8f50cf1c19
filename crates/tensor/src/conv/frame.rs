//! Images with zeros round them, so that each tap of a kernel meets its pixels at one distance from the positions.
//!
//! Where a kernel moves by `s` pixels, the image is split into the `s` phases of its pixels along each axis, in each of
//! which the kernel moves by one. In every plane, rows follow each other with a gap of zeros that serves as the right
//! edge of one and as the left edge of the next.

use crate::element::Float;
use crate::gemm::{Slot, copy_run, with_scratch};

/// Where a tap meets the pixels along one axis: at position q, pixel `q + shift` of the phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub(super) phase: usize,
    pub(super) shift: isize,
}

/// The layout of an image with its zeros. Pairs are (height, width).
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    channels: usize,
    /// Pixels of the image.
    size: [usize; 2],
    /// Phases along each axis.
    split: [usize; 2],
    /// From the start of a plane to its first pixel.
    origin: usize,
    /// From one row to the next.
    row: usize,
    /// From one plane to the next.
    plane: usize,
    /// Whether it is the layout of the image itself.
    bare: bool,
}

/// Planes with distances near a multiple of this many bytes share few sets of the L1 cache.
const COLLISION: usize = 1024;

impl Frame {
    /// The frame of an image of `channels` planes of `size`, for at most `positions` of all those taps.
    pub(super) fn new(
        channels: usize,
        size: [usize; 2],
        split: [usize; 2],
        positions: [usize; 2],
        taps: [&[Tap]; 2],
    ) -> Self {
        let phase = [size[0].div_ceil(split[0]), size[1].div_ceil(split[1])];
        let zeros = |axis: usize| {
            let (mut low, mut high) = (0, 0);
            for tap in taps[axis] {
                low = low.max(-tap.shift);
                high = high.max(positions[axis] as isize + tap.shift - phase[axis] as isize);
            }
            [low as usize, high as usize]
        };
        let ([above, below], [left, right]) = (zeros(0), zeros(1));
        let row = (phase[1] + left.max(right)).max(positions[1]);
        let origin = above * row + left;
        // The last row has no other after it whose edge it could use.
        let exact = origin + (phase[0] + below) * row;
        let collides = channels > 8 && (exact * size_of::<f32>()).is_multiple_of(COLLISION);
        let bare = split == [1, 1] && origin == 0 && row == size[1] && below == 0 && !collides;
        let plane = if collides { exact + COLLISION / size_of::<f32>() / 8 } else { exact };
        Self { channels, size, split, origin, row, plane, bare }
    }

    /// From one row to the next.
    pub(super) fn row(&self) -> usize {
        self.row
    }

    /// The distance of a tap of a channel from position (y, x), which is at `y · row + x`.
    pub(super) fn distance(&self, channel: usize, [y, x]: [Tap; 2]) -> isize {
        let plane = (channel * self.split[0] + y.phase) * self.split[1] + x.phase;
        (plane * self.plane + self.origin) as isize + y.shift * self.row as isize + x.shift
    }

    /// Calls `work` with the framed image, whose channels are the first planes of `planes`.
    pub(super) fn with_image<T: Float>(&self, planes: &[T], work: impl FnOnce(*const T)) {
        let planes = &planes[..self.channels * self.size[0] * self.size[1]];
        if self.bare {
            return work(planes.as_ptr());
        }
        let len = self.channels * self.split[0] * self.split[1] * self.plane;
        with_scratch(Slot::Image, len, |buffer| {
            // SAFETY: the buffer has room for the framed image and holds initialised numbers.
            let framed = unsafe { std::slice::from_raw_parts_mut(buffer, len) };
            framed.fill(T::ZERO);
            self.fill(planes, framed);
            work(framed.as_ptr());
        });
    }

    /// Copies the pixels into the frame.
    fn fill<T: Float>(&self, planes: &[T], framed: &mut [T]) {
        let ([height, width], [down, across]) = (self.size, self.split);
        if width == 0 {
            return;
        }
        for (i, pixels) in planes.chunks_exact(width).enumerate() {
            let (channel, y) = (i / height, i % height);
            for phase in 0..across.min(width) {
                let plane = (channel * down + y % down) * across + phase;
                let to = &mut framed[plane * self.plane + self.origin + y / down * self.row..];
                let to = &mut to[..(width - phase).div_ceil(across)];
                if across == 1 {
                    // SAFETY: both slices have `width` elements.
                    unsafe { copy_run(pixels.as_ptr(), to.as_mut_ptr(), width) };
                } else {
                    let pixels = pixels[phase..].iter().step_by(across);
                    to.iter_mut().zip(pixels).for_each(|(to, &x)| *to = x);
                }
            }
        }
    }
}
