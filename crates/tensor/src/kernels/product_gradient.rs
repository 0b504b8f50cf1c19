//! The gradients of products of rows by division, wherever that loses no digits.

use super::linalg::{self, times_power};
use super::products::{Gradient, ManyRows, SIDE, multiply};
use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::loops::reduce::{LANES, merge_lanes};
use crate::loops::rows::map_slices;
use crate::machine::simd::Isa;

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
        let Some((product, exponent)) = product_and_exponent(x) else { return false };
        let v = self.0.0.v[index].to_f64();
        let of_v = linalg::exponent(v).unwrap_or(0);
        let v = times_power(v, -of_v);
        // 2 to the sum of the exponents, in halves, each of which is a normal number, or the gradient is 0 or infinite.
        let exponent = (exponent + of_v).clamp(-2040, 2040);
        let halves = [exponent / 2, exponent - exponent / 2].map(|n| f64::powi(2.0, n as i32));
        for (out, x) in out.iter_mut().zip(x) {
            *out = T::from_f64(v * (product / x.to_f64()) * halves[0] * halves[1]);
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
/// Elements are from its inverse up to this for [`product_and_exponent`], 2⁶⁰.
const NEAR_ONE: f64 = (1u64 << 60) as f64;
/// Factors of a lane that are multiplied before its exponent is taken out: so many stay in the range of normal numbers.
const FACTORS: usize = 8;

/// The significand of a normal number, with its sign, and the exponent.
#[inline(always)]
fn significand(x: f64) -> (f64, i64) {
    const EXPONENT: u64 = 0x7ff << 52;
    let bits = x.to_bits();
    (f64::from_bits(bits & !EXPONENT | 1023 << 52), (bits >> 52 & 0x7ff) as i64 - 1023)
}

/// A number and an exponent of 2 whose product is that of a row; none if an element is 0, infinite, NaN or far from 1.
#[inline(always)]
fn product_and_exponent<T: Float>(x: &[T]) -> Option<(f64, i64)> {
    let is_near = |x: f64| (x.abs() <= NEAR_ONE) & (x.abs() >= 1.0 / NEAR_ONE);
    let (mut lanes, mut exponents) = ([1.0; LANES], [0; LANES]);
    for piece in x.chunks(FACTORS * LANES) {
        // Of all, and not until one is not, so that it is a loop of vectors.
        if !piece.iter().fold(true, |near, x| near & is_near(x.to_f64())) {
            return None;
        }
        multiply(&mut lanes, piece);
        for (lane, exponent) in lanes.iter_mut().zip(&mut exponents) {
            let more;
            (*lane, more) = significand(*lane);
            *exponent += more;
        }
    }
    Some((merge_lanes(lanes, |a, b| a * b), exponents.iter().sum()))
}

compiled_here! {
    /// The gradients of the products of all elements of every row, times one number for each.
    pub(crate) fn product_gradients<T: Float>(x: &[T], v: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &ProductGradient(ManyRows(Gradient { v, of_last: true })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;
    use crate::kernels::products::SideBySide;
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

    #[test]
    fn products_of_any_size() {
        let product = |x: &[f64]| product_and_exponent(x).map(|(m, e)| (m.log2() + e as f64).round());
        assert_eq!(product(&[1.0; 96]), Some(0.0));
        assert_eq!(product(&[0.5; 3000]), Some(-3000.0));
        let far: Vec<f64> = (0..1024).map(|i| 2f64.powi(if i < 512 { -59 } else { 60 })).collect();
        assert_eq!(product(&far), Some(512.0));
        for outside in [0.0, f64::NAN, f64::INFINITY, 1e-310, 1e-19, -1e19] {
            let mut x = [1.0; 96];
            x[95] = outside;
            assert_eq!(product(&x), None, "{outside}");
        }
    }

    /// The product of all is no number of the type, that of the others times v is.
    #[test]
    fn gradients_of_products_out_of_range() {
        let mut x = vec![2f64.powi(-16); 70];
        x[3] = 2f64.powi(-60);
        let v = 2f64.powi(200);
        let gradient = Tensor::vector(&x).reshape([1, 70]).prod_gradient(&Tensor::from([[v]]), 1);
        assert_eq!(gradient.at([0, 3]), 2f64.powi(200 - 69 * 16));
        assert_eq!(gradient.at([0, 0]), 2f64.powi(200 - 68 * 16 - 60));
        for v in [0.0, f64::INFINITY, 5e-324, -1e308] {
            let gradient = Tensor::<f64>::ones([1, 80]).prod_gradient(&Tensor::from([[v]]), 1);
            assert!(gradient.to_vec().iter().all(|&g| g == v), "{v}");
        }
    }
}
