//! Sums of squares.

use super::{CurvatureAt, Objective, Want};
use crate::minimize::operator::{Jacobian, Operator};
use crate::minimize::vector::{self, Float};

/// A vector r(x) whose half squared length ½‖r(x)‖² is to be minimised.
///
/// ```
/// use wengert_optim::{DenseOperator, GaussNewton, Jacobian, LeastSquares, Method, Residuals};
/// /// r(x) = A x − b with A = diag(1, 2).
/// struct Linear;
/// impl Jacobian<f64> for Linear {
///     fn apply(&self, v: &[f64], out: &mut [f64]) { (out[0], out[1]) = (v[0], 2.0 * v[1]); }
///     fn apply_transpose(&self, u: &[f64], out: &mut [f64]) { self.apply(u, out) }
/// }
/// impl Residuals<f64> for Linear {
///     fn dimension(&self) -> usize { 2 }
///     fn count(&self) -> usize { 2 }
///     fn evaluate(&self, x: &[f64], out: &mut [f64]) { (out[0], out[1]) = (x[0] - 1.0, 2.0 * x[1] - 6.0); }
///     fn jacobian(&self, _: &[f64]) -> Box<dyn Jacobian<f64> + '_> { Box::new(Linear) }
/// }
/// let problem = LeastSquares::from_residuals(Linear);
/// let outcome = GaussNewton::default().minimize(&problem, &[0.0, 0.0])?;
/// assert!((outcome.point[0] - 1.0).abs() < 1e-8 && (outcome.point[1] - 3.0).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub trait Residuals<T: Float> {
    /// The number of variables, n.
    fn dimension(&self) -> usize;
    /// The number of residuals, m.
    fn count(&self) -> usize;
    /// `out = r(x)`.
    fn evaluate(&self, x: &[T], out: &mut [T]);
    /// The Jacobian ∂r/∂x at `x`.
    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_>;

    /// The Jacobian at `x` as an m × n matrix, row by row. By default by n products, or by m with the transpose if those are
    /// fewer.
    #[track_caller]
    fn dense_jacobian(&self, x: &[T]) -> Vec<T> {
        let (m, n) = (self.count(), self.dimension());
        let jacobian = self.jacobian(x);
        let mut matrix = vec![T::ZERO; m * n];
        if m < n {
            let mut unit = vec![T::ZERO; m];
            for (i, row) in matrix.chunks_exact_mut(n).enumerate() {
                unit[i] = T::ONE;
                jacobian.apply_transpose(&unit, row);
                unit[i] = T::ZERO;
            }
            return matrix;
        }
        let (mut unit, mut column) = (vec![T::ZERO; n], vec![T::ZERO; m]);
        for j in 0..n {
            unit[j] = T::ONE;
            jacobian.apply(&unit, &mut column);
            unit[j] = T::ZERO;
            for (row, &element) in matrix.chunks_exact_mut(n).zip(&column) {
                row[j] = element;
            }
        }
        matrix
    }
}

type Evaluate<'f, T> = Box<dyn Fn(&[T], &mut [T]) + 'f>;

/// The [`Objective`] ½‖r(x)‖² of residuals r given by closures or by an implementation of [`Residuals`].
///
/// Its gradient is Jᵀr and its Gauss–Newton matrix JᵀJ; it has no exact Hessian.
///
/// ```
/// use wengert_optim::{LeastSquares, LevenbergMarquardt, Method};
///
/// // Rosenbrock's function as residuals: 10 (x₁ − x₀²), 1 − x₀.
/// let problem = LeastSquares::new(
///     2,
///     2,
///     |x: &[f64], r| { r[0] = 10.0 * (x[1] - x[0] * x[0]); r[1] = 1.0 - x[0]; },
///     |x, j| { j[0] = -20.0 * x[0]; j[1] = 10.0; j[2] = -1.0; j[3] = 0.0; },
/// );
/// let outcome = LevenbergMarquardt::default().minimize(&problem, &[-1.2, 1.0]).unwrap();
/// assert!(outcome.converged() && outcome.value < 1e-16);
/// ```
pub struct LeastSquares<R> {
    residuals: R,
}

/// Residuals and a dense Jacobian from closures; made by [`LeastSquares::new`].
///
/// ```
/// use wengert_optim::minimize::DenseResiduals;
/// use wengert_optim::{LeastSquares, LevenbergMarquardt, Method};
/// // Where the exponential eᵃˣ is 2 at x = 1.
/// let fit: LeastSquares<DenseResiduals<f64>> =
///     LeastSquares::new(1, 1, |a: &[f64], r| r[0] = a[0].exp() - 2.0, |a, j| j[0] = a[0].exp());
/// let outcome = LevenbergMarquardt::default().minimize(&fit, &[0.0])?;
/// assert!((outcome.point[0] - 2f64.ln()).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct DenseResiduals<'f, T> {
    dimension: usize,
    count: usize,
    evaluate: Evaluate<'f, T>,
    jacobian: Evaluate<'f, T>,
}

impl<'f, T: Float> LeastSquares<DenseResiduals<'f, T>> {
    /// `count` residuals of `dimension` variables: `evaluate(x, r)` and the Jacobian `jacobian(x, j)` as a
    /// `count` × `dimension` matrix, row by row.
    pub fn new(
        dimension: usize,
        count: usize,
        evaluate: impl Fn(&[T], &mut [T]) + 'f,
        jacobian: impl Fn(&[T], &mut [T]) + 'f,
    ) -> Self {
        Self::from_residuals(DenseResiduals {
            dimension,
            count,
            evaluate: Box::new(evaluate),
            jacobian: Box::new(jacobian),
        })
    }
}

impl<R> LeastSquares<R> {
    /// The objective ½‖r(x)‖² of any residuals.
    pub fn from_residuals(residuals: R) -> Self {
        Self { residuals }
    }
}

impl<T: Float> Residuals<T> for DenseResiduals<'_, T> {
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn count(&self) -> usize {
        self.count
    }
    fn evaluate(&self, x: &[T], out: &mut [T]) {
        (self.evaluate)(x, out);
    }
    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_> {
        Box::new(DenseJacobian { columns: self.dimension, matrix: self.dense_jacobian(x) })
    }
    fn dense_jacobian(&self, x: &[T]) -> Vec<T> {
        let mut matrix = vec![T::ZERO; self.count * self.dimension];
        (self.jacobian)(x, &mut matrix);
        matrix
    }
}

struct DenseJacobian<T> {
    columns: usize,
    matrix: Vec<T>,
}

impl<T: Float> Jacobian<T> for DenseJacobian<T> {
    fn apply(&self, v: &[T], out: &mut [T]) {
        for (out, row) in out.iter_mut().zip(self.matrix.chunks_exact(self.columns)) {
            *out = T::from_f64(vector::dot(row, v));
        }
    }
    fn apply_transpose(&self, u: &[T], out: &mut [T]) {
        out.fill(T::ZERO);
        for (&u, row) in u.iter().zip(self.matrix.chunks_exact(self.columns)) {
            vector::axpy(u.to_f64(), row, out);
        }
    }
}

impl<T: Float, R: Residuals<T>> Objective<T> for LeastSquares<R> {
    fn dimension(&self) -> usize {
        self.residuals.dimension()
    }

    fn value(&self, x: &[T]) -> f64 {
        let mut r = vec![T::ZERO; self.residuals.count()];
        self.residuals.evaluate(x, &mut r);
        0.5 * vector::dot(&r, &r)
    }

    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let mut r = vec![T::ZERO; self.residuals.count()];
        self.residuals.evaluate(x, &mut r);
        self.residuals.jacobian(x).apply_transpose(&r, gradient);
        0.5 * vector::dot(&r, &r)
    }

    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        let normal = || NormalMatrix {
            dimension: self.residuals.dimension(),
            count: self.residuals.count(),
            jacobian: self.residuals.jacobian(x),
        };
        (want == Want::GaussNewton).then(|| CurvatureAt::operator(normal()))
    }

    fn residuals(&self) -> Option<&dyn Residuals<T>> {
        Some(&self.residuals)
    }
}

/// JᵀJ.
struct NormalMatrix<'a, T> {
    dimension: usize,
    count: usize,
    jacobian: Box<dyn Jacobian<T> + 'a>,
}

impl<T: Float> Operator<T> for NormalMatrix<'_, T> {
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        let mut jv = vec![T::ZERO; self.count];
        self.jacobian.apply(v, &mut jv);
        self.jacobian.apply_transpose(&jv, out);
    }
}
