//! Cumulative sums and products of rows, and the gradients of these, in `f64`.
//!
//! Each step waits for the one before it, so several rows are computed at once, side by side in the lanes of a register.

use super::scan::Number;
use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::loops::reduce::{LANES, merge_lanes};
use crate::loops::rows::map_slices;
use crate::loops::spare::Partials;
use crate::machine::simd::Isa;

/// Rows that are computed at once.
pub(super) const SIDE: usize = 8;
/// Columns of them that are turned at once.
const COLUMNS: usize = 16;

/// Some columns of rows side by side.
type Tile<const N: usize> = [[f64; N]; COLUMNS];

/// Columns from number `from` on of rows of this length; what is behind the last of them stays.
#[inline(always)]
fn read<T: Float, const N: usize>(rows: &[T], length: usize, from: usize, tile: &mut Tile<N>) -> usize {
    let count = COLUMNS.min(length - from);
    for k in 0..N {
        let row = &rows[k * length + from..][..count];
        for (lanes, x) in tile.iter_mut().zip(row) {
            lanes[k] = x.to_f64();
        }
    }
    count
}

/// Writes columns back.
#[inline(always)]
fn write<T: Float, const N: usize>(tile: &Tile<N>, rows: &mut [T], length: usize, from: usize) {
    let count = COLUMNS.min(length - from);
    for k in 0..N {
        let row = &mut rows[k * length + from..][..count];
        for (x, lanes) in row.iter_mut().zip(tile) {
            *x = T::from_f64(lanes[k]);
        }
    }
}

/// A formula of rows that computes `N` of them at once, of which the first has the number `first`.
pub(super) trait SideBySide<T>: Sync {
    fn columns<const N: usize>(&self, first: usize, length: usize, x: &[T], out: &mut [T]);
}

/// A formula of rows: as many at once as a register has lanes, and one by one what is left.
pub(super) struct ManyRows<F>(pub(super) F);

impl<T: Float, F: SideBySide<T>> RowMap<T, T> for ManyRows<F> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        self.0.columns::<1>(index, x.len(), x, out);
    }
    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        let whole = x.len() / (SIDE * length) * SIDE;
        let (x_many, x_rest) = x.split_at(whole * length);
        let (out_many, out_rest) = out.split_at_mut(whole * length);
        let blocks = x_many.chunks_exact(SIDE * length).zip(out_many.chunks_exact_mut(SIDE * length));
        for (i, (x, out)) in blocks.enumerate() {
            self.0.columns::<SIDE>(first + i * SIDE, length, x, out);
        }
        let rest = x_rest.chunks_exact(length).zip(out_rest.chunks_exact_mut(length));
        for (i, (x, out)) in rest.enumerate() {
            self.0.columns::<1>(first + whole + i, length, x, out);
        }
    }
}

/// Every element combined with all before it.
struct Scan<F> {
    start: f64,
    combine: F,
}

impl<T: Float, F: Fn(f64, f64) -> f64 + Sync> SideBySide<T> for Scan<F> {
    #[inline(always)]
    fn columns<const N: usize>(&self, _: usize, length: usize, x: &[T], out: &mut [T]) {
        let (mut tile, mut total) = ([[0.0; N]; COLUMNS], [self.start; N]);
        for from in (0..length).step_by(COLUMNS) {
            read(x, length, from, &mut tile);
            for lanes in &mut tile {
                for (total, x) in total.iter_mut().zip(lanes) {
                    *total = (self.combine)(*total, *x);
                    *x = *total;
                }
            }
            write(&tile, out, length, from);
        }
    }
}

/// The gradient of ∑ vᵢ·sᵢ, sᵢ being the product of the row's elements up to xᵢ: x̄ᵢ = rᵢ·sᵢ₋₁, where rᵢ = vᵢ + xᵢ₊₁·rᵢ₊₁. Of the
/// product of all, v is that of the last alone.
pub(super) struct Gradient<'a, T> {
    pub(super) v: &'a [T],
    /// Whether there is one v for each row and not one for each element.
    pub(super) of_last: bool,
}

impl<T: Float> SideBySide<T> for Gradient<'_, T> {
    /// Forwards for the products up to each tile, then tile by tile backwards.
    #[inline(always)]
    fn columns<const N: usize>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        let (mut tile, mut v_tile) = ([[0.0; N]; COLUMNS], [[f64::NOTHING; N]; COLUMNS]);
        let mut before = Partials::equal([1.0; N], length.div_ceil(COLUMNS));
        let mut product = [1.0; N];
        for (i, before) in before.iter_mut().enumerate() {
            *before = product;
            let count = read(x, length, i * COLUMNS, &mut tile);
            for lanes in &tile[..count] {
                for (product, x) in product.iter_mut().zip(lanes) {
                    *product *= x;
                }
            }
        }
        // What comes from behind, and the element there; behind the last nothing.
        let (mut behind, mut factor) = ([f64::NOTHING; N], [1.0; N]);
        for (i, &before) in before.iter().enumerate().rev() {
            let from = i * COLUMNS;
            let count = read(x, length, from, &mut tile);
            if !self.of_last {
                read(&self.v[first * length..], length, from, &mut v_tile);
            } else if from + count == length {
                for (to, v) in v_tile[count - 1].iter_mut().zip(&self.v[first..]) {
                    *to = v.to_f64();
                }
            } else {
                v_tile = [[f64::NOTHING; N]; COLUMNS];
            }
            let mut products = [before; COLUMNS];
            for c in 1..count {
                for k in 0..N {
                    products[c][k] = products[c - 1][k] * tile[c - 1][k];
                }
            }
            for c in (0..count).rev() {
                for k in 0..N {
                    behind[k] = behind[k].next(v_tile[c][k], factor[k]);
                    factor[k] = tile[c][k];
                    tile[c][k] = behind[k] * products[c][k];
                }
            }
            write(&tile, out, length, from);
        }
    }
}

compiled_here! {
    /// The sums of each element and all before it in every row.
    pub(crate) fn cumulative_sums<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &ManyRows(Scan { start: 0.0, combine: |a: f64, b: f64| a + b }));
    }
}

compiled_here! {
    /// The products of each element and all before it in every row.
    pub(crate) fn cumulative_products<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &ManyRows(Scan { start: 1.0, combine: |a: f64, b: f64| a * b }));
    }
}

/// The product of consecutive elements by lanes, merged in pairs.
#[inline(always)]
pub(crate) fn product_by_lanes<T: Float>(x: &[T]) -> f64 {
    let mut lanes = [1.0; LANES];
    multiply(&mut lanes, x);
    merge_lanes(lanes, |a, b| a * b)
}

/// Multiplies each lane by its elements.
#[inline(always)]
pub(super) fn multiply<T: Float>(lanes: &mut [f64; LANES], x: &[T]) {
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        // Apart from the products: in one loop with them they are not widened by vectors.
        let mut wide = [0.0; LANES];
        for (wide, x) in wide.iter_mut().zip(chunk) {
            *wide = x.to_f64();
        }
        for (lane, x) in lanes.iter_mut().zip(&wide) {
            *lane *= x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane *= x.to_f64();
    }
}

compiled_here! {
    /// The gradients of the sums of v and the cumulative products of every row.
    pub(crate) fn cumulative_product_gradients<T: Float>(x: &[T], v: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &ManyRows(Gradient { v, of_last: false }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::random::Generator;

    /// What the loop by lanes adds up has the bits of single steps.
    #[test]
    fn products_by_lanes() {
        for length in [0, 1, 31, 32, 33, 100, 4096] {
            let x = Tensor::<f32>::uniform([length], 0.5, 1.5, &mut Generator::seeded(1));
            let mut lanes = [1.0f64; LANES];
            for (i, &x) in x.contiguous_slice().iter().enumerate() {
                lanes[i % LANES] *= f64::from(x);
            }
            assert_eq!(product_by_lanes(x.contiguous_slice()), merge_lanes(lanes, |a, b| a * b));
        }
    }
}
