use wengert_tensor::linalg::exponential;
use wengert_tensor::{Float, Tensor};

use super::MatrixError;
use super::matrices::{self, each, expect};
use crate::op::{Cotangents, Op, Point, Saves, apply_known, rules_compiled_here};
use crate::profile::Timing;
use crate::var::Var;

/// e^A.
struct Exponential;

fn value<T: Float>(a: &Tensor<T>) -> Result<Tensor<T>, MatrixError> {
    let n = matrices::square("matrix_exp", a.shape());
    each("matrix_exp", [a], [n, n], &|[a], out| {
        out.copy_from_slice(&exponential(a, n)?);
        Ok(())
    })
}

/// The derivative of e^A along D: what is right above in the exponential of [[A, D], [0, A]] (Van Loan, 1978). Where the
/// exponential is finite but that of the larger matrix is not, NaN.
fn derivative<T: Float>(a: &Var<T>, d: &Var<T>) -> Var<T> {
    let n = a.shape()[a.rank() - 1] as isize;
    let above = Var::cat(&[a, d], -1);
    let below = Var::cat(&[&Var::zeros(a.shape()), a], -1);
    let whole = Var::cat(&[above, below], -2);
    let timing = Timing::start();
    let value = value(whole.value()).unwrap_or_else(|_| Tensor::full(whole.shape().clone(), T::NAN));
    timing.named::<T>("matrix_exp", &[whole.shape()], whole.shape());
    let both = apply_known(Exponential, &[&whole], &[], value);
    both.slice_axis(-2, ..n).slice_axis(-1, n..)
}

impl<T: Float> Op<T> for Exponential {
    fn name(&self) -> &str {
        "matrix_exp"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        expect(value(inputs[0]))
    }
    /// The transpose of the derivative at A is that at Aᵀ.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || derivative(&at.input(0).t(), cotangent));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| derivative(at.input(0), t))
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Exponential);
}

impl<T: Float> Var<T> {
    /// e^A = Σ Aᵏ/k! of the square matrices in the last two axes, by scaling, a Padé approximant of degree 13 and squaring
    /// (Higham, 2005).
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let turned = Var::from([[0.0f64, -1.0], [1.0, 0.0]]).matrix_exp()?;
    /// assert!((turned.value().at([0, 0]) - 1f64.cos()).abs() < 1e-15);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.matrix_exp")]
    #[track_caller]
    pub fn matrix_exp(&self) -> Result<Var<T>, MatrixError> {
        matrices::square("matrix_exp", self.shape());
        let timing = Timing::start();
        let value = value(self.value())?;
        timing.named::<T>("matrix_exp", &[self.shape()], self.shape());
        Ok(apply_known(Exponential, &[self], &[], value))
    }
}
