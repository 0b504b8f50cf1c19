//! Reductions of many short rows.

use super::reduce::{Fold, LANES};
use crate::array::element::Element;
use crate::machine::simd::{Isa, Kernel};

/// Rows of at most [`LANES`] elements one after the other, some at once, each with the bits of [`block_by_steps`].
pub(super) struct FoldShortRows<'a, T, R, F> {
    pub(super) out: &'a mut [R],
    pub(super) data: &'a [T],
    pub(super) length: usize,
    pub(super) fold: &'a F,
}

/// Short rows that are folded at once.
const ABREAST: usize = 16;

impl<T: Element, F: Fold<T>> Kernel for FoldShortRows<'_, T, F::Output, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (fold, length) = (self.fold, self.length);
        let mut outputs = self.out.chunks_exact_mut(ABREAST);
        let mut rows = self.data.chunks_exact(ABREAST * length);
        // What lies behind the row has nothing to add to it, and stays what it is.
        let mut lanes = [[fold.identity(); ABREAST]; LANES];
        for (out, rows) in (&mut outputs).zip(&mut rows) {
            for (k, lane) in lanes.iter_mut().enumerate().take(length) {
                for (r, partial) in lane.iter_mut().enumerate() {
                    *partial = fold.step::<I>(fold.identity(), rows[r * length + k]);
                }
            }
            let mut width = length.next_power_of_two();
            while width > 1 {
                width /= 2;
                let (low, high) = lanes.split_at_mut(width);
                for (low, high) in low.iter_mut().zip(high).take(length) {
                    for (a, &mut b) in low.iter_mut().zip(high) {
                        *a = fold.merge(*a, b);
                    }
                }
            }
            for (o, &partial) in out.iter_mut().zip(&lanes[0]) {
                *o = fold.finish(partial, length);
            }
        }
        for (o, row) in outputs.into_remainder().iter_mut().zip(rows.remainder().chunks_exact(length)) {
            *o = fold.finish(fold.block::<I>(row), length);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;

    /// Many short rows at once, and each by itself.
    #[test]
    fn short_rows_have_the_bits_of_each_alone() {
        for (rows, length) in
            [(16, 1), (37, 2), (50, 3), (33, 7), (64, 8), (20, 31), (40, 32), (17, 33), (3000, 5)]
        {
            let mut x = Tensor::<f32>::normal(
                [rows, length],
                0.0,
                1.0,
                &mut crate::random::Generator::seeded(length as u64),
            );
            x.as_mut_slice()[rows / 2 * length] = f32::NAN;
            x.as_mut_slice()[length - 1] = -0.0;
            for axis_first in [false, true] {
                // Also with the rows of a view that begins later.
                let x = if axis_first { x.slice_axis(0, 1..) } else { x.clone() };
                let (sums, largest) = (x.sum_axes(1, false), x.max_axes(1, false));
                let products = x.prod_axes(1, false);
                for i in 0..x.shape()[0] {
                    let row = x.select(0, i as isize);
                    assert_eq!(
                        sums.at([i]).to_bits(),
                        row.sum().item().to_bits(),
                        "sum {i} of {rows} × {length}"
                    );
                    assert_eq!(
                        products.at([i]).to_bits(),
                        row.prod().item().to_bits(),
                        "product {i} of {rows} × {length}"
                    );
                    assert_eq!(
                        largest.at([i]).to_bits(),
                        row.max().item().to_bits(),
                        "max {i} of {rows} × {length}"
                    );
                }
            }
        }
    }
}
