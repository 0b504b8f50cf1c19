//! Inverse roots of positive definite matrices.

use std::mem::swap;

use wengert_tensor::Float;

use super::matrix::{multiply, view};

/// Matrices of working space.
pub(super) const WORKSPACE: usize = 5;

/// Most iterations; a condition number of 1e14 needs about 20.
const ITERATIONS: usize = 40;

/// From here on Newton's own T is as good as any.
const NEAR: f64 = 0.99;

/// The least eigenvalue that T is made for. The large ones are brought down to that of it, which costs them as many digits.
const FLOOR: f64 = 1e-3;

/// X ← (s² A)^(−1/p) for a symmetric positive definite A of `n` × `n`, s = `outside` and p of 2 or 4, computed in f64;
/// 0 for an A of 0.
/// `work` has room for [`WORKSPACE`] matrices, or more.
///
/// The coupled Newton iteration: X₀ = I / c, M₀ = A / cᵖ, T = a I − b M, X ← X T, M ← Tᵖ M, with cᵖ the largest
/// absolute row sum of A, a bound of its eigenvalues. M tends to I. Newton's own T = ((p + 1) I − M) / p converges
/// quadratically in the end, but first lifts small eigenvalues only ((p + 1) / p)ᵖ-fold at a time (2.4 for p = 4);
/// [`Line::equal`] lifts them up to tenfold. A is first lifted by the rounding that its elements may carry, which bounds its
/// eigenvalues from below, and by more if even that leaves it indefinite.
///
/// Source: Guo and Higham, *A Schur–Newton method for the matrix pth root and its inverse*, 2006; the choice of a and b is
/// that of Chen and Chow, *A stable scaling of Newton–Schulz for improving the sign function computation*, 2014, for
/// any p.
pub(super) fn inverse_root<T: Float>(a: &[T], outside: f64, n: usize, p: u32, x: &mut [T], work: &mut [f64]) {
    let row_sums = a.chunks(n).map(|row| row.iter().map(|v| v.to_f64().abs()).sum::<f64>());
    let bound = row_sums.fold(0.0, Float::maximum);
    let mut lift = 16.0 * T::EPSILON.to_f64();
    // Nothing sensible can be done with NaN or infinity: let it be seen.
    x.fill(if bound == 0.0 { T::ZERO } else { T::NAN });
    while bound.is_finite() && bound > 0.0 && lift < 1.0 {
        let m = &mut work[..n * n];
        m.iter_mut().zip(a).for_each(|(m, v)| *m = v.to_f64() / bound / (1.0 + lift));
        m.iter_mut().step_by(n + 1).for_each(|d| *d += lift / (1.0 + lift));
        if let Some(root) = newton(work, n, p, lift / (1.0 + lift)) {
            let power = -1.0 / f64::from(p);
            let scale = (bound * (1.0 + lift)).powf(power) * outside.powf(2.0 * power);
            x.iter_mut().zip(root).for_each(|(x, &mut r)| *x = T::from_f64(scale * r));
            return;
        }
        lift *= 100.0;
    }
}

/// The coefficients of T = a I − b M.
#[derive(Clone, Copy)]
struct Line {
    a: f64,
    b: f64,
}

impl Line {
    /// Newton's.
    fn newton(p: f64) -> Self {
        Line { a: (p + 1.0) / p, b: p.recip() }
    }

    /// For eigenvalues m from l to 1: m (a − b m)ᵖ is at most 1 between, and alike at both ends, which makes the least as
    /// large as it can be.
    fn equal(p: f64, least: f64) -> Self {
        let q = least.powf(p.recip());
        let ratio = (1.0 - q) / (1.0 - q * least);
        let a = ((p + 1.0) * ratio).powf(p.recip()) * (p + 1.0) / p;
        Line { a, b: a * ratio }
    }
}

/// M^(−1/p) for M with eigenvalues from `least` to 1, which is at the beginning of `work`; `None` if the iteration
/// diverges, as it does if one is negative.
fn newton(work: &mut [f64], n: usize, p: u32, mut least: f64) -> Option<&mut [f64]> {
    let mut parts = work.chunks_exact_mut(n * n);
    let mut part = || parts.next().expect("room for WORKSPACE matrices");
    let (mut m, mut root, mut t, mut t2, mut product) = (part(), part(), part(), part(), part());
    root.fill(0.0);
    root.iter_mut().step_by(n + 1).for_each(|d| *d = 1.0);
    let power = f64::from(p);
    let shape = [n, n];
    let mut last = f64::INFINITY;
    for _ in 0..ITERATIONS {
        let error = distance_to_identity(m, n);
        if !error.is_finite() || error > 1e3 {
            return None;
        }
        let near = least > NEAR;
        // Rounding ends the progress; from then on the iteration would drift.
        if near && error < 1e-6 && error >= 0.5 * last {
            return Some(root);
        }
        last = error;
        let line = if near { Line::newton(power) } else { Line::equal(power, least.max(FLOOR)) };
        least *= (line.a - line.b * least).powi(p as i32);
        t.iter_mut().zip(&*m).for_each(|(t, &m)| *t = -line.b * m);
        t.iter_mut().step_by(n + 1).for_each(|d| *d += line.a);
        multiply(view(root, shape), view(t, shape), 0.0, product);
        swap(&mut root, &mut product);
        // The next error would be about the square of this one: below rounding.
        if near && error < 1e-8 {
            return Some(root);
        }
        multiply(view(t, shape), view(t, shape), 0.0, t2);
        if p == 4 {
            multiply(view(t2, shape), view(t2, shape), 0.0, t);
            swap(&mut t, &mut t2);
        }
        multiply(view(t2, shape), view(m, shape), 0.0, product);
        swap(&mut m, &mut product);
    }
    // As good as so many iterations can make it, or not at all.
    (last < 1e-2).then_some(root)
}

/// The largest |M − I|.
fn distance_to_identity(m: &[f64], n: usize) -> f64 {
    // Not `f64::max`, which would hide a NaN.
    let row = |(i, row): (usize, &[f64])| {
        let distance = |(j, x): (usize, &f64)| (x - if i == j { 1.0 } else { 0.0 }).abs();
        row.iter().enumerate().map(distance).fold(0.0, Float::maximum)
    };
    m.chunks_exact(n).enumerate().map(row).fold(0.0, Float::maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_badly_scaled_matrices() {
        // A = Q D Qᵀ with a Householder Q, so that the exact root is Q D^(−1/p) Qᵀ.
        let n = 6;
        let v: Vec<f64> = (0..n).map(|i| 1.0 + i as f64).collect();
        let norm: f64 = v.iter().map(|x| x * x).sum();
        let q = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / norm;
        let values: [f64; 6] = [1e4, 1e2, 3.0, 1.0, 1e-2, 1e-4];
        let of = |power: f64| -> Vec<f64> {
            (0..n * n)
                .map(|ij| (0..n).map(|k| q(ij / n, k) * values[k].powf(power) * q(ij % n, k)).sum())
                .collect()
        };
        for p in [2, 4] {
            let mut x = vec![0.0; n * n];
            inverse_root(&of(1.0), 1.0, n, p, &mut x, &mut vec![0.0; WORKSPACE * n * n]);
            let exact = of(-1.0 / f64::from(p));
            let largest = exact.iter().fold(0.0f64, |m, e| m.max(e.abs()));
            let error = x.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // The lift, 16 ε times a bound of 2e4, is 7e-7 of the smallest eigenvalue; its root moves by 1/p of that.
            assert!(error < 7e-7 / f64::from(p) * largest, "p = {p}: {error:e} of {largest}");
        }
    }

    #[test]
    fn a_singular_matrix_in_single_precision_has_a_finite_root() {
        let v: Vec<f32> = (0..20).map(|i| ((i * 7919) % 13) as f32 - 6.0).collect();
        let a: Vec<f32> = (0..400).map(|ij| 100.0 * v[ij / 20] * v[ij % 20]).collect();
        let mut x = vec![0.0f32; 400];
        inverse_root(&a, 1.0, 20, 4, &mut x, &mut [0.0; WORKSPACE * 400]);
        assert!(x.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn nan_is_seen() {
        let mut x = [0.0f32; 4];
        inverse_root(&[1.0, f32::NAN, f32::NAN, 1.0], 1.0, 2, 4, &mut x, &mut [0.0; WORKSPACE * 4]);
        assert!(x.iter().all(|v| v.is_nan()));
    }
}
