use wengert_tensor::Float;
use wengert_tensor::linalg::{LinalgError, Triangle, dependent_row};

use super::MatrixError;
use super::matrices::{self, each, with_one_batch};
use super::triangular::{UPPER, solve_triangle};
use crate::var::Var;

/// The matrices of full rank, by the diagonals of their triangular factors.
fn check_rank<T: Float>(r: &Var<T>) -> Result<(), MatrixError> {
    let n = r.shape()[r.rank() - 1];
    let check = |[r]: [&[T]; 1], _: &mut [T]| match dependent_row(r, n) {
        Some(row) => Err(LinalgError::Singular { row }),
        None => Ok(()),
    };
    each("lstsq", [r.value()], [0, 0], &check).map(drop)
}

impl<T: Float> Var<T> {
    /// The X that makes ‖A X − B‖ least, by QR factorisation, for m × n matrices of full rank in the last two axes and `b` of
    /// shape `[…, m, k]` or a vector `[m]`; with more columns than rows the smallest X of those that solve A X = B. For
    /// matrices of any rank, `a.pinv(None)?.matmul(&b)`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// // The line through (0, 1), (1, 3), (2, 5).
    /// let a = Var::from([[1.0f64, 0.0], [1.0, 1.0], [1.0, 2.0]]);
    /// let x = a.lstsq(&Var::from([1.0, 3.0, 5.0]))?;
    /// assert!((x - Var::from([1.0, 2.0])).abs().max().item() < 1e-14);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not of full rank to working precision, or not finite.
    ///
    /// # Panics
    /// If `b` has another number of rows or a batch that does not broadcast.
    #[doc(alias = "linalg.lstsq")]
    #[track_caller]
    pub fn lstsq(&self, b: &Var<T>) -> Result<Var<T>, MatrixError> {
        let [m, _] = matrices::size("lstsq", self.shape());
        if b.rank() == 1 {
            return Ok(self.lstsq(&b.unsqueeze(1))?.squeeze(-1));
        }
        let [rows, _] = matrices::size("lstsq", b.shape());
        assert!(rows == m, "lstsq: shapes {} and {} have different numbers of rows", self.shape(), b.shape());
        let (a, b) = with_one_batch("lstsq", self, b);
        let unit = matrices::unit(&a);
        Ok(full_rank(&(a / &unit), &b)? / unit)
    }
}

/// The least squares of matrices of full rank.
fn full_rank<T: Float>(a: &Var<T>, b: &Var<T>) -> Result<Var<T>, MatrixError> {
    let [m, n] = matrices::size("lstsq", a.shape());
    if m >= n {
        let (q, r) = a.qr()?;
        check_rank(&r)?;
        return Ok(solve_triangle(&r, UPPER, &q.t().matmul(b)));
    }
    // Aᵀ = Q R, so that X = Q R⁻ᵀ B is in the space of the rows.
    let (q, r) = a.t().qr()?;
    check_rank(&r)?;
    Ok(q.matmul(&solve_triangle(&r, Triangle { transposed: true, ..UPPER }, b)))
}
