//! Cumulative sums and products of rows, and the gradients of products, in `f64`.
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
const SIDE: usize = 8;
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
trait SideBySide<T>: Sync {
    fn columns<const N: usize>(&self, first: usize, length: usize, x: &[T], out: &mut [T]);
}

/// A formula of rows: as many at once as a register has lanes, and one by one what is left.
struct ManyRows<F>(F);

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
struct Gradient<'a, T> {
    v: &'a [T],
    /// Whether there is one v for each row and not one for each element.
    of_last: bool,
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

/// The gradient of v times the product of a row: the product divided by each element, and where that is more than a rounding away
/// from the product of the others, as [`Gradient`] computes it.
struct ProductGradient<'a, T>(ManyRows<Gradient<'a, T>>);

impl<T: Float> ProductGradient<'_, T> {
    /// Whether the quotients are the gradient of this row, which is written then.
    #[inline(always)]
    fn by_division(&self, index: usize, x: &[T], out: &mut [T]) -> bool {
        if x.len() < SHORT {
            return false;
        }
        let Some(product) = product_in_range(x) else { return false };
        let v = self.0.0.v[index].to_f64();
        for (out, x) in out.iter_mut().zip(x) {
            *out = T::from_f64(v * (product / x.to_f64()));
        }
        true
    }
}

impl<T: Float> RowMap<T, T> for ProductGradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        if !self.by_division(index, x, out) {
            self.0.row::<I>(index, x, out);
        }
    }
    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        let blocks = x.chunks(SIDE * length).zip(out.chunks_mut(SIDE * length));
        for (first, (x, out)) in (first..).step_by(SIDE).zip(blocks) {
            let divided = |i: usize, out: &mut [T]| {
                let row = i * length..(i + 1) * length;
                self.by_division(first + i, &x[row.clone()], &mut out[row])
            };
            let count = x.len() / length;
            let done: [bool; SIDE] = std::array::from_fn(|i| i >= count || divided(i, out));
            if done.contains(&false) {
                // Together with those between them, which are divided again.
                self.0.rows::<I>(first, length, x, out);
                for i in (0..count).filter(|&i| done[i]) {
                    divided(i, out);
                }
            }
        }
    }
}

/// Rows too short for lanes.
const SHORT: usize = 2 * LANES;
/// Elements are from its inverse up to this for [`product_in_range`], 2⁶⁰.
const NEAR_ONE: f64 = (1u64 << 60) as f64;
/// Products that it looks at, as far, 2⁵⁰⁰.
const IN_RANGE: f64 = f64::from_bits((1023 + 500) << 52);
/// Factors of a lane between two looks: with so many, none between leaves the range of normal numbers.
const UNSEEN: usize = 8;

/// The product of a row, if neither an element nor a product on the way is so far from 1 that digits could be lost, or a quotient
/// of the product and an element could be.
#[inline(always)]
fn product_in_range<T: Float>(x: &[T]) -> Option<f64> {
    let within = |x: f64, limit: f64| (x.abs() <= limit) & (x.abs() >= 1.0 / limit);
    let mut lanes = [1.0; LANES];
    for piece in x.chunks(UNSEEN * LANES) {
        let mut near = true;
        let mut chunks = piece.chunks_exact(LANES);
        for chunk in &mut chunks {
            let wide = widened(chunk);
            for (lane, x) in lanes.iter_mut().zip(&wide) {
                *lane *= x;
            }
            near &= wide.iter().fold(true, |near, &x| near & within(x, NEAR_ONE));
        }
        for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
            let x = x.to_f64();
            *lane *= x;
            near &= within(x, NEAR_ONE);
        }
        if !lanes.iter().fold(near, |near, &x| near & within(x, IN_RANGE)) {
            return None;
        }
    }
    // NaN is the product with whatever it is multiplied.
    let product = merge_lanes(lanes, |a, b| if within(a * b, IN_RANGE) { a * b } else { f64::NAN });
    (!product.is_nan()).then_some(product)
}

/// The product of consecutive elements by lanes, merged in pairs.
#[inline(always)]
pub(crate) fn product_by_lanes<T: Float>(x: &[T]) -> f64 {
    let mut lanes = [1.0; LANES];
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(widened(chunk)) {
            *lane *= x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane *= x.to_f64();
    }
    merge_lanes(lanes, |a, b| a * b)
}

/// Apart from what is done with them: in one loop with it they are not widened by vectors.
#[inline(always)]
fn widened<T: Float>(chunk: &[T]) -> [f64; LANES] {
    let mut wide = [0.0; LANES];
    for (wide, x) in wide.iter_mut().zip(chunk) {
        *wide = x.to_f64();
    }
    wide
}

compiled_here! {
    /// The gradients of the products of all elements of every row, times one number for each.
    pub(crate) fn product_gradients<T: Float>(x: &[T], v: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &ProductGradient(ManyRows(Gradient { v, of_last: true })));
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
    use crate::machine::parallel::with_threads;
    use crate::random::Generator;

    /// Gradients of rows by [`product_gradients`], and of each row alone without division.
    fn both_ways<T: Float>(x: &Tensor<T>, v: &Tensor<T>) -> [Tensor<T>; 2] {
        let length = x.dim(1);
        let by_recurrence = |i: usize| {
            let row = x.select(0, i as isize).copied();
            let v = Tensor::vector(&[v.at([i, 0])]);
            let mut out = Tensor::zeros([1, length]);
            let gradient = Gradient { v: v.contiguous_slice(), of_last: true };
            gradient.columns::<1>(0, length, row.contiguous_slice(), out.as_mut_slice());
            out
        };
        let rows: Vec<Tensor<T>> = (0..x.dim(0)).map(by_recurrence).collect();
        [x.prod_gradient(v, 1), Tensor::cat(&rows, 0)]
    }

    /// Among rows that can be divided, some that cannot: with a 0, products that leave the range on the way, infinite elements.
    fn by_division_and_by_recurrence<T: Float>(precision: f64) {
        let generator = &mut Generator::seeded(5);
        for (rows, length) in [(1, 63), (1, 64), (20, 65), (9, 300), (17, 1000), (2, 9000)] {
            let mut x = Tensor::<T>::uniform([rows, length], 0.9, 1.1, generator);
            let v = Tensor::<T>::uniform([rows, 1], -1.0, 1.0, generator);
            let (near, far) = (2f64.powi(60), 2f64.powi(61));
            let elements = [0.0, -0.0, 1e-30, 1e30, f64::INFINITY, -2.0, near, 1.0 / near, far, 1.0 / far];
            for (i, far) in elements.into_iter().enumerate() {
                let row = &mut x.as_mut_slice()[2 * i % rows * length..][..length];
                row[i * 6] = T::from_f64(far);
                row[(i * 6 + 32) % length] = T::from_f64(if far.abs() > 1.0 { 1.0 / far } else { far });
            }
            let [divided, expected] = both_ways(&x, &v);
            let pairs = divided.contiguous_slice().iter().zip(expected.contiguous_slice());
            for (i, (a, b)) in pairs.map(|(a, b)| (a.to_f64(), b.to_f64())).enumerate() {
                let close = (a - b).abs() <= precision * length as f64 * b.abs();
                assert!(
                    close || a == b || (a.is_nan() && b.is_nan()),
                    "{rows} × {length}, element {i}: {a} for {b}"
                );
            }
            // Whatever rows a thread has beside it.
            let bits =
                |x: &Tensor<T>| x.to_vec().into_iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
            for threads in [1, 2, 3] {
                assert_eq!(bits(&with_threads(threads, || x.prod_gradient(&v, 1))), bits(&divided));
            }
            let row = |x: &Tensor<T>, i: usize| x.slice_axis(0, i..i + 1);
            let alone: Vec<Tensor<T>> = (0..rows).map(|i| row(&x, i).prod_gradient(&row(&v, i), 1)).collect();
            assert_eq!(bits(&Tensor::cat(&alone, 0)), bits(&divided));
        }
    }

    #[test]
    fn gradients_by_division_and_by_recurrence() {
        by_division_and_by_recurrence::<f64>(1e-15);
        by_division_and_by_recurrence::<f32>(1e-8);
    }

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

    #[test]
    fn products_on_the_way_that_lose_digits_are_not_divided() {
        let mut x = [1.0f64; 96];
        assert_eq!(product_in_range(&x), Some(1.0));
        (x[0], x[32], x[64]) = (1e-18, 1.0, 1e18);
        assert!(product_in_range(&x).is_some());
        // Each is near enough; in their lane they are not, and what is behind brings the product back.
        let far: Vec<f64> = (0..1024).map(|i| if i < 512 { 1e-18 } else { 1e18 }).collect();
        assert_eq!(product_in_range(&far), None);
        for outside in [0.0, f64::NAN, f64::INFINITY, 1e-19, -1e19] {
            x[95] = outside;
            assert_eq!(product_in_range(&x), None, "{outside}");
        }
    }
}
