use wengert_tensor::{Float, Shape, Tensor};

use super::MatrixError;
use super::matrices;
use crate::var::Var;

/// A norm of matrices, or what is the smallest where the norm is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatrixNorm {
    /// The root of the sum of squares, `"fro"`.
    Frobenius,
    /// The sum of the singular values, `"nuc"`.
    Nuclear,
    /// The largest singular value, 2.
    Spectral,
    /// The smallest singular value, −2.
    SmallestSingularValue,
    /// The largest sum of absolute values in a column, 1.
    MaxColumnSum,
    /// The smallest sum of absolute values in a column, −1.
    MinColumnSum,
    /// The largest sum of absolute values in a row, ∞.
    MaxRowSum,
    /// The smallest sum of absolute values in a row, −∞.
    MinRowSum,
}

impl<T: Float> Var<T> {
    /// A norm of the matrices in the last two axes.
    ///
    /// ```
    /// use wengert_tape::{MatrixNorm, Var};
    /// let a = Var::from([[3.0f64, 0.0], [0.0, -4.0]]);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Frobenius)?.item(), 5.0);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Nuclear)?.item(), 7.0);
    /// assert_eq!(a.matrix_norm(MatrixNorm::MaxRowSum)?.item(), 4.0);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// For those made of singular values, if a matrix is not finite.
    ///
    /// # Panics
    /// If there are fewer than two axes, or the largest or smallest of nothing is asked for.
    #[doc(alias = "linalg.matrix_norm")]
    #[doc(alias = "nuclear_norm")]
    #[track_caller]
    pub fn matrix_norm(&self, norm: MatrixNorm) -> Result<Var<T>, MatrixError> {
        matrices::size("matrix_norm", self.shape());
        Ok(match norm {
            MatrixNorm::Frobenius => self.norm_axes(2.0, [-2isize, -1], false),
            MatrixNorm::Nuclear => self.svdvals()?.sum_axes(-1, false),
            MatrixNorm::Spectral => self.svdvals()?.max_axes(-1, false),
            MatrixNorm::SmallestSingularValue => self.svdvals()?.min_axes(-1, false),
            MatrixNorm::MaxColumnSum => self.abs().sum_axes(-2, false).max_axes(-1, false),
            MatrixNorm::MinColumnSum => self.abs().sum_axes(-2, false).min_axes(-1, false),
            MatrixNorm::MaxRowSum => self.abs().sum_axes(-1, false).max_axes(-1, false),
            MatrixNorm::MinRowSum => self.abs().sum_axes(-1, false).min_axes(-1, false),
        })
    }

    /// The condition number, the largest singular value over the smallest; infinite for singular matrices.
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If there are fewer than two axes, or matrices without elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let condition = Var::from([[4.0f64, 0.0], [0.0, 0.5]]).cond()?;
    /// assert!((condition.item() - 8.0).abs() < 1e-14);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    #[doc(alias = "linalg.cond")]
    #[track_caller]
    pub fn cond(&self) -> Result<Var<T>, MatrixError> {
        let [m, n] = matrices::size("cond", self.shape());
        assert!(m.min(n) > 0, "cond: matrices of shape {} have no singular values", self.shape());
        // The squares and cubes in the quotient's derivatives may be out of range where its own are not.
        let values = self.svdvals()?.in_units_of_rows();
        Ok(values.select(-1, 0) / values.select(-1, -1))
    }

    /// How many singular values are above `tolerance` times the largest; `None` means max(m, n) ε.
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let twice = Var::from([[1.0f64, 2.0], [2.0, 4.0]]);
    /// assert_eq!(twice.matrix_rank(None)?.item(), 1);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    #[doc(alias = "linalg.matrix_rank")]
    #[track_caller]
    pub fn matrix_rank(&self, tolerance: Option<f64>) -> Result<Tensor<u32>, MatrixError> {
        let [m, n] = matrices::size("matrix_rank", self.shape());
        let tolerance = T::from_f64(tolerance.unwrap_or(m.max(n) as f64 * T::EPSILON.to_f64()));
        let values = self.stop_gradient().svdvals()?.into_value();
        let k = m.min(n);
        let numbers = values.to_vec();
        let count = |s: &[T]| s.iter().filter(|&&x| x > tolerance * s[0]).count() as u32;
        let batch = matrices::batch(self.shape());
        let ranks: Vec<u32> = match k {
            0 => vec![0; batch.iter().product()],
            _ => numbers.chunks_exact(k).map(count).collect(),
        };
        Ok(Tensor::vector(&ranks).reshape(Shape::from(batch)))
    }
}
