//! What is asked of an objective beyond values and gradients.

use super::Objective;
use crate::minimize::operator::{Kronecker, Operator};
use crate::minimize::vector::Float;

/// The curvature that a method asks an objective for, by [`Objective::curvature`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Want {
    /// The Hessian.
    Hessian,
    /// The generalised Gauss–Newton matrix, which is positive semi-definite.
    GaussNewton,
    /// The Kronecker-factored approximation of the curvature (K-FAC), a [`Kronecker`]. It may rest on random draws.
    Kronecker {
        /// What decides the draws.
        seed: u64,
    },
    /// A preconditioner M⁻¹ for the curvature, symmetric and positive definite, if the objective [has
    /// one](crate::minimize::Preconditioned).
    Preconditioner,
}

/// A curvature at a point: the answer to a [`Want`].
pub enum CurvatureAt<'a, T: Float> {
    /// Any but Kronecker factors.
    Operator(Box<dyn Operator<T> + 'a>),
    /// Kronecker factors, which methods average, damp and invert.
    Kronecker(Kronecker<T>),
}

impl<'a, T: Float> CurvatureAt<'a, T> {
    /// The curvature that this operator is.
    pub fn operator(operator: impl Operator<T> + 'a) -> Self {
        Self::Operator(Box::new(operator))
    }

    /// As an operator.
    ///
    /// ```
    /// use wengert_optim::{CurvatureAt, DenseOperator};
    /// let curvature = CurvatureAt::operator(DenseOperator::with_diagonal(&[2.0f64]));
    /// let mut product = [0.0];
    /// curvature.into_operator().apply(&[3.0], &mut product);
    /// assert_eq!(product, [6.0]);
    /// ```
    pub fn into_operator(self) -> Box<dyn Operator<T> + 'a> {
        match self {
            Self::Operator(operator) => operator,
            Self::Kronecker(factors) => Box::new(factors),
        }
    }

    /// As Kronecker factors, if it is that.
    ///
    /// ```
    /// use wengert_optim::{CurvatureAt, DenseOperator};
    /// // Not every curvature has factors.
    /// assert!(CurvatureAt::operator(DenseOperator::with_diagonal(&[2.0f64])).into_kronecker().is_none());
    /// ```
    pub fn into_kronecker(self) -> Option<Kronecker<T>> {
        match self {
            Self::Operator(_) => None,
            Self::Kronecker(factors) => Some(factors),
        }
    }
}

/// [`Objective::curvature`] by the name of what is wanted. Every objective has these; none implements them.
///
/// ```
/// use wengert_optim::{Curvatures, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].powi(3))
///     .with_gradient(|x, g| g[0] = 3.0 * x[0] * x[0])
///     .with_hvp(|x, v, out| out[0] = 6.0 * x[0] * v[0]);
/// let mut product = [0.0];
/// f.hessian(&[2.0]).unwrap().apply(&[1.0], &mut product);
/// assert_eq!(product, [12.0]);
/// assert!(f.gauss_newton(&[2.0]).is_none(), "not a sum of squares");
/// ```
pub trait Curvatures<T: Float>: Objective<T> {
    /// The Hessian at `x`, if this objective has second derivatives.
    #[track_caller]
    fn hessian(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        self.curvature(Want::Hessian, x).map(CurvatureAt::into_operator)
    }

    /// The generalised Gauss–Newton matrix at `x`, if this objective has one.
    #[track_caller]
    fn gauss_newton(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        self.curvature(Want::GaussNewton, x).map(CurvatureAt::into_operator)
    }

    /// The Kronecker factors at `x`, if this objective has some, from draws that `seed` decides.
    #[track_caller]
    fn kronecker(&self, x: &[T], seed: u64) -> Option<Kronecker<T>> {
        self.curvature(Want::Kronecker { seed }, x)?.into_kronecker()
    }

    /// The preconditioner at `x`, if this objective has one.
    #[track_caller]
    fn preconditioner(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        self.curvature(Want::Preconditioner, x).map(CurvatureAt::into_operator)
    }
}

impl<T: Float, O: Objective<T> + ?Sized> Curvatures<T> for O {}
