use super::dense::symmetric_eigen;
use crate::objective::Operator;
use crate::vector::{self, Float, axpy, dot, scale};

/// An orthonormal Krylov basis V with VᵀAV tridiagonal: what [`lanczos`] makes.
#[derive(Clone, Debug)]
pub struct Lanczos<T> {
    /// The columns of V.
    pub basis: Vec<Vec<T>>,
    /// The diagonal of VᵀAV.
    pub diagonal: Vec<f64>,
    /// Its off-diagonal.
    pub off_diagonal: Vec<f64>,
    /// Whether the space is invariant under A, so that the Ritz values are eigenvalues.
    pub exhausted: bool,
}

/// At most `steps` Lanczos steps on symmetric A from `start`, reorthogonalised in full (`steps` vectors of memory).
/// Ends early where the space is exhausted or a product is not finite.
///
/// # Panics
/// If the length of `start` is not the operator's dimension.
#[track_caller]
pub fn lanczos<T: Float>(a: &dyn Operator<T>, start: &[T], steps: usize) -> Lanczos<T> {
    assert!(start.len() == a.dimension(), "lanczos: start of {}, operator of {}", start.len(), a.dimension());
    let mut result =
        Lanczos { basis: Vec::new(), diagonal: Vec::new(), off_diagonal: Vec::new(), exhausted: false };
    let mut w = start.to_vec();
    let mut length = vector::norm(&w);
    for _ in 0..steps.min(start.len()) {
        if length == 0.0 || !length.is_finite() {
            result.exhausted = length == 0.0;
            break;
        }
        scale(1.0 / length, &mut w);
        let v = w.clone();
        a.apply(&v, &mut w);
        let size = vector::norm(&w);
        if !size.is_finite() {
            break;
        }
        if !result.basis.is_empty() {
            result.off_diagonal.push(length);
        }
        result.diagonal.push(dot(&v, &w));
        result.basis.push(v);
        // Twice is enough.
        for _ in 0..2 {
            for v in &result.basis {
                axpy(-dot(v, &w), v, &mut w);
            }
        }
        length = vector::norm(&w);
        if length <= 10.0 * T::EPSILON.to_f64() * size {
            length = 0.0;
        }
    }
    result.exhausted |= length == 0.0 || result.basis.len() == start.len();
    result
}

impl<T: Float> Lanczos<T> {
    /// The Ritz values in ascending order, with their vectors in the basis as columns (k × k, by columns).
    pub fn ritz(&self) -> (Vec<f64>, Vec<f64>) {
        let k = self.diagonal.len();
        let mut t = vec![0.0; k * k];
        for i in 0..k {
            t[i * k + i] = self.diagonal[i];
            if i + 1 < k {
                t[i * k + i + 1] = self.off_diagonal[i];
                t[(i + 1) * k + i] = self.off_diagonal[i];
            }
        }
        symmetric_eigen(&t, k)
    }

    /// `out = V y`.
    pub fn combine(&self, y: &[f64], out: &mut [T]) {
        out.fill(T::ZERO);
        for (&y, v) in y.iter().zip(&self.basis) {
            axpy(y, v, out);
        }
    }
}
