use wengert_tensor::linalg::symmetric_eigen;
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect, symmetric};
use crate::data::Mask;
use crate::op::{Cotangents, Op, Point, apply, apply_known, is_tracked, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// The eigenvalues of symmetric matrices in a first row, and below it the eigenvectors as columns.
struct Eigen;

pub(super) fn value<T: Float>(operation: &'static str, a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
    let n = matrices::square(operation, a.shape());
    each(operation, [a], [n + 1, n], &|[a], out| {
        let (values, vectors) = symmetric_eigen(a, n)?;
        out[..n].copy_from_slice(&values);
        for (i, row) in out[n..].chunks_exact_mut(n.max(1)).enumerate() {
            row.iter_mut().enumerate().for_each(|(k, x)| *x = vectors[k * n + i]);
        }
        Ok(())
    })
}

pub(super) fn parts<T: Float>(packed: &Var<T>) -> (Var<T>, Var<T>) {
    (packed.select(-2, 0), packed.slice_axis(-2, 1..))
}

/// What separates numbers, sⱼ − sᵢ, from 0 when it is not rounding: the inverses, 0 where it is.
fn inverse_gaps<T: Float>(values: &Var<T>) -> Var<T> {
    inverse_gaps_beside(values, &rounding(values).unsqueeze(-1))
}

/// Likewise, where `rounding` is that of a pair, `[…, n, n]`, or of all, `[…, 1, 1]`.
pub(super) fn inverse_gaps_beside<T: Float>(values: &Var<T>, rounding: &Var<T>) -> Var<T> {
    let gaps = values.unsqueeze(-2) - values.unsqueeze(-1);
    let together = gaps.abs().le(rounding);
    gaps.masked_fill(together, f64::INFINITY).recip()
}

/// Where the difference of two numbers is rounding.
fn together<T: Float>(values: &Var<T>) -> Mask<T> {
    let gaps = values.unsqueeze(-2) - values.unsqueeze(-1);
    gaps.abs().le(rounding(values).unsqueeze(-1))
}

/// Y of Y·B − B·Y = X, for matrices B that are diagonal and X that count only between different eigenvalues: F∘X. Its inputs
/// are F, a constant, B and X. The derivative along changes of B need not be diagonal between equal eigenvalues.
struct Between;

impl<T: Float> Op<T> for Between {
    fn name(&self) -> &str {
        "between_eigenvalues"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        inputs[0] * inputs[2]
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let [f, b, y] = [at.input(0), at.input(1), at.output()];
        let of_x = apply(Between, &[f, b, cotangent]);
        into.add(1, || of_x.full_matmul(&y.t()) - y.t().full_matmul(&of_x));
        into.add(2, || of_x);
    }
    rules_compiled_here!(Between);
}

/// What is rounding beside the largest of n numbers, 4 n ε times it, and at least what has no inverse in range; `[…, 1]`.
pub(super) fn rounding<T: Float>(values: &Var<T>) -> Var<T> {
    let n = values.shape()[values.rank() - 1];
    let largest = if n == 0 { values.sum_axes(-1, true) } else { values.abs().max_axes(-1, true) };
    largest.stop_gradient() * (4.0 * n as f64 * T::EPSILON.to_f64()) + 2.0 / T::MAX.to_f64()
}

impl<T: Float> Op<T> for Eigen {
    fn name(&self) -> &str {
        "eigh"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(value("eigh", inputs[0]))
    }
    /// Ā = V (diag(λ̄) + F ∘ VᵀV̄) Vᵀ with F = 1/(λⱼ − λᵢ), and 0 where two eigenvalues are one. Where that is to be
    /// differentiated, F must change with all of VᵀAV that turns equal eigenvalues into different ones.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let (values, vectors) = parts(at.output());
            let (of_values, of_vectors) = parts(cotangent);
            let turned = vectors.t().full_matmul(&of_vectors);
            let a = at.input(0);
            let turned = if is_tracked(&[a, at.output(), cotangent]) {
                let turned_back = vectors.t().full_matmul(a).full_matmul(&vectors);
                let within = Var::select_where(together(&values), &turned_back, &Var::scalar(T::ZERO));
                apply(Between, &[&inverse_gaps(&values.stop_gradient()), &within, &turned])
            } else {
                inverse_gaps(&values) * turned
            };
            symmetric(&vectors.full_matmul(&(turned + of_values.diag(0))).full_matmul(&vectors.t()))
        });
    }
    rules_compiled_here!(Eigen);
}

impl<T: Float> Var<T> {
    /// (λ, V) of A = V diag(λ) Vᵀ for the symmetric matrices in the last two axes: the eigenvalues in ascending order,
    /// `[…, n]`, and the eigenvectors as the columns of V. Their symmetric part ½ (A + Aᵀ) is what counts; the derivatives
    /// are symmetric.
    ///
    /// Eigenvectors are determined up to their sign, and within the space of an eigenvalue that occurs several times not at
    /// all. There, to rounding, their derivative is taken to be 0. So derivatives of a function that depends on such a space but
    /// not on its basis, and not on the single eigenvalues, as a projector does, are right and finite, of second order
    /// too; of a function of the eigenvalues that treats them all alike the gradient is, and its second derivative is
    /// finite but lacks what makes the eigenvalues differ. [`symmetric_function`](Var::symmetric_function) has the right ones.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (values, vectors) = Var::from([[2.0f64, 1.0], [1.0, 2.0]]).eigh()?;
    /// assert!((values - Var::from([1.0, 3.0])).abs().max().item() < 1e-15);
    /// assert!((vectors.t().matmul(&vectors) - Var::from([[1.0, 0.0], [0.0, 1.0]])).abs().max().item() < 1e-15);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite, or its eigenvalues do not converge.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.eigh")]
    #[track_caller]
    pub fn eigh(&self) -> Result<(Var<T>, Var<T>), MatrixError> {
        matrices::square("eigh", self.shape());
        let a = symmetric(self);
        let timing = Timing::start();
        let value = value("eigh", a.value())?;
        timing.named::<T>("eigh", &[a.shape()], value.shape());
        Ok(parts(&apply_known(Eigen, &[&a], &[], value)))
    }

    /// The eigenvalues of symmetric matrices in ascending order: see [`eigh`](Var::eigh).
    ///
    /// # Errors
    /// If a matrix is not finite, or its eigenvalues do not converge.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.eigvalsh")]
    #[track_caller]
    pub fn eigvalsh(&self) -> Result<Var<T>, MatrixError> {
        Ok(self.eigh()?.0)
    }
}
