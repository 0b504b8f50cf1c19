mod implicit_ql;
mod rotations;
mod tridiagonal;

use std::cmp::Ordering;

use super::rows::{largest, scale_to_one};
use super::{LinalgError, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::dispatch;

use implicit_ql::diagonalise;
use rotations::Rotations;
use tridiagonal::Tridiagonalise;

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
    let tridiagonal = dispatch(Tridiagonalise { a: scaled, n });
    let mut rotations = Rotations::of(&tridiagonal.basis(), n);
    let (mut d, mut e) = (tridiagonal.diagonal, tridiagonal.off_diagonal);
    if !diagonalise(&mut d, &mut e, &mut rotations) {
        return None;
    }
    let q = rotations.into_matrix();
    let mut order: Vec<usize> = (0..n).collect();
    // None is NaN: that would not have counted as converged.
    order.sort_by(|&i, &j| d[i].partial_cmp(&d[j]).unwrap_or(Ordering::Equal));
    let values = order.iter().map(|&i| d[i] / scale).collect();
    let vectors = order.iter().flat_map(|&i| q[i * n..(i + 1) * n].iter().copied()).collect();
    Some((values, vectors))
}
