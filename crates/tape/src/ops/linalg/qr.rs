use wengert_tensor::linalg::{self, LinalgError};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use super::triangular::{UPPER, solve_triangle};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::var::Var;

/// Q of A = Q R for A with at least as many rows as columns.
struct Orthonormal;

fn value<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
    let size @ [m, n] = matrices::size("qr", a.shape());
    each("qr", [a], size, &move |[a], q| {
        if !a.iter().all(|x| x.is_finite()) {
            return Err(LinalgError::NotFinite);
        }
        q.copy_from_slice(&linalg::Qr::new(a.to_vec(), m, n).q());
        Ok(())
    })
}

/// R = QᵀA, whose lower triangle is rounding.
fn triangular_factor<T: Float>(q: &Var<T>, a: &Var<T>) -> Var<T> {
    q.t().matmul(a).triu(0)
}

impl<T: Float> Op<T> for Orthonormal {
    fn name(&self) -> &str {
        "qr"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(value(inputs[0]))
    }
    /// Ā = (Q̄ + Q C) R⁻ᵀ, where C is symmetric with the lower triangle of −Q̄ᵀQ (Walter and Lehmann, "Algorithmic
    /// differentiation of linear algebra functions", 2010).
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let q = at.output();
            let m = -cotangent.t().matmul(q);
            let c = m.tril(0) + m.tril(-1).t();
            let right = (cotangent + q.matmul(&c)).t();
            solve_triangle(&triangular_factor(q, at.input(0)), UPPER, &right).t()
        });
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Orthonormal);
}

impl<T: Float> Var<T> {
    /// (Q, R) of A = Q R for the m × n matrices in the last two axes, by Householder reflections: with k = min(m, n), Q is
    /// m × k with orthonormal columns and R k × n upper triangular, with the signs that LAPACK gives them. The derivatives
    /// want the first k columns to be independent and are not finite where they are not.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let a = Var::from([[3.0f64, 1.0], [4.0, 2.0], [0.0, 2.0]]);
    /// let (q, r) = a.qr()?;
    /// assert!((q.matmul(&r) - &a).abs().max().item() < 1e-15);
    /// assert!((r.value().at([0, 0]) + 5.0).abs() < 1e-15);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[doc(alias = "linalg.qr")]
    #[track_caller]
    pub fn qr(&self) -> Result<(Var<T>, Var<T>), MatrixError> {
        let [m, n] = matrices::size("qr", self.shape());
        let tall = if m < n { self.slice_axis(-1, ..m as isize) } else { self.clone() };
        let value = value(tall.value())?;
        let q = apply_known(Orthonormal, &[&tall], &[], value);
        let r = triangular_factor(&q, self);
        Ok((q, r))
    }
}
