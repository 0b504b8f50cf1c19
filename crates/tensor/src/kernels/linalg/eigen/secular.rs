//! Eigenvalues and vectors of a diagonal matrix changed by one of rank one, D + ρ z zᵀ: the roots of the secular equation
//! 1 + Σ ρ zᵢ²/(dᵢ − λ) = 0, by R.-C. Li, "Solving secular equations stably and efficiently", LAPACK working note 89, 1993, and the
//! vectors of M. Gu and S. Eisenstat, "A divide-and-conquer algorithm for the symmetric tridiagonal eigenproblem", SIAM J. Matrix
//! Anal. Appl. 16(1), 1995.

use std::ops::Range;

use crate::array::element::Float;
use crate::kernels::linalg::rows::dot;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Independent parts of a sum.
const LANES: usize = 16;

/// Steps towards one root: no equation has needed ten.
const STEPS: usize = 60;

/// Roots from which on they are shared out.
const MANY: usize = 64;

/// The eigenvalues in ascending order, and the vectors, row by row: of an ascending diagonal without equals and of weights ρ zᵢ² > 0,
/// for ρ > 0 and the `signs` of z.
pub(super) fn eigen_of_update<T: Float>(d: &[T], weights: &[T], signs: &[T]) -> (Vec<T>, Vec<T>) {
    let k = d.len();
    let mut differences = vec![T::ZERO; k * k];
    let mut roots = vec![T::ZERO; k];
    parallel::for_each_chunk_pair(
        &mut differences,
        &mut roots,
        [k.max(1), 1],
        k >= MANY,
        |j, differences, root| {
            root[0] = dispatch(Root { d, weights, j, differences });
        },
    );
    let z = dispatch(Weights { d, differences: &differences, signs });
    parallel::for_each_chunk(&mut differences, k, k >= MANY, |_, row| dispatch(Vector { z: &z, row }));
    (roots, differences)
}

/// Root j, and the differences dᵢ − λ.
struct Root<'a, T> {
    d: &'a [T],
    weights: &'a [T],
    j: usize,
    differences: &'a mut [T],
}

/// What one side of the equation adds up to, and its derivative.
#[derive(Clone, Copy)]
struct Side<T> {
    sum: T,
    slope: T,
}

/// Adds the term w/(d − λ) and its derivative.
#[inline(always)]
fn add<T: Float, I: Isa>(weight: T, difference: T, sum: &mut T, slope: &mut T) {
    let inverse = T::ONE / difference;
    let term = weight * inverse;
    *sum += term;
    *slope = I::mul_add(term, inverse, *slope);
}

impl<T: Float> Root<'_, T> {
    /// Σ w/(d − λ) of some poles and its derivative, for λ = `origin` + `offset`.
    #[inline(always)]
    fn side<I: Isa>(&self, poles: Range<usize>, origin: T, offset: T) -> Side<T> {
        let (d, w) = (&self.d[poles.clone()], &self.weights[poles]);
        let (mut sums, mut slopes) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        let (d_blocks, d_rest) = d.as_chunks::<LANES>();
        let (w_blocks, w_rest) = w.as_chunks::<LANES>();
        for (d, w) in d_blocks.iter().zip(w_blocks) {
            for l in 0..LANES {
                add::<T, I>(w[l], d[l] - origin - offset, &mut sums[l], &mut slopes[l]);
            }
        }
        for (l, (&d, &w)) in d_rest.iter().zip(w_rest).enumerate() {
            add::<T, I>(w, d - origin - offset, &mut sums[l], &mut slopes[l]);
        }
        Side { sum: sums.into_iter().sum(), slope: slopes.into_iter().sum() }
    }

    /// The equation's value, and its two sides: the poles before `cut`, and the others.
    #[inline(always)]
    fn value<I: Isa>(&self, cut: usize, origin: T, offset: T) -> (T, Side<T>, Side<T>) {
        let low = self.side::<I>(0..cut, origin, offset);
        let high = self.side::<I>(cut..self.d.len(), origin, offset);
        (T::ONE + low.sum + high.sum, low, high)
    }

    /// The root as the pole next to it and what it is away from that.
    #[inline(always)]
    fn solve<I: Isa>(&self) -> (T, T) {
        let Self { d, weights, j, .. } = *self;
        let k = d.len();
        if k == 1 {
            return (d[0], weights[0]);
        }
        let two = T::from_f64(2.0);
        // The poles on both sides of the root; the last root has none above and uses the last two.
        let last = j + 1 == k;
        let (below, above) = if last { (k - 2, k - 1) } else { (j, j + 1) };
        let width = if last { weights.iter().copied().sum() } else { d[above] - d[below] };
        let half = width / two;
        let (middle, ..) = self.value::<I>(below + 1, d[j], half);
        // Which half it is in says from where its distance is exact.
        let (origin, mut low, mut high) = match (last, middle <= T::ZERO) {
            // The bound is rounded.
            (true, true) => (d[j], half, width * (T::ONE + T::from_f64(8.0) * T::EPSILON)),
            (_, false) => (d[j], T::ZERO, half),
            (false, true) => (d[above], -half, T::ZERO),
        };
        let mut offset = if low == T::ZERO { high } else { low };
        for _ in 0..STEPS {
            let (f, under, over) = self.value::<I>(below + 1, origin, offset);
            let slope = under.slope + over.slope;
            let rounding =
                T::from_f64(8.0) * (T::ONE + under.sum.abs() + over.sum.abs()) + offset.abs() * slope;
            if f.abs() <= T::EPSILON * rounding {
                break;
            }
            if f < T::ZERO {
                low = offset;
            } else {
                high = offset;
            }
            // Both sides as one pole each, with that value and slope ("the middle way").
            let (p, q) = (d[below] - origin - offset, d[above] - origin - offset);
            let (a, b, c) = ((p + q) * f - p * q * slope, p * q * f, f - p * under.slope - q * over.slope);
            let root = (a * a - T::from_f64(4.0) * b * c).maximum(T::ZERO).sqrt();
            let step = match (last, a > T::ZERO) {
                (false, false) => (a - root) / (two * c),
                (false, true) => two * b / (a + root),
                (true, true) => (a + root) / (two * c),
                (true, false) => two * b / (a - root),
            };
            let step = if f * step < T::ZERO { step } else { -f / slope };
            let next = offset + step;
            let next = if next > low && next < high { next } else { (low + high) / two };
            if next == offset || next == low || next == high {
                break;
            }
            offset = next;
        }
        (origin, offset)
    }
}

impl<T: Float> Kernel for Root<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run<I: Isa>(self) -> T {
        let (origin, offset) = self.solve::<I>();
        for (to, &d) in self.differences.iter_mut().zip(self.d) {
            *to = d - origin - offset;
        }
        origin + offset
    }
}

/// The z for which the roots found are exact, by Löwner's formula: so the vectors are orthogonal however far a root is from that of
/// the z given.
struct Weights<'a, T> {
    d: &'a [T],
    differences: &'a [T],
    signs: &'a [T],
}

impl<T: Float> Kernel for Weights<'_, T> {
    type Output = Vec<T>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<T> {
        let k = self.d.len();
        let mut products = vec![T::ONE; k];
        for (j, row) in self.differences.chunks_exact(k.max(1)).enumerate() {
            let pole = self.d[j];
            products[j] *= -row[j];
            for others in [0..j, j + 1..k] {
                let terms = row[others.clone()].iter().zip(&self.d[others.clone()]);
                for (product, (&difference, &d)) in products[others].iter_mut().zip(terms) {
                    *product *= difference / (d - pole);
                }
            }
        }
        products.iter().zip(self.signs).map(|(&square, &sign)| square.abs().sqrt().copysign(sign)).collect()
    }
}

/// The unit vector of zᵢ/(dᵢ − λ), in the place of the differences.
struct Vector<'a, T> {
    z: &'a [T],
    row: &'a mut [T],
}

impl<T: Float> Kernel for Vector<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { z, row } = self;
        // The largest is 1 before the squares are added up, which so stay in range.
        let mut largest = T::ZERO;
        for (x, &z) in row.iter_mut().zip(z) {
            *x = z / *x;
            largest = largest.maximum(x.abs());
        }
        if largest == T::ZERO || !largest.is_finite() {
            return;
        }
        row.iter_mut().for_each(|x| *x /= largest);
        let length = dot::<T, I>(row, row).sqrt();
        row.iter_mut().for_each(|x| *x /= length);
    }
}
