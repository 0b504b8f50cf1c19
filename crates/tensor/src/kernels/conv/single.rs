//! Convolutions of one output channel with few taps, as of each channel by itself: a product of matrices would pack more than it
//! computes.

use super::pieces::{Piece, in_pieces};
use crate::array::element::Float;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, Level, dispatch_at};

/// Terms up to which a sum is one of single terms, added in their order as a product adds up those of one pass.
pub(super) const FEW_TAPS: usize = 256;
/// Positions that a thread takes at once, about.
const SHARE: usize = 4096;

/// `bias + Σₖ weight[k] · image[y · image_row + x + distances[k]]` at positions (y, x), for `to[y · to_row + x]`.
pub(super) struct OneChannel<'a, T> {
    pub(super) weight: &'a [T],
    pub(super) distances: &'a [isize],
    pub(super) bias: T,
    pub(super) image: *const T,
    /// Elements from one row to the next.
    pub(super) image_row: usize,
    /// Rows, and positions in each.
    pub(super) positions: [usize; 2],
    pub(super) to: *mut T,
    pub(super) to_row: usize,
}

// SAFETY: threads write disjoint positions of a result that whoever made this has borrowed mutably.
unsafe impl<T: Float> Sync for OneChannel<'_, T> {}

impl<T: Float> OneChannel<'_, T> {
    /// Computes all of them, on several threads if `threaded`.
    ///
    /// # Safety
    /// The CPU must have `level`. All those elements of `image` must be readable, those of `to` writable and distinct, and nobody
    /// else touches these.
    pub(super) unsafe fn run(&self, level: Level, threaded: bool) {
        let [height, width] = self.positions;
        if width == 0 {
            return;
        }
        // Several whole rows, or a part of one.
        let [rows, columns] = if width <= SHARE { [SHARE / width, width] } else { [1, SHARE] };
        let across = width.div_ceil(columns);
        parallel::for_each(height.div_ceil(rows) * across, threaded, |share| {
            let (y, x) = (share / across * rows, share % across * columns);
            let part =
                Part { of: self, rows: [y, height.min(y + rows)], columns: [x, width.min(x + columns)] };
            // SAFETY: the caller's promise.
            unsafe { dispatch_at(level, part) }
        });
    }
}

/// Some rows, from a column on.
struct Part<'a, T> {
    of: &'a OneChannel<'a, T>,
    rows: [usize; 2],
    columns: [usize; 2],
}

impl<T: Float> Kernel for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (sums, [first, end]) = (self.of, self.columns);
        for y in self.rows[0]..self.rows[1] {
            // SAFETY: positions of the sums, as `OneChannel::run`, where this is made, was promised.
            unsafe {
                let row = Row {
                    weight: sums.weight,
                    distances: sums.distances,
                    bias: sums.bias,
                    image: sums.image.add(y * sums.image_row + first),
                    to: sums.to.add(y * sums.to_row + first),
                };
                in_pieces::<I>(&row, end - first);
            }
        }
    }
}

/// Neighbouring positions. All elements of `image` that they meet must be readable, and their places in `to` writable.
struct Row<'a, T> {
    weight: &'a [T],
    distances: &'a [isize],
    bias: T,
    image: *const T,
    to: *mut T,
}

impl<T: Float> Piece for Row<'_, T> {
    #[inline(always)]
    unsafe fn piece<I: Isa, const N: usize>(&self, from: usize) {
        let mut sums = [T::ZERO; N];
        for (&weight, &distance) in self.weight.iter().zip(self.distances) {
            // SAFETY: the caller's promise; any bits are a number.
            let x = unsafe { &*self.image.offset(distance).add(from).cast::<[T; N]>() };
            for (sum, &x) in sums.iter_mut().zip(x) {
                *sum = I::mul_add(weight, x, *sum);
            }
        }
        for sum in &mut sums {
            *sum += self.bias;
        }
        // SAFETY: as above.
        unsafe { self.to.add(from).cast::<[T; N]>().write_unaligned(sums) };
    }
}
