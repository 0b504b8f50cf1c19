//! Cofactors and their derivative along a direction, of one matrix, in double precision.

use wengert_tensor::Float;
use wengert_tensor::linalg::{Scales, exponent, times_power};

use super::adjugate::WellConditioned;
use super::far::Far;

/// How much smaller than the largest element left a pivot in the place that the scales have for it may be.
const THRESHOLD: f64 = 0.25;

/// P A Q = L D U by complete pivoting, of a matrix divided by its scales. Complete pivoting gives well-conditioned triangles,
/// so that what is made of D, which may be singular, has its digits (Demmel and others, "Computing the singular value
/// decomposition with high relative accuracy", 1999).
struct Factors {
    n: usize,
    /// The row, and the column, of A in each place.
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// The determinant of P and Q.
    sign: f64,
    /// L⁻¹ and U⁻¹.
    left: Vec<f64>,
    right: Vec<f64>,
    d: Vec<f64>,
    /// The exponents that the rows and columns of A were divided by, in A's order.
    scales: [Vec<i64>; 2],
}

impl Factors {
    fn of(wide: Vec<f64>, n: usize) -> Self {
        let scales = Scales::of(&wide, n);
        let (mut b, scales, places) = match scales {
            None => (wide, [vec![0; n], vec![0; n]], None),
            Some(scales) => (scales.divide(&wide), [scales.rows, scales.columns], Some(scales.places)),
        };
        let mut factors = Factors {
            n,
            rows: (0..n).collect(),
            columns: (0..n).collect(),
            sign: 1.0,
            left: Vec::new(),
            right: Vec::new(),
            d: vec![0.0; n],
            scales,
        };
        factors.eliminate(&mut b, places.as_deref());
        factors.left = inverse_of_unit_lower(n, |i, j| b[i * n + j]);
        let transposed = inverse_of_unit_lower(n, |i, j| b[j * n + i]);
        factors.right = self::transposed(&transposed, n);
        factors
    }

    /// Replaces B by L below its diagonal and U above it.
    fn eliminate(&mut self, b: &mut [f64], places: Option<&[usize]>) {
        let n = self.n;
        for k in 0..n {
            let Some([row, column]) = self.pivot(b, k, places) else { return };
            if row != k {
                (0..n).for_each(|j| b.swap(k * n + j, row * n + j));
                self.rows.swap(k, row);
                self.sign = -self.sign;
            }
            if column != k {
                (0..n).for_each(|i| b.swap(i * n + k, i * n + column));
                self.columns.swap(k, column);
                self.sign = -self.sign;
            }
            let (above, below) = b.split_at_mut((k + 1) * n);
            let pivot = above[k * n + k];
            self.d[k] = pivot;
            let right = &mut above[k * n + k + 1..];
            for row in below.chunks_exact_mut(n) {
                row[k] /= pivot;
                let factor = row[k];
                row[k + 1..].iter_mut().zip(&*right).for_each(|(x, &y)| *x -= factor * y);
            }
            right.iter_mut().for_each(|x| *x /= pivot);
        }
    }

    /// The place of the largest element that is left or, if it is not much smaller, of the largest in a place of the scales;
    /// `None` if all are 0.
    fn pivot(&self, b: &[f64], k: usize, places: Option<&[usize]>) -> Option<[usize; 2]> {
        let n = self.n;
        let size = |[i, j]: [usize; 2]| b[i * n + j].abs();
        let larger = |a, b| if size(b) > size(a) { b } else { a };
        // The row first, as the largest of a row is found sooner than its place.
        let of_row = |i: usize| (i, largest(&b[i * n + k..(i + 1) * n]));
        let (row, most) = (k..n).map(of_row).reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let largest = [row, (k..n).find(|&j| size([row, j]) == most)?];
        let preferred = places.and_then(|places| {
            let paired = |i: usize| (k..n).find(|&j| self.columns[j] == places[self.rows[i]]).map(|j| [i, j]);
            (k..n).filter_map(paired).reduce(larger)
        });
        let chosen = preferred.filter(|&place| size(place) >= THRESHOLD * size(largest)).unwrap_or(largest);
        (size(chosen) > 0.0).then_some(chosen)
    }

    /// The products of D before each place, and of D from each place on.
    fn products(&self) -> [Vec<Far>; 2] {
        let running = |places: &mut dyn Iterator<Item = usize>| -> Vec<Far> {
            let mut product = Far::ONE;
            let next = |k: usize| {
                let so_far = product;
                product = product.times(self.d[k]);
                so_far
            };
            let mut products: Vec<Far> = places.map(next).collect();
            products.push(product);
            products
        };
        let before = running(&mut (0..self.n));
        let mut from = running(&mut (0..self.n).rev());
        from.reverse();
        [before, from]
    }

    /// L⁻ᵀ M U⁻ᵀ of a matrix of `numbers` at their places, in the order, unit and orientation of A.
    fn back<T: Float>(&self, numbers: &[([usize; 2], Far)], unit: i64, out: &mut [T]) {
        let n = self.n;
        let largest = numbers.iter().filter(|(_, x)| x.mantissa != 0.0).map(|(_, x)| x.exponent).max();
        let inner_unit = largest.unwrap_or(0);
        let mut inner = vec![0.0; n * n];
        for ([i, j], x) in numbers {
            inner[i * n + j] += times_power(x.mantissa, x.exponent - inner_unit);
        }
        let [left, right] = [&self.left, &self.right].map(|x| transposed(x, n));
        let turned = times(&times(&left, &inner, n), &right, n);
        let [rows, columns] = &self.scales;
        let total = rows.iter().chain(columns).sum::<i64>() + inner_unit + unit;
        for (e, &x) in turned.iter().enumerate() {
            let (i, j) = (self.rows[e / n], self.columns[e % n]);
            out[i * n + j] = Far::of(self.sign * x).in_range(total - rows[i] - columns[j]);
        }
    }

    /// L⁻¹ H U⁻¹ in the scales of A, and its unit.
    fn within<T: Float>(&self, h: &[T]) -> (Vec<f64>, i64) {
        let n = self.n;
        let [rows, columns] = &self.scales;
        let scale = |e: usize| -rows[e / n] - columns[e % n];
        let exponents = h.iter().enumerate().filter_map(|(e, &x)| Some(exponent(x)? + scale(e)));
        let unit = exponents.max().unwrap_or(0);
        let place = |e: usize| self.rows[e / n] * n + self.columns[e % n];
        let h: Vec<f64> =
            (0..n * n).map(place).map(|e| times_power(h[e].to_f64(), scale(e) - unit)).collect();
        (times(&times(&self.left, &h, n), &self.right, n), unit)
    }
}

/// The cofactors of an n × n matrix; of none, there are none.
pub(super) fn cofactors<T: Float>(a: &[T], n: usize, out: &mut [T]) {
    if n == 0 {
        return;
    }
    let wide: Vec<f64> = a.iter().map(|x| x.to_f64()).collect();
    if let Some(matrix) = WellConditioned::of(&wide, n) {
        return matrix.cofactors(out);
    }
    let factors = Factors::of(wide, n);
    let [before, from] = factors.products();
    let numbers: Vec<_> = (0..n).map(|i| ([i, i], before[i].times_far(from[i + 1]))).collect();
    factors.back(&numbers, 0, out);
}

/// The derivative of the cofactors along H. At a diagonal matrix that of cofactor (i, i) is Σⱼ hⱼⱼ pᵢⱼ, and that of (i, j) is
/// −hⱼᵢ pᵢⱼ, where pᵢⱼ is the product of all but two diagonal elements.
pub(super) fn cofactors_along<T: Float>(a: &[T], h: &[T], n: usize, out: &mut [T]) {
    if n == 0 {
        return;
    }
    let wide: Vec<f64> = a.iter().map(|x| x.to_f64()).collect();
    if let Some(matrix) = WellConditioned::of(&wide, n) {
        return matrix.along(h, out);
    }
    let factors = Factors::of(wide, n);
    let (h, unit) = factors.within(h);
    let [before, from] = factors.products();
    let mut numbers = Vec::with_capacity(2 * n * n);
    for (i, &before) in before.iter().enumerate() {
        // Of all before the j-th but the i-th.
        let mut product = before;
        for j in i + 1..n {
            let p = product.times_far(from[j + 1]);
            for [i, j] in [[i, j], [j, i]] {
                numbers.push(([i, i], p.times(h[j * n + j])));
                numbers.push(([i, j], p.times(-h[j * n + i])));
            }
            product = product.times(factors.d[j]);
        }
    }
    factors.back(&numbers, unit, out);
}

/// The largest absolute value of a slice.
fn largest(x: &[f64]) -> f64 {
    // Independent ones, as comparisons would wait for each other.
    let mut lanes = [0.0f64; 8];
    let mut take = |part: &[f64]| {
        lanes
            .iter_mut()
            .zip(part)
            .for_each(|(most, x)| *most = if x.abs() > *most { x.abs() } else { *most });
    };
    let (chunks, rest) = x.as_chunks::<8>();
    chunks.iter().for_each(|chunk| take(chunk));
    take(rest);
    lanes.into_iter().fold(0.0, f64::max)
}

/// The inverse of a lower triangle with ones on its diagonal.
fn inverse_of_unit_lower(n: usize, element: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut x = vec![0.0; n * n];
    for i in 0..n {
        let (done, rest) = x.split_at_mut(i * n);
        for (k, row) in done.chunks_exact(n).enumerate() {
            let factor = element(i, k);
            rest[..i].iter_mut().zip(row).for_each(|(x, &y)| *x -= factor * y);
        }
        rest[i] = 1.0;
    }
    x
}

fn transposed(a: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|e| a[e % n * n + e / n]).collect()
}

fn times(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut product = vec![0.0; n * n];
    for (out, row) in product.chunks_exact_mut(n).zip(a.chunks_exact(n)) {
        for (&factor, row) in row.iter().zip(b.chunks_exact(n)) {
            out.iter_mut().zip(row).for_each(|(x, &y)| *x += factor * y);
        }
    }
    product
}
