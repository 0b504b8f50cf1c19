//! Images with zeros round them, so that each tap of a kernel meets its pixels at one distance from the positions.
//!
//! Where a kernel moves by `s` pixels, the image is split into phases of every `s`-th pixel along each axis, in each of
//! which the kernel moves by one. Only the phases that taps meet are there. In every plane, rows follow each other with
//! a gap of zeros that serves as the right edge of one and as the left edge of the next.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::array::size;
use crate::kernels::gemm::copy_run;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Where a tap meets the pixels along one axis: at position q, pixel `q + shift` of the phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    /// Which of the phases that there are.
    pub(super) phase: usize,
    pub(super) shift: isize,
}

/// One axis of an image to be framed.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// Pixels of the image.
    pub(super) size: usize,
    /// From one pixel of a phase to the next.
    pub(super) stride: usize,
    /// The first pixels of the phases.
    pub(super) starts: SmallVec<[usize; 8]>,
    /// At most that many positions of each tap.
    pub(super) positions: usize,
}

impl Side {
    /// Pixels of a phase, some of which may be missing at the end.
    fn phase(&self) -> usize {
        self.size.div_ceil(self.stride)
    }

    /// The shift of a tap, or, of one that meets no pixel at any position, the nearest such: so the zeros that it meets
    /// need not reach further than the positions.
    fn limited(&self, shift: isize) -> isize {
        shift.clamp(-(self.positions as isize), self.phase() as isize)
    }

    /// How many zeros the taps need before and after a phase.
    fn zeros(&self, taps: &[Tap]) -> [usize; 2] {
        let (mut low, mut high) = (0, 0);
        for tap in taps {
            let shift = self.limited(tap.shift);
            low = low.max(-shift);
            high = high.max(self.positions as isize + shift - self.phase() as isize);
        }
        [low as usize, high as usize]
    }
}

/// The layout of an image with its zeros. Pairs are (height, width).
#[derive(Clone, Debug)]
pub(super) struct Frame {
    channels: usize,
    sides: [Side; 2],
    /// From the start of a plane to its first pixel.
    origin: usize,
    /// From one row to the next.
    row: usize,
    /// From one plane to the next.
    plane: usize,
    /// Of all planes together.
    len: usize,
    /// Whether it is the layout of the image itself.
    bare: bool,
}

/// Planes with distances near a multiple of this many bytes share few sets of the L1 cache.
const COLLISION: usize = 1024;

impl Frame {
    /// The frame of an image of `channels` planes for all those taps. Its size grows with those of the image and of
    /// the positions, not with stride, padding or dilation.
    ///
    /// # Panics
    /// If it has too many elements; `operation` names the caller's operation.
    #[track_caller]
    pub(super) fn new(operation: &str, channels: usize, sides: [Side; 2], taps: [&[Tap]; 2]) -> Self {
        let [y, x] = &sides;
        let ([above, below], [left, right]) = (y.zeros(taps[0]), x.zeros(taps[1]));
        // Lengths of tensors and zeros, of which there are no more than positions: their sums cannot overflow.
        let row = (x.phase() + left.max(right)).max(x.positions);
        // Room for `left` as well, so that nothing below overflows either.
        size::product(operation, &[above + y.phase() + below + 1, row]);
        let origin = above * row + left;
        // The last row has no other after it whose edge it could use.
        let exact = origin + (y.phase() + below) * row;
        let collides = channels > 8 && exact.is_multiple_of(COLLISION / size_of::<f32>());
        let bare = (y.stride, x.stride) == (1, 1) && origin == 0 && row == x.size && below == 0 && !collides;
        let plane = if collides { exact + COLLISION / size_of::<f32>() / 8 } else { exact };
        let len = size::product(operation, &[channels, y.starts.len(), x.starts.len(), plane]);
        Self { channels, sides, origin, row, plane, len, bare }
    }

    /// From one row to the next.
    pub(super) fn row(&self) -> usize {
        self.row
    }

    /// From the first of some positions to behind the last.
    pub(super) fn span(&self, [height, width]: [usize; 2]) -> usize {
        (height - 1) * self.row + width
    }

    /// The distance of a tap of a channel from position (y, x), which is at `y · row + x`.
    pub(super) fn distance(&self, channel: usize, [y, x]: [Tap; 2]) -> isize {
        let [down, across] = &self.sides;
        let plane = (channel * down.starts.len() + y.phase) * across.starts.len() + x.phase;
        let corner = (plane * self.plane + self.origin) as isize;
        corner + down.limited(y.shift) * self.row as isize + across.limited(x.shift)
    }

    /// Calls `work` with the framed image, whose channels are the first planes of `planes`.
    pub(super) fn with_image<T: Float>(&self, planes: &[T], work: impl FnOnce(*const T)) {
        let planes = &planes[..self.channels * self.sides[0].size * self.sides[1].size];
        if self.bare {
            return work(planes.as_ptr());
        }
        with_scratch(Slot::Image, self.len, |buffer| {
            // SAFETY: the buffer has room for the framed image, whose length `new` checked, and holds initialised
            // numbers.
            let framed = unsafe { std::slice::from_raw_parts_mut(buffer, self.len) };
            framed.fill(T::ZERO);
            dispatch(Fill { frame: self, planes, framed });
            work(framed.as_ptr());
        });
    }

    /// Copies the pixels into the frame.
    #[inline(always)]
    fn fill<T: Float>(&self, planes: &[T], framed: &mut [T]) {
        let [down, across] = &self.sides;
        let (width, size) = (across.size, down.size * across.size);
        if size == 0 {
            return;
        }
        let mut plane = 0;
        for pixels in planes.chunks_exact(size) {
            for &top in &down.starts {
                let rows = pixels.chunks_exact(width).skip(top).step_by(down.stride);
                for (y, pixels) in rows.enumerate() {
                    for (phase, &start) in
                        across.starts.iter().enumerate().filter(|(_, start)| **start < width)
                    {
                        let to = &mut framed[(plane + phase) * self.plane + self.origin + y * self.row..];
                        let to = &mut to[..(width - start).div_ceil(across.stride)];
                        if across.stride == 1 {
                            // SAFETY: both slices have `width` elements.
                            unsafe { copy_run(pixels.as_ptr(), to.as_mut_ptr(), width) };
                        } else {
                            let pixels = pixels[start..].iter().step_by(across.stride);
                            to.iter_mut().zip(pixels).for_each(|(to, &x)| *to = x);
                        }
                    }
                }
                plane += across.starts.len();
            }
        }
    }
}

/// [`Frame::fill`], in registers of the instruction set.
struct Fill<'a, T> {
    frame: &'a Frame,
    planes: &'a [T],
    framed: &'a mut [T],
}

impl<T: Float> Kernel for Fill<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.frame.fill(self.planes, self.framed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(size: usize, stride: usize, positions: usize) -> Side {
        Side { size, stride, starts: smallvec::smallvec![0], positions }
    }

    #[test]
    fn far_taps_and_long_strides_take_no_memory() {
        let far = [Tap { phase: 0, shift: isize::MIN / 2 }, Tap { phase: 0, shift: isize::MAX / 2 }];
        let frame = Frame::new("f", 1, [side(4, 1, 3), side(5, 1 << 62, 1)], [&far, &far]);
        // Three rows of zeros above and below; one pixel with a zero on each side.
        assert_eq!((frame.row, frame.len), (2, 1 + (3 + 4 + 3) * 2));
        assert_eq!(frame.distance(0, [far[1], far[1]]) + 2 * 2, frame.len as isize - 1);
    }

    #[test]
    #[should_panic(expected = "conv2d: 2 · 1152921504606846975 are too many elements")]
    fn too_many_elements() {
        let near = [Tap { phase: 0, shift: 0 }];
        let sides = [side(1, 1, 1), side(size::MAX_ELEMENTS, 1, size::MAX_ELEMENTS)];
        Frame::new("conv2d", 2, sides, [&near, &near]);
    }
}
