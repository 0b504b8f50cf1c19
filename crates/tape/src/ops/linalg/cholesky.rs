use wengert_tensor::linalg;
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::inverse::identities;
use super::matrices::{self, each, expect, symmetric};
use super::triangular::{LOWER, LOWER_TRANSPOSED, solve_triangle};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// L of A = L Lᵀ for symmetric A.
struct Cholesky;

fn value<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
    let n = matrices::square("cholesky", a.shape());
    each("cholesky", [a], [n, n], &|[a], l| {
        l.copy_from_slice(linalg::Cholesky::new(a, n)?.factor());
        Ok(())
    })
}

/// The lower triangle with half the diagonal.
fn half_lower<T: Float>(x: &Var<T>) -> Var<T> {
    (x.tril(0) + x.tril(-1)) * 0.5
}

impl<T: Float> Op<T> for Cholesky {
    fn name(&self) -> &str {
        "cholesky"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(value(inputs[0]))
    }
    /// Ā = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, where Φ halves the diagonal of the lower triangle (Murray, "Differentiation of the Cholesky
    /// decomposition", 2016); its transpose is the same, since A is symmetric.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let l = at.output();
            let inner = half_lower(&l.t().full_matmul(&cotangent.tril(0)));
            let left = solve_triangle(l, LOWER_TRANSPOSED, &inner);
            solve_triangle(l, LOWER_TRANSPOSED, &left.t())
        });
    }
    /// L̇ = L Φ(L⁻¹ Ȧ L⁻ᵀ).
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let l = at.output();
        let left = solve_triangle(l, LOWER, &symmetric(tangents[0].as_ref()?));
        Some(l.full_matmul(&half_lower(&solve_triangle(l, LOWER, &left.t()))))
    }
    fn saves(&self) -> Saves {
        Saves::OUTPUT
    }
    rules_compiled_here!(Cholesky);
}

impl<T: Float> Var<T> {
    /// L, lower triangular with a positive diagonal, of A = L Lᵀ for the symmetric positive definite matrices in the last two
    /// axes. Their symmetric part ½ (A + Aᵀ) is what counts; the derivatives are symmetric.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let l = Var::from([[4.0f64, 2.0], [2.0, 5.0]]).cholesky()?;
    /// assert_eq!(l.value().to_vec(), [2.0, 0.0, 1.0, 2.0]);
    /// let error = Var::from([[1.0, 2.0], [2.0, 1.0]]).cholesky().unwrap_err();
    /// assert_eq!(error.to_string(), "cholesky: the matrix is not positive definite (row 1)");
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not positive definite to working precision or not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.cholesky")]
    #[track_caller]
    pub fn cholesky(&self) -> Result<Var<T>, MatrixError> {
        matrices::square("cholesky", self.shape());
        let a = symmetric(self);
        let timing = Timing::start();
        let value = value(a.value())?;
        timing.named::<T>("cholesky", &[a.shape()], a.shape());
        Ok(apply_known(Cholesky, &[&a], &[], value))
    }

    /// (L Lᵀ)⁻¹ B for the factor L that [`cholesky`](Var::cholesky) gives, and `b` of shape `[…, n, k]` or a vector `[n]`.
    ///
    /// # Errors
    /// If there is a 0 on a diagonal.
    ///
    /// # Panics
    /// If the factors are not square, or `b` has another number of rows or a batch that does not broadcast.
    #[track_caller]
    pub fn cholesky_solve(&self, b: &Var<T>) -> Result<Var<T>, MatrixError> {
        self.solve_triangular(LOWER_TRANSPOSED, &self.solve_triangular(LOWER, b)?)
    }

    /// (L Lᵀ)⁻¹ for the factor L that [`cholesky`](Var::cholesky) gives.
    ///
    /// # Errors
    /// If there is a 0 on a diagonal.
    ///
    /// # Panics
    /// If the factors are not square.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// // The inverse of L Lᵀ from the factor L.
    /// let inverse = Var::from([[2.0f64, 0.0], [0.0, 1.0]]).cholesky_inverse()?;
    /// assert_eq!(inverse.value().to_vec(), [0.25, 0.0, 0.0, 1.0]);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    #[track_caller]
    pub fn cholesky_inverse(&self) -> Result<Var<T>, MatrixError> {
        matrices::square("cholesky_inverse", self.shape());
        self.cholesky_solve(&identities(self))
    }
}
