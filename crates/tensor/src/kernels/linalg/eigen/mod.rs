mod halves;
mod implicit_ql;
mod rotations;
mod secular;
#[cfg(test)]
mod tests;
mod tridiagonal;

use super::rows::{largest, scale_to_one};
use super::{LinalgError, check_square};
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::simd::dispatch;

use halves::tridiagonal_eigen;
use tridiagonal::Tridiagonalise;

/// All eigenvalues of a symmetric n × n matrix in ascending order, and the eigenvectors: vector k is elements
/// k n .. (k + 1) n. By Householder tridiagonalisation, and then by halves (Cuppen, 1981) that implicit QL solves when they are small
/// (Wilkinson and Reinsch, 1971).
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
        if let Some(found) = found.filter(|(values, _)| values.iter().all(|x| x.is_finite())) {
            return Ok(found);
        }
        let largest = largest(a);
        let again = if largest > T::ZERO { in_unit(a, n, scale_to_one(largest)) } else { None };
        again.ok_or(LinalgError::NoConvergence)
    }
}

/// The eigenvalues and vectors by those of the matrix times `scale`; `None` if they do not converge.
fn in_unit<T: Float>(a: &[T], n: usize, scale: T) -> Option<(Vec<T>, Vec<T>)> {
    let scaled = a.iter().map(|&x| x * scale).collect();
    let tridiagonal = dispatch(Tridiagonalise { a: scaled, n });
    let (mut d, mut e) = (tridiagonal.diagonal.clone(), tridiagonal.off_diagonal.clone());
    let rows = tridiagonal_eigen(&mut d, &mut e)?;
    d.iter_mut().for_each(|value| *value /= scale);
    Some((d, tridiagonal.turned(rows)))
}
