use wengert_tensor::linalg::{self, LinalgError};
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use super::triangular::{UPPER, solve_triangle};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
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
    q.t().full_matmul(a).triu(0)
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
            let m = -cotangent.t().full_matmul(q);
            let c = m.tril(0) + m.tril(-1).t();
            let right = (cotangent + q.full_matmul(&c)).t();
            solve_triangle(&triangular_factor(q, at.input(0)), UPPER, &right).t()
        });
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Orthonormal);
}

impl<T: Float> Var<T> {
    /// The first n columns of the product of reflections I − τᵢ vᵢ vᵢᵀ, in their order: the vectors are below the diagonal of
    /// these m × n matrices, with 1 on it, and `tau` is `[…, k]` for k ≤ n ≤ m.
    ///
    /// # Panics
    /// If the shapes do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let a = Var::from([[0.0f64], [1.0]]);
    /// // The reflection at (1, 1) exchanges the axes with the other signs.
    /// assert_eq!(a.householder_product(&Var::from([1.0])).value().to_vec(), [0.0, -1.0]);
    /// ```
    #[doc(alias = "orgqr")]
    #[track_caller]
    pub fn householder_product(&self, tau: &Var<T>) -> Var<T> {
        let [m, n] = matrices::size("householder_product", self.shape());
        let batch = matrices::batch(self.shape());
        let k = tau.shape().last().copied();
        let fits = n <= m && k.is_some_and(|k| k <= n) && tau.shape()[..tau.rank() - 1] == *batch;
        assert!(
            fits,
            "householder_product: factors of shape {} for vectors of shape {}",
            tau.shape(),
            self.shape()
        );
        let identity =
            Var::constant(Tensor::from_fn([m, n], |i| if i[0] == i[1] { T::ONE } else { T::ZERO }));
        let vectors = self.tril(-1) + &identity;
        let mut q = identity.broadcast_to(self.shape());
        for i in (0..k.unwrap_or(0)).rev() {
            let v = vectors.select(-1, i as isize).unsqueeze(-1);
            let factor = tau.select(-1, i as isize).unsqueeze(-1).unsqueeze(-1);
            q = &q - factor * &v * v.t().full_matmul(&q);
        }
        q
    }

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
        let timing = Timing::start();
        let value = value(tall.value())?;
        timing.named::<T>("qr", &[tall.shape()], value.shape());
        let q = apply_known(Orthonormal, &[&tall], &[], value);
        let r = triangular_factor(&q, self);
        Ok((q, r))
    }
}
