//! A few numbers for each channel, and the one pass over all elements that they say.

use std::array::from_fn;
use std::ops::Range;

use super::frame::{Frame, LANES};
use crate::array::element::Float;
use crate::loops::rows::{RowMap, map_slices, row_of};
use crate::machine::parallel::{self, PARALLEL_THRESHOLD};
use crate::machine::simd::Isa;

/// slope·((x − mean) − rest) + shift + Σ factor·(y − mean of y), for the elements of one channel; and what is summed
/// over the channel.
#[derive(Clone, Copy)]
pub(super) struct Coefficients<T, const A: usize> {
    pub(super) x: [T; 4],
    pub(super) y: [[T; 2]; A],
    pub(super) sums: [T; 2],
    /// Whether squares left the range of numbers.
    pub(super) lost: bool,
}

/// What is found of each channel.
pub(super) trait OfChannels<T: Float, const A: usize>: Sync {
    fn block(&self, frame: Frame, channels: Range<usize>, out: &mut [Coefficients<T, A>]);
}

pub(super) fn coefficients<T: Float, const A: usize>(
    frame: Frame,
    f: &impl OfChannels<T, A>,
) -> Vec<Coefficients<T, A>> {
    let nothing = Coefficients { x: [T::ZERO; 4], y: [[T::ZERO; 2]; A], sums: [T::ZERO; 2], lost: false };
    let mut table = vec![nothing; frame.channels];
    if frame.elements() > 0 {
        let parallel = frame.elements() >= PARALLEL_THRESHOLD;
        parallel::for_each_chunk(&mut table, frame.block(), parallel, |first, out| {
            f.block(frame, first..first + out.len(), out);
        });
    }
    table
}

/// Writes what the coefficients say.
pub(super) fn combine<T: Float, const A: usize>(
    frame: Frame,
    table: &[Coefficients<T, A>],
    x: &[T],
    arrays: [&[T]; A],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    if frame.span >= LANES {
        return map_slices(x, frame.span, out, &OneChannel { table, arrays });
    }
    let column = |of: &dyn Fn(&Coefficients<T, A>) -> T| -> Vec<T> {
        table.iter().flat_map(|c| std::iter::repeat_n(of(c), frame.span)).collect()
    };
    let x_columns = from_fn(|i| column(&|c| c.x[i]));
    let y_columns = from_fn(|a| from_fn(|i| column(&|c| c.y[a][i])));
    map_slices(x, frame.channels * frame.span, out, &AllChannels { x: x_columns, y: y_columns, arrays });
}

/// Rows of one channel of one example.
struct OneChannel<'a, T, const A: usize> {
    table: &'a [Coefficients<T, A>],
    arrays: [&'a [T]; A],
}

impl<T: Float, const A: usize> RowMap<T, T> for OneChannel<'_, T, A> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let Coefficients { x: [slope, mean, rest, shift], y, .. } = self.table[index % self.table.len()];
        let length = out.len();
        let arrays = self.arrays.map(|array| row_of(array, index, length));
        let x = &x[..length];
        for i in 0..length {
            let mut sum = I::mul_add(slope, (x[i] - mean) - rest, shift);
            for a in 0..A {
                sum = I::mul_add(y[a][0], arrays[a][i] - y[a][1], sum);
            }
            out[i] = sum;
        }
    }
}

/// Rows of all channels of one example, with each coefficient for each element.
struct AllChannels<'a, T, const A: usize> {
    x: [Vec<T>; 4],
    y: [[Vec<T>; 2]; A],
    arrays: [&'a [T]; A],
}

impl<T: Float, const A: usize> RowMap<T, T> for AllChannels<'_, T, A> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let length = out.len();
        let [slope, mean, rest, shift] = self.x.each_ref().map(|column| &column[..length]);
        let y = self.y.each_ref().map(|columns| columns.each_ref().map(|column| &column[..length]));
        let arrays = self.arrays.map(|array| row_of(array, index, length));
        let x = &x[..length];
        for i in 0..length {
            let mut sum = I::mul_add(slope[i], (x[i] - mean[i]) - rest[i], shift[i]);
            for a in 0..A {
                sum = I::mul_add(y[a][0][i], arrays[a][i] - y[a][1][i], sum);
            }
            out[i] = sum;
        }
    }
}
