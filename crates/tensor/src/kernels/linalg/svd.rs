use std::cmp::Ordering;

use super::rows::{dot, largest, rotate, scale_to_one};
use super::{LinalgError, Qr};
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Sweeps over all pairs of rows: after a QR factorisation some six are needed.
const SWEEPS: usize = 60;

/// A = U Σ Vᵀ of an m × n matrix, with k = min(m, n) singular values.
///
/// ```
/// use wengert_tensor::linalg::{Svd, svd};
/// let Svd { values, .. } = svd(&[0.0f64, 3.0, 2.0, 0.0], 2, 2).unwrap();
/// assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 2.0).abs() < 1e-14);
/// ```
#[derive(Clone, Debug)]
pub struct Svd<T> {
    /// m × k, with orthonormal columns.
    pub u: Vec<T>,
    /// The singular values, the largest first.
    pub values: Vec<T>,
    /// Vᵀ, k × n, with orthonormal rows.
    pub vt: Vec<T>,
}

/// The thin singular value decomposition of the m × n matrix `a`, by one-sided Jacobi rotations of the triangular factor,
/// which finds small singular values to high relative accuracy (Drmač and Veselić, 2008). O(m n² + 6 n³).
///
/// ```
/// use wengert_tensor::linalg::svd;
///
/// let svd = svd(&[3.0f64, 0.0, 0.0, -5.0], 2, 2).unwrap();
/// assert_eq!(svd.values, [5.0, 3.0]);
/// ```
///
/// # Errors
/// [`NotFinite`](LinalgError::NotFinite), or [`NoConvergence`](LinalgError::NoConvergence).
///
/// # Panics
/// If `a` has not m n elements.
#[track_caller]
pub fn svd<T: Float>(a: &[T], m: usize, n: usize) -> Result<Svd<T>, LinalgError> {
    let fits = m.checked_mul(n) == Some(a.len());
    assert!(fits, "svd: {} elements are no matrix of {m} × {n}", a.len());
    if !a.iter().all(|x| x.is_finite()) {
        return Err(LinalgError::NotFinite);
    }
    if m >= n {
        return tall(a, m, n);
    }
    let Svd { u, values, vt } = tall(&transposed(a, m, n), n, m)?;
    Ok(Svd { u: transposed(&vt, m, m), values, vt: transposed(&u, n, m) })
}

/// The n × m transpose of an m × n matrix.
fn transposed<T: Float>(a: &[T], m: usize, n: usize) -> Vec<T> {
    (0..m * n).map(|k| a[k % m * n + k / m]).collect()
}

compiled_here! {
    /// For m ≥ n: A = Q R, and G R = Σ Vᵀ with an orthogonal G, so that U = Q Gᵀ.
    fn tall<T: Float>(a: &[T], m: usize, n: usize) -> Result<Svd<T>, LinalgError> {
        // Squares neither overflow nor underflow.
        let largest = largest(a);
        let scale = if largest > T::ZERO { scale_to_one(largest) } else { T::ONE };
        let qr = Qr::new(a.iter().map(|&x| x * scale).collect(), m, n);
        let (q, mut w) = (qr.q(), qr.r());
        let mut g = vec![T::ZERO; n * n];
        g.iter_mut().step_by(n + 1).for_each(|d| *d = T::ONE);
        let orthogonal = (0..SWEEPS).any(|_| dispatch(Sweep { w: &mut w, g: &mut g, n }));
        if !orthogonal {
            return Err(LinalgError::NoConvergence);
        }
        let norms: Vec<T> = w.chunks_exact(n.max(1)).map(norm).collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| norms[j].partial_cmp(&norms[i]).unwrap_or(Ordering::Equal));
        // Beside rows of about 1, those below have a length but no direction.
        let digits = T::MIN_POSITIVE / T::EPSILON;
        let mut vt = Vec::with_capacity(n * n);
        for &i in &order {
            let inverse = if norms[i] > digits { T::ONE / norms[i] } else { T::ZERO };
            vt.extend(w[i * n..][..n].iter().map(|&x| x * inverse));
        }
        let rank = norms.iter().filter(|&&s| s > digits).count();
        complete(&mut vt, n, rank);
        let mut u = vec![T::ZERO; m * n];
        for (row, out) in q.chunks_exact(n.max(1)).zip(u.chunks_exact_mut(n.max(1))) {
            for (x, &i) in out.iter_mut().zip(&order) {
                *x = row.iter().zip(&g[i * n..][..n]).map(|(&q, &g)| q * g).sum();
            }
        }
        let values = order.iter().map(|&i| norms[i] / scale).collect();
        Ok(Svd { u, values, vt })
    }
}

#[inline(always)]
fn norm<T: Float>(x: &[T]) -> T {
    // The rows are scaled; a row that is tiny beside 1 keeps its relative accuracy.
    let largest = largest(x);
    if largest == T::ZERO {
        return T::ZERO;
    }
    let sum: T = x.iter().map(|&x| (x / largest) * (x / largest)).sum();
    largest * sum.sqrt()
}

/// Fills the rows from `rank` on so that all rows of the n × n matrix are orthonormal.
fn complete<T: Float>(rows: &mut [T], n: usize, rank: usize) {
    for i in rank..n {
        let (done, rest) = rows.split_at_mut(i * n);
        let row = &mut rest[..n];
        // The unit vector that is farthest from the rows that are there.
        let inside = |j: usize| done.iter().skip(j).step_by(n).map(|&x| x * x).sum::<T>();
        let mut best = 0;
        let mut least = inside(0);
        for j in 1..n {
            let part = inside(j);
            if part < least {
                (best, least) = (j, part);
            }
        }
        row.fill(T::ZERO);
        row[best] = T::ONE;
        for _ in 0..2 {
            for other in done.chunks_exact(n) {
                let dot: T = other.iter().zip(&*row).map(|(&a, &b)| a * b).sum();
                row.iter_mut().zip(other).for_each(|(x, &y)| *x -= dot * y);
            }
            let size = norm(row);
            row.iter_mut().for_each(|x| *x /= size);
        }
    }
}

/// One rotation for each pair of rows of `w`, and of `g` along with it, after which those two are orthogonal. Gives whether
/// all were before.
struct Sweep<'a, T> {
    w: &'a mut [T],
    g: &'a mut [T],
    n: usize,
}

impl<T: Float> Kernel for Sweep<'_, T> {
    type Output = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Sweep { w, g, n } = self;
        let tolerance = T::from_usize(n).sqrt() * T::EPSILON;
        let mut orthogonal = true;
        for i in 0..n {
            bring_largest_first::<T, I>(w, g, n, i);
            for j in i + 1..n {
                let (above, below) = w.split_at_mut(j * n);
                let (x, y) = (&mut above[i * n..][..n], &mut below[..n]);
                let [xx, xy, yy] = [dot::<T, I>(x, x), dot::<T, I>(x, y), dot::<T, I>(y, y)];
                if xx.minimum(yy) < T::MIN_POSITIVE / T::EPSILON {
                    // Squares without digits: the row is nothing beside the largest, which is about 1.
                    let (smaller, larger) = if xx < yy { (x, &*y) } else { (y, &*x) };
                    orthogonal &= !subtract_projection::<T, I>(smaller, larger, tolerance);
                    continue;
                }
                // Rows of zeros are orthogonal to all.
                if xy == T::ZERO || xy.abs() <= tolerance * xx.sqrt() * yy.sqrt() {
                    continue;
                }
                orthogonal = false;
                let zeta = (yy - xx) / (xy + xy);
                let t = T::ONE.copysign(zeta) / (zeta.abs() + T::ONE.hypot(zeta));
                let c = T::ONE / T::ONE.hypot(t);
                rotate::<T, I>(x, y, c, c * t);
                let (above, below) = g.split_at_mut(j * n);
                rotate::<T, I>(&mut above[i * n..][..n], &mut below[..n], c, c * t);
                clear_rounding(w, n, [i, j], [xx, xy, yy]);
            }
        }
        orthogonal
    }
}

/// Makes a row whose squares underflow orthogonal to a larger one; a rotation would subtract as much, and leave the larger row as
/// it is. What is not far from the smallest numbers becomes 0, since it cannot be told which way it points. Gives whether
/// anything changed.
#[cold]
fn subtract_projection<T: Float, I: Isa>(smaller: &mut [T], larger: &[T], tolerance: T) -> bool {
    let (size, other) = (largest(smaller), largest(larger));
    if size == T::ZERO || dot::<T, I>(smaller, larger) == T::ZERO {
        return false;
    }
    if size < T::MIN_POSITIVE / (T::EPSILON * T::EPSILON) {
        smaller.fill(T::ZERO);
        return true;
    }
    let scaled = |row: &[T], scale: T| row.iter().map(|&x| x * scale).collect::<Vec<T>>();
    let (mut y, x) = (scaled(smaller, scale_to_one(size)), scaled(larger, scale_to_one(other)));
    let (xx, xy, before) = (dot::<T, I>(&x, &x), dot::<T, I>(&x, &y), norm(&y));
    if xy.abs() <= tolerance * xx.sqrt() * before {
        return false;
    }
    y.iter_mut().zip(&x).for_each(|(y, &x)| *y -= xy / xx * x);
    if norm(&y) <= T::from_f64(4.0) * tolerance * before {
        y.fill(T::ZERO);
    }
    smaller.iter_mut().zip(y).for_each(|(out, y)| *out = y / scale_to_one(size));
    true
}

/// Of rows that were parallel a rotation leaves one and, in the place of the other, rounding errors, which would be turned for
/// ever: those become 0.
#[inline(always)]
fn clear_rounding<T: Float>(w: &mut [T], n: usize, [i, j]: [usize; 2], [xx, xy, yy]: [T; 3]) {
    let cosine = xy.abs() / xx.sqrt() / yy.sqrt();
    if cosine < T::ONE - T::EPSILON.sqrt() {
        return;
    }
    let sizes = [i, j].map(|row| norm(&w[row * n..][..n]));
    let (smaller, size) = if sizes[0] < sizes[1] { (i, sizes[0]) } else { (j, sizes[1]) };
    // What the rotation subtracted from each other was about as long as the shorter of the two rows.
    let subtracted = if xx < yy { xx.sqrt() } else { yy.sqrt() };
    if size <= T::from_f64(4.0) * T::from_usize(n).sqrt() * T::EPSILON * subtracted {
        w[smaller * n..][..n].fill(T::ZERO);
    }
}

/// Exchanges row i for the largest of the rows from i on (de Rijk, 1989).
#[inline(always)]
fn bring_largest_first<T: Float, I: Isa>(w: &mut [T], g: &mut [T], n: usize, i: usize) {
    let square = |row: &[T]| dot::<T, I>(row, row);
    let mut largest = i;
    let mut most = square(&w[i * n..][..n]);
    for j in i + 1..n {
        let size = square(&w[j * n..][..n]);
        if size > most {
            (largest, most) = (j, size);
        }
    }
    if largest != i {
        for rows in [w, g] {
            let (above, below) = rows.split_at_mut(largest * n);
            above[i * n..][..n].swap_with_slice(&mut below[..n]);
        }
    }
}
