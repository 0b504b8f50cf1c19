//! Products whose columns are the positions of a kernel, read from a framed image where it lies.
//!
//! Column `y · row + x` is position (y, x), where `row` is the frame's: so each row of the right operand is a run of
//! the framed image. The columns that are no positions, between the rows, are computed too and then left out. Of one channel with
//! few taps the sums are computed row by row instead.

use super::frame::Frame;
use super::pieces::{Piece, in_pieces};
use super::single::{FEW_TAPS, OneChannel};
use crate::array::element::Float;
use crate::kernels::gemm::{Output, PARALLEL_WORK, Product, Rows, Strided};
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, Level, dispatch};

/// Positions in a row from which on one channel is written where it belongs; fewer are computed together with what lies between
/// the rows.
const NARROW: usize = 16;

/// A convolution of one group of an image.
pub(super) struct Wide<'a, T> {
    /// The matrix of weights: a row of `distances.len()` for each output channel.
    pub(super) weight: &'a [T],
    /// One number to add to each output channel.
    pub(super) bias: Option<&'a [T]>,
    pub(super) frame: &'a Frame,
    /// The distance of each term's tap from the position.
    pub(super) distances: &'a [isize],
    pub(super) positions: [usize; 2],
    pub(super) to: Destination<T>,
}

/// Where the results go: the one of channel o at position (y, x) to `start + o · plane + y · row + x · column`.
pub(super) struct Destination<T> {
    pub(super) start: *mut T,
    pub(super) channels: usize,
    pub(super) plane: usize,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl<T: Float> Wide<'_, T> {
    /// Computes the convolution of the framed image, on several threads if `threaded`.
    ///
    /// # Safety
    /// The CPU must have `level`; `image` must be framed by `frame`, which was made for all those distances at all
    /// those positions, and whose span of them times the channels was checked; the weight must have all its elements,
    /// the destination too, and nobody else touches that.
    pub(super) unsafe fn run(&self, level: Level, image: *const T, threaded: bool) {
        let ([height, width], channels) = (self.positions, self.to.channels);
        if [height, width, channels].contains(&0) {
            return;
        }
        let (row, n) = (self.frame.row(), self.frame.span(self.positions));
        let one_channel = channels == 1 && self.distances.len() <= FEW_TAPS;
        let threaded_sums = threaded && n.saturating_mul(self.distances.len()) >= PARALLEL_WORK;
        let sums = |bias: Option<&[T]>, positions: [usize; 2], to: *mut T| OneChannel {
            weight: self.weight,
            distances: self.distances,
            bias: bias.map_or(T::ZERO, |bias| bias[0]),
            image,
            image_row: row,
            positions,
            to,
            to_row: self.to.row,
        };
        let gapless = row == width && self.to.row == width;
        if one_channel && self.to.column == 1 && (width >= NARROW || gapless) {
            let positions = if gapless { [1, n] } else { self.positions };
            // SAFETY: positions of the frame and the only channel of the destination, as the caller promises.
            return unsafe { sums(self.bias, positions, self.to.start).run(level, threaded_sums) };
        }
        let product = |c: Output<T>, beta: T| {
            let product = Product {
                m: channels,
                n,
                k: self.distances.len(),
                alpha: T::ONE,
                a: &Strided { start: self.weight.as_ptr(), row: self.distances.len() as isize, column: 1 },
                b: &Rows { start: image, list: self.distances },
                beta,
                c,
            };
            // SAFETY: the last column is the last position, so every row of B ends within the frame; the rest is the
            // caller's promise, and `c` has room for all columns.
            unsafe { if threaded { product.run(level) } else { product.run_here(level) } }
        };
        if gapless && self.to.column == 1 {
            if let Some(bias) = self.bias {
                for (o, &bias) in bias.iter().enumerate().take(channels) {
                    // SAFETY: a whole plane of the destination, since no row has a gap.
                    unsafe { std::slice::from_raw_parts_mut(self.to.start.add(o * self.to.plane), n) }
                        .fill(bias);
                }
            }
            let beta = if self.bias.is_some() { T::ONE } else { T::ZERO };
            return product(Output { start: self.to.start, row: self.to.plane as isize, column: 1 }, beta);
        }
        with_scratch(Slot::Product, channels * n, |wide: *mut T| {
            if one_channel {
                // SAFETY: as of the product, whose only row they are.
                unsafe { sums(None, [1, n], wide).run(level, threaded_sums) };
            } else {
                product(Output { start: wide, row: n as isize, column: 1 }, T::ZERO);
            }
            // SAFETY: the product, or the sums, have written all of it; its size was checked with the frame's.
            let wide = unsafe { std::slice::from_raw_parts(wide.cast_const(), channels * n) };
            parallel::for_each(channels, threaded && wide.len() >= parallel::PARALLEL_THRESHOLD, |o| {
                let bias = self.bias.map_or(T::ZERO, |bias| bias[o]);
                let from = &wide[o * n..][..n];
                // SAFETY: within the destination, of which `o` is a channel.
                let to = unsafe { self.to.start.add(o * self.to.plane) };
                dispatch(Cut {
                    from,
                    from_row: row,
                    bias,
                    positions: self.positions,
                    to: &self.to,
                    start: to,
                });
            });
        });
    }
}

// SAFETY: threads write disjoint channels of the destination, which whoever made it has borrowed mutably.
unsafe impl<T: Float> Sync for Destination<T> {}

/// Moves the positions of one channel to where they belong, and adds the bias.
struct Cut<'a, T> {
    from: &'a [T],
    from_row: usize,
    bias: T,
    positions: [usize; 2],
    to: &'a Destination<T>,
    start: *mut T,
}

impl<T: Float> Kernel for Cut<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let [height, width] = self.positions;
        for y in 0..height {
            let from = &self.from[y * self.from_row..][..width];
            // SAFETY: position (y, 0) of the destination, then all `width` of them from there on.
            unsafe {
                let to = self.start.add(y * self.to.row);
                if self.to.column == 1 {
                    in_pieces::<I>(&Biased { from, bias: self.bias, to }, width);
                } else {
                    for (x, &value) in from.iter().enumerate() {
                        *to.add(x * self.to.column) = value + self.bias;
                    }
                }
            }
        }
    }
}

/// `to = from + bias`, where `to` must have room for as many elements as `from`.
struct Biased<'a, T> {
    from: &'a [T],
    bias: T,
    to: *mut T,
}

impl<T: Float> Piece for Biased<'_, T> {
    #[inline(always)]
    unsafe fn piece<I: Isa, const N: usize>(&self, from: usize) {
        let mut sums: [T; N] = *self.from[from..].first_chunk().expect("a piece within the slice");
        for sum in &mut sums {
            *sum += self.bias;
        }
        // SAFETY: the piece's place, as the caller promises.
        unsafe { self.to.add(from).cast::<[T; N]>().write_unaligned(sums) };
    }
}
