mod graded;
mod jacobi;
mod near;

use std::cmp::Ordering;

use super::rows::{largest, scale_to_one, transposed};
use super::scales::{exponent, times_power};
use super::{LinalgError, Qr};
use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::gemm::{MatrixMut, MatrixRef, gemm};
use crate::machine::simd::dispatch;

use graded::{Pivot, Pivoted, is_graded};
use jacobi::{orthogonalise, orthogonalise_graded};
use near::{FEW, near};

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

/// The thin singular value decomposition of the m × n matrix `a`: by the eigenvectors of the products of its rows, and then
/// one-sided Jacobi rotations until the rows are orthogonal; by those alone, of the triangular factor, where the rows are few or
/// of very different size, and then with the largest rows and columns first. They find small singular values to high relative accuracy (Drmač and Veselić, 2008).
/// O(m n² + 10 n³), with rotations alone O(m n² + 50 n³).
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
        return tall_in_any_unit(a, m, n);
    }
    let Svd { u, values, vt } = tall_in_any_unit(&transposed(a, n, [m, n]), n, m)?;
    Ok(Svd { u: transposed(&vt, m, [m, m]), values, vt: transposed(&u, m, [n, m]) })
}

/// Where rows or columns are of very different size, squares want a larger range than single precision has.
fn tall_in_any_unit<T: Float>(a: &[T], m: usize, n: usize) -> Result<Svd<T>, LinalgError> {
    let graded = is_graded(a, n, n < FEW);
    if size_of::<T>() == size_of::<f64>() || !graded {
        return tall(a, m, n, graded);
    }
    let wide: Vec<f64> = a.iter().map(|x| x.to_f64()).collect();
    let Svd { u, values, vt } = tall(&wide, m, n, true)?;
    let [u, values, vt] = [u, values, vt].map(|x| x.into_iter().map(T::from_f64).collect());
    Ok(Svd { u, values, vt })
}

compiled_here! {
    /// For m ≥ n: A = Q R, and G R = Σ Vᵀ with an orthogonal G, so that U = Q Gᵀ.
    fn tall<T: Float>(a: &[T], m: usize, n: usize, graded: bool) -> Result<Svd<T>, LinalgError> {
        let Orthogonal { order: order_of_columns, unit, q, rows: (w, g) } =
            orthogonal_rows(a, m, n, graded).ok_or(LinalgError::NoConvergence)?;
        let norms: Vec<T> = w.chunks_exact(n.max(1)).map(norm).collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| norms[j].partial_cmp(&norms[i]).unwrap_or(Ordering::Equal));
        // Rows below that have a length but no direction.
        let digits = T::MIN_POSITIVE / T::EPSILON;
        let mut vt = Vec::with_capacity(n * n);
        for &i in &order {
            let inverse = if norms[i] > digits { T::ONE / norms[i] } else { T::ZERO };
            let row = &w[i * n..][..n];
            match &order_of_columns {
                None => vt.extend(row.iter().map(|&x| x * inverse)),
                Some(columns) => {
                    let first = vt.len();
                    vt.resize(first + n, T::ZERO);
                    columns.iter().zip(row).for_each(|(&j, &x)| vt[first + j] = x * inverse);
                }
            }
        }
        let rank = norms.iter().filter(|&&s| s > digits).count();
        complete(&mut vt, n, rank);
        let g: Vec<T> = order.iter().flat_map(|&i| &g[i * n..][..n]).copied().collect();
        let u = q.map_or_else(
            || transposed(&g, n, [n, n]),
            |q| {
                let mut u = vec![T::ZERO; m * n];
                let gt = MatrixRef::row_major(&g, [n, n]).transposed();
                gemm(T::ONE, MatrixRef::row_major(&q, [m, n]), gt, T::ZERO, MatrixMut::row_major(&mut u, [m, n]));
                u
            },
        );
        let values = order.iter().map(|&i| times_power(norms[i], -unit)).collect();
        Ok(Svd { u, values, vt })
    }
}

/// A, in a unit, as Q times rows that G makes orthogonal.
struct Orthogonal<T> {
    /// Of the columns of those rows, where it is not that of A.
    order: Option<Vec<usize>>,
    /// The exponent of the power of two that A was multiplied by.
    unit: i64,
    /// m × n; else the identity.
    q: Option<Vec<T>>,
    /// The rows, n × n, and G.
    rows: (Vec<T>, Vec<T>),
}

/// `None` if the rotations do not end.
fn orthogonal_rows<T: Float>(a: &[T], m: usize, n: usize, graded: bool) -> Option<Orthogonal<T>> {
    let largest = largest(a);
    if graded {
        // The largest squares are just in range, so that small elements have theirs as far as can be.
        let most = (T::MAX.to_f64() / (m * n) as f64).sqrt();
        let unit = exponent(T::from_f64(most))? - exponent(largest)?;
        let columns = transposed(a, n, [m, n]).into_iter().map(|x| times_power(x, unit)).collect();
        let Pivoted { q, r, order } = dispatch(Pivot { columns, m });
        return Some(Orthogonal { order: Some(order), unit, q: Some(q), rows: orthogonalise_graded(r, n)? });
    }
    // Squares neither overflow nor underflow.
    let scale = if largest > T::ZERO { scale_to_one(largest) } else { T::ONE };
    let scaled: Vec<T> = a.iter().map(|&x| x * scale).collect();
    let unit = exponent(scale)?;
    // Of a square matrix Q = I will do.
    let whole = if m == n { near(&scaled, n) } else { None };
    if let Some(rows) = whole {
        return Some(Orthogonal { order: None, unit, q: None, rows });
    }
    let qr = Qr::new(scaled, m, n);
    let near = if m > n { near(&qr.r(), n) } else { None };
    let rows = near.or_else(|| orthogonalise(qr.r(), n))?;
    Some(Orthogonal { order: None, unit, q: Some(qr.q()), rows })
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
