//! Inverse roots of positive definite matrices.

use wengert_tensor::Float;

use super::matrix::multiply;

/// Most iterations; a condition number of 1e12 needs about 40.
const ITERATIONS: usize = 100;

/// X ← A^(−1/p) for a symmetric positive definite A of `n` × `n` and p of 2 or 4, computed in f64.
///
/// The coupled Newton iteration: X₀ = I / c, M₀ = A / cᵖ, T = ((p + 1) I − M) / p, X ← X T, M ← Tᵖ M, with cᵖ the largest
/// absolute row sum of A, a bound of its eigenvalues. M tends to I, quadratically in the end. A is first lifted by the
/// rounding that its elements may carry, and by more if even that leaves it indefinite.
///
/// Source: Guo and Higham, *A Schur–Newton method for the matrix pth root and its inverse*, 2006.
pub(super) fn inverse_root<T: Float>(a: &[T], n: usize, p: u32, x: &mut [T]) {
    let row_sums = a.chunks(n).map(|row| row.iter().map(|v| v.to_f64().abs()).sum::<f64>());
    let bound = row_sums.fold(0.0, Float::maximum);
    let mut lift = 16.0 * T::EPSILON.to_f64();
    // Nothing sensible can be done with NaN or infinity: let it be seen.
    x.fill(T::NAN);
    while bound.is_finite() && bound > 0.0 && lift < 1.0 {
        let mut scaled: Vec<f64> = a.iter().map(|v| v.to_f64() / bound / (1.0 + lift)).collect();
        scaled.iter_mut().step_by(n + 1).for_each(|d| *d += lift / (1.0 + lift));
        if let Some(root) = newton(scaled, n, p) {
            let scale = (bound * (1.0 + lift)).powf(-1.0 / f64::from(p));
            x.iter_mut().zip(&root).for_each(|(x, &r)| *x = T::from_f64(scale * r));
            return;
        }
        lift *= 100.0;
    }
}

/// M^(−1/p) for M with eigenvalues up to 1; `None` if the iteration diverges, as it does if one is negative.
fn newton(mut m: Vec<f64>, n: usize, p: u32) -> Option<Vec<f64>> {
    let power = f64::from(p);
    let mut root = identity(n, 1.0);
    let (mut t, mut t2, mut product) = (vec![0.0; n * n], vec![0.0; n * n], vec![0.0; n * n]);
    let cube = [n, n, n];
    let mut last = f64::INFINITY;
    for _ in 0..ITERATIONS {
        let error = distance_to_identity(&m, n);
        // Rounding ends the progress; from then on the iteration would drift.
        if error == 0.0 || (error < 1e-6 && error >= 0.5 * last) {
            return Some(root);
        }
        if !error.is_finite() || error > 1e3 {
            return None;
        }
        last = error;
        for (i, (t, &m)) in t.iter_mut().zip(&m).enumerate() {
            let diagonal = if i % (n + 1) == 0 { power + 1.0 } else { 0.0 };
            *t = (diagonal - m) / power;
        }
        multiply(&root, &t, &mut product, cube);
        std::mem::swap(&mut root, &mut product);
        multiply(&t, &t, &mut t2, cube);
        if p == 4 {
            multiply(&t2, &t2, &mut t, cube);
            std::mem::swap(&mut t, &mut t2);
        }
        multiply(&t2, &m, &mut product, cube);
        std::mem::swap(&mut m, &mut product);
    }
    // As good as a hundred iterations can make it, or not at all.
    (last < 1e-2).then_some(root)
}

fn identity(n: usize, value: f64) -> Vec<f64> {
    (0..n * n).map(|i| if i % (n + 1) == 0 { value } else { 0.0 }).collect()
}

fn distance_to_identity(m: &[f64], n: usize) -> f64 {
    m.iter().zip(identity(n, 1.0)).map(|(&a, b)| (a - b).abs()).fold(0.0, f64::max)
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
            inverse_root(&of(1.0), n, p, &mut x);
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
        inverse_root(&a, 20, 4, &mut x);
        assert!(x.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn nan_is_seen() {
        let mut x = [0.0f32; 4];
        inverse_root(&[1.0, f32::NAN, f32::NAN, 1.0], 2, 4, &mut x);
        assert!(x.iter().all(|v| v.is_nan()));
    }
}
