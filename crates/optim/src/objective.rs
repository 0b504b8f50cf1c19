//! What is minimised: [`Objective`], with its curvature as an [`Operator`], and [`Residuals`] for least squares.

mod batched;
mod counted;
mod dense_operator;
mod least_squares;
mod problem;
mod ridge;

pub use batched::Batched;
pub(crate) use counted::Limits;
pub use counted::{Counted, Counts};
pub use dense_operator::DenseOperator;
pub use least_squares::{Jacobian, LeastSquares, Residuals};
pub use problem::Problem;
pub use ridge::Ridge;

use std::rc::Rc;

use crate::kronecker::Kronecker;
use crate::vector::Float;

/// A linear map of a vector space into itself, known by its products: a Hessian, a Gauss–Newton matrix, an
/// inverse. Bound to the point where it was made.
///
/// ```
/// use wengert_optim::Operator;
///
/// struct Diagonal(Vec<f64>);
/// impl Operator<f64> for Diagonal {
///     fn dimension(&self) -> usize { self.0.len() }
///     fn apply(&self, v: &[f64], out: &mut [f64]) {
///         for ((out, d), v) in out.iter_mut().zip(&self.0).zip(v) { *out = d * v; }
///     }
/// }
/// assert_eq!(Diagonal(vec![2.0, 3.0]).dense(), [2.0, 0.0, 0.0, 3.0]);
/// ```
pub trait Operator<T: Float> {
    /// The length of the vectors.
    fn dimension(&self) -> usize;

    /// `out = A v`. `out` may hold anything before.
    fn apply(&self, v: &[T], out: &mut [T]);

    /// Products with several vectors, one after the other in `vectors` and `out`. By default one [`apply`](Self::apply) each.
    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        let n = self.dimension().max(1);
        for (v, out) in vectors.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            self.apply(v, out);
        }
    }

    /// The whole matrix, column by column (for a symmetric one also row by row). By default one product a column.
    fn dense(&self) -> Vec<T> {
        let n = self.dimension();
        let mut identity = vec![T::ZERO; n * n];
        for i in 0..n {
            identity[i * n + i] = T::ONE;
        }
        let mut out = vec![T::ZERO; n * n];
        self.apply_many(&identity, &mut out);
        out
    }

    /// The diagonal. By default one product an element; an operator that knows better overrides it.
    fn diagonal(&self) -> Vec<T> {
        let n = self.dimension();
        let (mut unit, mut column) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        (0..n)
            .map(|i| {
                unit[i] = T::ONE;
                self.apply(&unit, &mut column);
                unit[i] = T::ZERO;
                column[i]
            })
            .collect()
    }

    /// The sum of the diagonal.
    fn trace(&self) -> f64 {
        self.diagonal().iter().map(|d| d.to_f64()).sum()
    }
}

// A pointer to an operator or an objective is one too: each method calls the pointee's.
macro_rules! operator_behind {
    ($pointer:ty) => {
        impl<T: Float, A: Operator<T> + ?Sized> Operator<T> for $pointer {
            fn dimension(&self) -> usize {
                (**self).dimension()
            }
            fn apply(&self, v: &[T], out: &mut [T]) {
                (**self).apply(v, out);
            }
            fn apply_many(&self, vectors: &[T], out: &mut [T]) {
                (**self).apply_many(vectors, out);
            }
            fn dense(&self) -> Vec<T> {
                (**self).dense()
            }
            fn diagonal(&self) -> Vec<T> {
                (**self).diagonal()
            }
            fn trace(&self) -> f64 {
                (**self).trace()
            }
        }
    };
}

operator_behind!(&A);
operator_behind!(Box<A>);
operator_behind!(Rc<A>);

/// A smooth function of a flat vector, to be minimised.
///
/// A value of +∞ or NaN means "not defined here": methods step back from it. One of −∞ ends a run as
/// [unbounded](crate::Reason::Unbounded). Plain closures become
/// an objective through [`Problem`], residuals through [`LeastSquares`].
///
/// Values are `f64` for either element type; `f32` losses are exact in it.
pub trait Objective<T: Float> {
    /// The number of variables.
    fn dimension(&self) -> usize;

    /// f(x).
    fn value(&self, x: &[T]) -> f64;

    /// f(x), with ∇f(x) written to `gradient`, which may hold anything before.
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64;

    /// ∇f(x) alone. An objective that keeps the work of its last [`value`](Self::value) overrides this: methods ask for
    /// the gradient of a trial point only after accepting its value.
    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.value_and_gradient(x, gradient);
    }

    /// The Hessian at `x`, if this objective has second derivatives.
    fn hessian(&self, _x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        None
    }

    /// f(x), ∇f(x), written to `gradient`, and the Hessian at `x` in one, for objectives for which that is less work than the
    /// three apart, as for networks, of which one recording serves all. `None`, the default, where it is not; nothing is
    /// written then.
    fn second_order(&self, _x: &[T], _gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        None
    }

    /// The generalised Gauss–Newton matrix at `x` (positive semi-definite), if this objective has one.
    fn gauss_newton(&self, _x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        None
    }

    /// The Kronecker-factored approximation of the curvature at `x` (K-FAC), if this objective has one. It may rest on
    /// random draws, which `seed` decides.
    fn kronecker(&self, _x: &[T], _seed: u64) -> Option<Kronecker<T>> {
        None
    }

    /// The residuals r with f = ½‖r‖², if this objective is a sum of squares.
    fn residuals(&self) -> Option<&dyn Residuals<T>> {
        None
    }

    /// The objective over mini-batch number `index` (any number: batches repeat), if this objective is a mean over
    /// data. Stochastic methods take value, gradient and curvature from it.
    fn batch(&self, _index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        None
    }

    /// A preconditioner M⁻¹ (symmetric, positive definite) for the curvature at `x`, if this objective
    /// [has one](crate::Preconditioned).
    fn preconditioner(&self, _x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        None
    }

    /// Whether further evaluations are refused, as [`Counted`] refuses them beyond the budgets of a run. An objective made
    /// of another passes this on, so that a search within it ends too.
    fn exhausted(&self) -> bool {
        false
    }
}

macro_rules! objective_behind {
    ($pointer:ty) => {
        impl<T: Float, O: Objective<T> + ?Sized> Objective<T> for $pointer {
            fn dimension(&self) -> usize {
                (**self).dimension()
            }
            fn value(&self, x: &[T]) -> f64 {
                (**self).value(x)
            }
            fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
                (**self).value_and_gradient(x, gradient)
            }
            fn gradient(&self, x: &[T], gradient: &mut [T]) {
                (**self).gradient(x, gradient);
            }
            fn hessian(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
                (**self).hessian(x)
            }
            fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
                (**self).second_order(x, gradient)
            }
            fn gauss_newton(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
                (**self).gauss_newton(x)
            }
            fn kronecker(&self, x: &[T], seed: u64) -> Option<Kronecker<T>> {
                (**self).kronecker(x, seed)
            }
            fn residuals(&self) -> Option<&dyn Residuals<T>> {
                (**self).residuals()
            }
            fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
                (**self).batch(index)
            }
            fn preconditioner(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
                (**self).preconditioner(x)
            }
            fn exhausted(&self) -> bool {
                (**self).exhausted()
            }
        }
    };
}

objective_behind!(&O);
objective_behind!(Box<O>);
