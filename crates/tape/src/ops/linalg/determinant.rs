use wengert_tensor::linalg::LinalgError;
use wengert_tensor::{Float, Shape, Tensor};

use super::MatrixError;
use super::cofactors::{cofactors, cofactors_along};
use super::factors::{factors, scale_of, sign_and_pivots};
use super::far::Far;
use super::inverse::identities;
use super::matrices::{self, each, expect};
use super::solve::solve_with_factors;
use crate::class::{Piecewise, piecewise};
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

/// det A, of A and its factors.
struct Determinant;
/// The cofactors of A, det(A) A⁻ᵀ where A is invertible: the gradient of det A.
struct Cofactor;
/// The second derivative of det at A along H, of A and H.
struct CofactorAlong;
/// ln |det A|, of A and its factors.
struct LogDeterminant;
/// The sign of det A, of the factors.
#[derive(Clone)]
struct Sign;

/// A matrix of one number for each matrix.
fn as_matrices<T: Float>(numbers: &Var<T>) -> Var<T> {
    numbers.unsqueeze(-1).unsqueeze(-1)
}

/// The sum of the diagonals, as matrices of one number.
fn trace<T: Float>(x: &Var<T>) -> Var<T> {
    as_matrices(&x.diagonal(0).sum_axes(-1, false))
}

/// The batch without the axes of the matrices, which have one element.
fn without_matrix<T: Float>(x: Tensor<T>) -> Tensor<T> {
    let batch = Shape::from(matrices::batch(x.shape()));
    x.reshape(batch)
}

/// The product of numbers and of a power of two, which itself is in range, though those on the way may not be.
fn product<T: Float>(numbers: impl Iterator<Item = T>, power: i64) -> T {
    let mut product = Far::ONE;
    for x in numbers {
        product = product.times(x.to_f64());
        if !product.has_exponent() {
            break;
        }
    }
    product.in_range(power)
}

impl<T: Float> Op<T> for Determinant {
    fn name(&self) -> &str {
        "det"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let n = matrices::square("det", inputs[0].shape());
        without_matrix(expect(each("det", [inputs[1]], [1, 1], &|[factors], out| {
            let (sign, pivots) = sign_and_pivots(factors, n);
            out[0] = product(pivots.into_iter().chain([sign]), scale_of(factors, n));
            Ok(())
        })))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || as_matrices(cotangent) * apply(Cofactor, &[at.input(0)]));
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Determinant);
}

/// The cofactors of a 2 × 2 matrix, which are its elements: exact, and linear.
fn cofactors_of_two<T: Float>([a]: [&[T]; 1], out: &mut [T]) -> Result<(), LinalgError> {
    out.copy_from_slice(&[a[3], -a[2], -a[1], a[0]]);
    Ok(())
}

fn finite<T: Float>(a: &[T]) -> Result<(), LinalgError> {
    if a.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(LinalgError::NotFinite) }
}

impl<T: Float> Op<T> for Cofactor {
    fn name(&self) -> &str {
        "cofactor"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        if inputs[0].dim(-1) == 2 {
            return expect(each("det", [inputs[0]], [2, 2], &cofactors_of_two));
        }
        let n = matrices::square("det", inputs[0].shape());
        expect(each("det", [inputs[0]], [n, n], &|[a], out| {
            finite(a)?;
            cofactors(a, n, out);
            Ok(())
        }))
    }
    /// Second derivatives are symmetric.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || apply(CofactorAlong, &[at.input(0), cotangent]));
    }
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| apply(CofactorAlong, &[at.input(0), t]))
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Cofactor);
}

impl<T: Float> Op<T> for CofactorAlong {
    fn name(&self) -> &str {
        "cofactor_along"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        if inputs[0].dim(-1) == 2 {
            return expect(each("det", [inputs[1]], [2, 2], &cofactors_of_two));
        }
        let n = matrices::square("det", inputs[0].shape());
        expect(each("det", [inputs[0], inputs[1]], [n, n], &|[a, h], out| {
            finite(a)?;
            cofactors_along(a, h, n, out);
            Ok(())
        }))
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (a, h) = (at.input(0), at.input(1));
        into.add(0, || third_derivative(a, h, cotangent));
        into.add(1, || apply(CofactorAlong, &[a, cotangent]));
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(CofactorAlong);
}

/// The gradient in A of det(A) (tr X tr Y − tr XY) with X = A⁻¹H and Y = A⁻¹K, which is the second derivative of det along H
/// and K; NaN where A is singular.
fn third_derivative<T: Float>(a: &Var<T>, h: &Var<T>, k: &Var<T>) -> Var<T> {
    let (Ok(factors), Ok(inverse)) = (factors("det", a, false), a.inv()) else {
        return Var::constant(Tensor::full(a.shape().clone(), T::NAN));
    };
    let det = as_matrices(&apply(Determinant, &[a, &factors]));
    let [x, y] = [h, k].map(|v| inverse.full_matmul(v));
    let (xy, yx) = (x.full_matmul(&y), y.full_matmul(&x));
    let (tr_x, tr_y) = (trace(&x), trace(&y));
    let inner = (&tr_x * &tr_y - trace(&xy)) * &inverse
        - tr_y * x.full_matmul(&inverse)
        - tr_x * y.full_matmul(&inverse)
        + (xy + yx).full_matmul(&inverse);
    det * inner.t()
}

impl<T: Float> Op<T> for LogDeterminant {
    fn name(&self) -> &str {
        "logabsdet"
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let n = matrices::square("slogdet", inputs[0].shape());
        without_matrix(expect(each("slogdet", [inputs[1]], [1, 1], &|[factors], out| {
            let (_, pivots) = sign_and_pivots(factors, n);
            let logarithms = pivots.into_iter().map(|pivot| pivot.to_f64().abs().ln());
            let scale = scale_of(factors, n) as f64 * std::f64::consts::LN_2;
            out[0] = T::from_f64(logarithms.sum::<f64>() + scale);
            Ok(())
        })))
    }
    /// A⁻ᵀ times the cotangent.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let [a, factors] = [0, 1].map(|i| at.input(i));
        into.add(0, || as_matrices(cotangent) * solve_with_factors(a, &identities(a), factors, true));
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(LogDeterminant);
}

impl<T: Float> Piecewise<T> for Sign {
    fn name(&self) -> &str {
        "sign_of_det"
    }
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        let n = inputs[0].dim(-1);
        without_matrix(expect(each("slogdet", [inputs[0]], [1, 1], &|[factors], out| {
            let (sign, pivots) = sign_and_pivots(factors, n);
            out[0] = pivots.into_iter().fold(sign, |sign, pivot| match pivot {
                pivot if pivot == T::ZERO => T::ZERO,
                pivot if pivot < T::ZERO => -sign,
                _ => sign,
            });
            Ok(())
        })))
    }
    fn output_shape(&self, _: &[&Shape]) -> Option<Shape> {
        None
    }
    rules_compiled_here!(Sign in PiecewiseOp);
}

impl<T: Float> Var<T> {
    /// The determinants of the square matrices in the last two axes, by LU factorisation. The derivatives of first and second
    /// order are those of a polynomial, right at singular matrices too; those beyond want an inverse and are NaN there.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let a = Var::from([[1.0f64, 2.0], [2.0, 4.0]]);
    /// assert_eq!(a.det()?.item(), 0.0);
    /// let cofactors = grad(|a: &Var<f64>| a.det().expect("a finite matrix"), &a);
    /// assert!((cofactors - Var::from([[4.0, -2.0], [-2.0, 1.0]])).abs().max().item() < 1e-14);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.det")]
    #[track_caller]
    pub fn det(&self) -> Result<Var<T>, MatrixError> {
        matrices::square("det", self.shape());
        let factors = factors("det", self, false)?;
        Ok(apply(Determinant, &[self, &factors]))
    }

    /// The sign and the logarithm of the absolute value of the determinants: sign · e^log = det, where det itself may be out of
    /// range. A singular matrix has the sign 0 and the logarithm −∞, and no finite derivative.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (sign, log) = Var::from([[0.0f64, 1e200], [1e200, 0.0]]).slogdet()?;
    /// assert_eq!(sign.item(), -1.0);
    /// assert!((log.item() - 400.0 * 10f64.ln()).abs() < 1e-12);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    ///
    /// # Errors
    /// If a matrix is not finite.
    ///
    /// # Panics
    /// If the matrices are not square.
    #[doc(alias = "linalg.slogdet")]
    #[track_caller]
    pub fn slogdet(&self) -> Result<(Var<T>, Var<T>), MatrixError> {
        matrices::square("slogdet", self.shape());
        let factors = factors("slogdet", self, false)?;
        Ok((piecewise(Sign, &[&factors]), apply(LogDeterminant, &[self, &factors])))
    }

    /// ln det of the square matrices in the last two axes.
    ///
    /// # Errors
    /// If a determinant is 0 or negative, or a matrix not finite. [`slogdet`](Var::slogdet) has a result for all.
    ///
    /// # Panics
    /// If the matrices are not square.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let a = Var::from([[2.0f64, 0.0], [0.0, 3.0]]);
    /// assert!((a.logdet()?.item() - 6f64.ln()).abs() < 1e-15);
    /// # Ok::<(), wengert_tape::MatrixError>(())
    /// ```
    #[track_caller]
    pub fn logdet(&self) -> Result<Var<T>, MatrixError> {
        matrices::square("logdet", self.shape());
        let factors = factors("logdet", self, true)?;
        let signs = piecewise(Sign, &[&factors]).into_value().to_vec();
        match signs.iter().position(|&sign| sign < T::ZERO) {
            Some(i) => Err(MatrixError::new("logdet", i, signs.len(), LinalgError::NegativeDeterminant)),
            None => Ok(apply(LogDeterminant, &[self, &factors])),
        }
    }
}
