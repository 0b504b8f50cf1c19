use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::factors::factors;
use super::matrices::{self, of_size};
use super::solve::solve_with_factors;
use crate::var::Var;

/// Identities in the place of square matrices.
pub(super) fn identities<T: Float>(like: &Var<T>) -> Var<T> {
    let n = like.shape()[like.rank() - 1];
    Var::constant(Tensor::eye(n)).broadcast_to(of_size(matrices::batch(like.shape()), [n, n]))
}

impl<T: Float> Var<T> {
    /// A⁻¹ of the square matrices in the last two axes. For A⁻¹ B, [`solve`](Var::solve) is faster and more accurate.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let inverse = Var::from([[2.0f64, 1.0], [0.0, 4.0]]).inv()?;
    /// assert_eq!(inverse.value().to_vec(), [0.5, -0.125, 0.0, 0.25]);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is singular to working precision or not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.inv")]
    #[doc(alias = "inverse")]
    #[track_caller]
    pub fn inv(&self) -> Result<Var<T>, MatrixError> {
        matrices::square("inv", self.shape());
        let factors = factors("inv", self, true)?;
        Ok(solve_with_factors(self, &identities(self), &factors, false))
    }

    /// Aⁿ of square matrices by repeated squaring; a negative n is a power of the inverse, and A⁰ the identity.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let fibonacci = Var::from([[1.0f64, 1.0], [1.0, 0.0]]).matrix_power(10)?;
    /// assert_eq!(fibonacci.value().at([0, 1]), 55.0);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If n is negative and a matrix singular or not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.matrix_power")]
    #[track_caller]
    pub fn matrix_power(&self, n: i32) -> Result<Var<T>, MatrixError> {
        matrices::square("matrix_power", self.shape());
        let mut square = if n < 0 { self.inv()? } else { self.clone() };
        let mut power = None::<Var<T>>;
        let mut left = n.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                power = Some(power.map_or_else(|| square.clone(), |power| power.full_matmul(&square)));
            }
            left >>= 1;
            if left > 0 {
                square = square.full_matmul(&square);
            }
        }
        Ok(power.unwrap_or_else(|| identities(self)))
    }
}
