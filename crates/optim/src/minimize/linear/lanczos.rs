use crate::minimize::rounding;
use wengert_tensor::linalg::symmetric_eigen;

use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// An orthonormal Krylov basis V with VᵀAV tridiagonal: what [`lanczos`] makes.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Lanczos, lanczos};
/// let a = DenseOperator::with_diagonal(&[1.0f64, 2.0, 5.0]);
/// let mut krylov: Lanczos<f64> = lanczos(&a, &[1.0, 1.0, 1.0], 1);
/// // The Rayleigh quotient of the start, then all eigenvalues.
/// assert!((krylov.diagonal[0] - 8.0 / 3.0).abs() < 1e-14);
/// krylov.extend(&a, 3);
/// let (values, vectors) = krylov.ritz();
/// assert!(krylov.exhausted && (values[2] - 5.0).abs() < 1e-12);
/// let mut last = [0.0; 3];
/// krylov.combine(&vectors[6..], &mut last);
/// assert!((last[2].abs() - 1.0).abs() < 1e-12);
/// ```
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
    /// What is left of A times the last column outside of the space, its length. A Ritz pair's residual is this times
    /// the last component of its vector in the basis.
    pub residual: f64,
    next: Vec<T>,
}

/// At most `steps` Lanczos steps on symmetric A from `start`, reorthogonalised in full (`steps` vectors of memory).
/// Ends early where the space is exhausted or a product is not finite.
///
/// # Panics
/// If the length of `start` is not the operator's dimension.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::lanczos;
/// let krylov = lanczos(&DenseOperator::with_diagonal(&[1.0f64, 9.0]), &[1.0, 1.0], 10);
/// // Two dimensions are exhausted after two steps.
/// assert!(krylov.exhausted && krylov.basis.len() == 2);
/// assert!((krylov.ritz().0[1] - 9.0).abs() < 1e-12);
/// ```
#[track_caller]
pub fn lanczos<T: Float>(a: &dyn Operator<T>, start: &[T], steps: usize) -> Lanczos<T> {
    assert!(start.len() == a.dimension(), "lanczos: start of {}, operator of {}", start.len(), a.dimension());
    let mut result = Lanczos {
        basis: Vec::new(),
        diagonal: Vec::new(),
        off_diagonal: Vec::new(),
        exhausted: false,
        residual: vector::norm(start),
        next: start.to_vec(),
    };
    result.extend(a, steps);
    result
}

impl<T: Float> Lanczos<T> {
    /// Goes on until there are `steps` in all, with the same operator. Ends early as [`lanczos`] does.
    pub fn extend(&mut self, a: &dyn Operator<T>, steps: usize) {
        let n = self.next.len();
        while self.basis.len() < steps.min(n) && self.residual > 0.0 && self.residual.is_finite() {
            scale(1.0 / self.residual, &mut self.next);
            let v = self.next.clone();
            a.apply(&v, &mut self.next);
            let size = vector::norm(&self.next);
            if !size.is_finite() {
                self.residual = f64::NAN;
                return;
            }
            if !self.basis.is_empty() {
                self.off_diagonal.push(self.residual);
            }
            self.diagonal.push(dot(&v, &self.next));
            self.basis.push(v);
            orthogonalise(&self.basis, &mut self.next);
            self.residual = vector::norm(&self.next);
            if self.residual <= rounding::of::<T>(10.0, size) || self.basis.len() == n {
                self.residual = 0.0;
            }
        }
        self.exhausted = self.residual == 0.0;
    }

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
        // Products that were not finite have ended the iteration; their sums may still have overflowed.
        symmetric_eigen(&t, k).unwrap_or_else(|_| (vec![f64::NAN; k], vec![f64::NAN; k * k]))
    }

    /// `out = V y`.
    pub fn combine(&self, y: &[f64], out: &mut [T]) {
        out.fill(T::ZERO);
        for (&y, v) in y.iter().zip(&self.basis) {
            axpy(y, v, out);
        }
    }
}

/// Takes the components along orthonormal vectors out of `w`: twice, which is enough.
pub(crate) fn orthogonalise<T: Float>(basis: &[Vec<T>], w: &mut [T]) {
    for _ in 0..2 {
        for v in basis {
            axpy(-dot(v, w), v, w);
        }
    }
}
