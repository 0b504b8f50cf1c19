use std::cmp::Ordering;

use super::rows::{add_scaled, dot, largest, rotate, scale_to_one};
use super::{LinalgError, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Sweeps for one eigenvalue: no matrix has ever needed thirty.
const SWEEPS: usize = 60;

/// All eigenvalues of a symmetric n × n matrix in ascending order, and the eigenvectors: vector k is elements
/// k n .. (k + 1) n. By Householder tridiagonalisation and implicit QL (Wilkinson and Reinsch, 1971).
///
/// ```
/// use wengert_tensor::linalg::symmetric_eigen;
///
/// let (values, vectors) = symmetric_eigen(&[2.0f64, 1.0, 1.0, 2.0], 2).unwrap();
/// assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
/// assert!((vectors[2] - vectors[3]).abs() < 1e-15); // of 3: (1, 1)/√2 up to sign
/// ```
///
/// # Errors
/// [`NotFinite`](LinalgError::NotFinite), or [`NoConvergence`](LinalgError::NoConvergence).
///
/// # Panics
/// If `a` has not n² elements.
#[track_caller]
pub fn symmetric_eigen<T: Float>(a: &[T], n: usize) -> Result<(Vec<T>, Vec<T>), LinalgError> {
    check_square("symmetric_eigen", a, n);
    if !a.iter().all(|x| x.is_finite()) {
        return Err(LinalgError::NotFinite);
    }
    eigen(a, n)
}

compiled_here! {
    /// As it is, or where that leaves the range of numbers in a unit of the matrix's own.
    fn eigen<T: Float>(a: &[T], n: usize) -> Result<(Vec<T>, Vec<T>), LinalgError> {
        let found = in_unit(a, n, T::ONE);
        let largest = largest(a);
        match found {
            Some((ref values, _)) if !values.iter().all(|x| x.is_finite()) => in_unit(a, n, scale_to_one(largest)),
            None if largest > T::ZERO => in_unit(a, n, scale_to_one(largest)),
            found => found,
        }
        .ok_or(LinalgError::NoConvergence)
    }
}

/// The eigenvalues and vectors by those of the matrix times `scale`; `None` if they do not converge.
fn in_unit<T: Float>(a: &[T], n: usize, scale: T) -> Option<(Vec<T>, Vec<T>)> {
    let scaled = a.iter().map(|&x| x * scale).collect();
    let (mut d, mut e, mut q) = dispatch(Tridiagonalise { a: scaled, n });
    if !dispatch(ImplicitQl { d: &mut d, e: &mut e, q: &mut q, n }) {
        return None;
    }
    let mut order: Vec<usize> = (0..n).collect();
    // None is NaN: that would not have counted as converged.
    order.sort_by(|&i, &j| d[i].partial_cmp(&d[j]).unwrap_or(Ordering::Equal));
    let values = order.iter().map(|&i| d[i] / scale).collect();
    let vectors = order.iter().flat_map(|&i| q[i * n..(i + 1) * n].iter().copied()).collect();
    Some((values, vectors))
}

/// A = QᵀTQ with T tridiagonal: its diagonal, its off-diagonal, and Q (row k is the k-th basis vector).
struct Tridiagonalise<T> {
    a: Vec<T>,
    n: usize,
}

impl<T: Float> Kernel for Tridiagonalise<T> {
    type Output = (Vec<T>, Vec<T>, Vec<T>);
    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        let Self { mut a, n } = self;
        let two = T::from_f64(2.0);
        let mut q = vec![T::ZERO; n * n];
        q.iter_mut().step_by(n + 1).for_each(|d| *d = T::ONE);
        let (mut w, mut dots) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        for k in 0..n.saturating_sub(2) {
            // The matrix is symmetric, and what is before row k + 1 done.
            let mut v: Vec<T> = a[k * n + k + 1..(k + 1) * n].to_vec();
            let length = v.iter().copied().fold(T::ZERO, T::hypot);
            if length == T::ZERO {
                continue;
            }
            let first = v[0];
            v[0] += length.copysign(first);
            let size = v.iter().copied().fold(T::ZERO, T::hypot);
            v.iter_mut().for_each(|v| *v /= size);
            // A ← H A H with H = I − 2 v vᵀ: A − 2 v wᵀ − 2 w vᵀ, w = A v − (vᵀAv) v. Of row k only its norm is left.
            let w = &mut w[k + 1..];
            for (w, row) in w.iter_mut().zip(a[(k + 1) * n..].chunks_exact(n)) {
                *w = dot::<T, I>(&row[k + 1..], &v);
            }
            add_scaled::<T, I>(w, -dot::<T, I>(&v, w), &v);
            for ((row, &v_i), &w_i) in a[(k + 1) * n..].chunks_exact_mut(n).zip(&v).zip(&*w) {
                add_scaled::<T, I>(&mut row[k + 1..], -two * v_i, w);
                add_scaled::<T, I>(&mut row[k + 1..], -two * w_i, &v);
            }
            a[k * n + k + 1] = -length.copysign(first);
            // Q ← H Q.
            dots.fill(T::ZERO);
            for (&v, row) in v.iter().zip(q[(k + 1) * n..].chunks_exact(n)) {
                add_scaled::<T, I>(&mut dots, v, row);
            }
            for (&v, row) in v.iter().zip(q[(k + 1) * n..].chunks_exact_mut(n)) {
                add_scaled::<T, I>(row, -two * v, &dots);
            }
        }
        let d = (0..n).map(|i| a[i * n + i]).collect();
        let e = (0..n).map(|i| if i + 1 < n { a[i * n + i + 1] } else { T::ZERO }).collect();
        (d, e, q)
    }
}

/// Diagonalises the tridiagonal matrix (d, e), rotating the rows of `q` along. Gives whether it came to an end.
struct ImplicitQl<'a, T> {
    d: &'a mut [T],
    e: &'a mut [T],
    q: &'a mut [T],
    n: usize,
}

impl<T: Float> Kernel for ImplicitQl<'_, T> {
    type Output = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Self { d, e, q, n } = self;
        let two = T::from_f64(2.0);
        for l in 0..n {
            let mut sweeps = 0;
            loop {
                let negligible = |&m: &usize| e[m].abs() <= T::EPSILON * (d[m].abs() + d[m + 1].abs());
                let m = (l..n - 1).find(negligible).unwrap_or(n - 1);
                if m == l {
                    break;
                }
                sweeps += 1;
                if sweeps > SWEEPS {
                    return false;
                }
                // Wilkinson's shift from the leading two.
                let g = (d[l + 1] - d[l]) / (two * e[l]);
                let mut g = d[m] - d[l] + e[l] / (g + g.hypot(T::ONE).copysign(g));
                let (mut s, mut c, mut p) = (T::ONE, T::ONE, T::ZERO);
                let mut early = false;
                for i in (l..m).rev() {
                    let (f, b) = (s * e[i], c * e[i]);
                    let r = f.hypot(g);
                    e[i + 1] = r;
                    if r == T::ZERO {
                        d[i + 1] -= p;
                        e[m] = T::ZERO;
                        early = true;
                        break;
                    }
                    (s, c) = (f / r, g / r);
                    g = d[i + 1] - p;
                    let t = (d[i] - g) * s + two * c * b;
                    p = s * t;
                    d[i + 1] = g + p;
                    g = c * t - b;
                    let (upper, lower) = q.split_at_mut((i + 1) * n);
                    rotate::<T, I>(&mut upper[i * n..], &mut lower[..n], c, s);
                }
                if early {
                    continue;
                }
                d[l] -= p;
                e[l] = g;
                e[m] = T::ZERO;
            }
        }
        true
    }
}
