//! What is minimised: [`Objective`], with its curvature as an [`Operator`], and [`Residuals`] for least squares.

mod batched;
mod counted;
mod counts;
mod curvature;
mod last_hessian;
mod last_residuals;
mod least_squares;
mod problem;
mod ridge;

pub use batched::Batched;
pub use counted::Counted;
pub use counts::Counts;
pub(crate) use counts::Limits;
pub use curvature::{CurvatureAt, Curvatures, Want};
pub use least_squares::{DenseResiduals, LeastSquares, Residuals};
pub use problem::Problem;
pub use ridge::Ridge;

use super::operator::Operator;
use super::vector::Float;

/// A smooth function of a flat vector, to be minimised.
///
/// A value of +∞ or NaN means "not defined here": methods step back from it. That is enough to keep them away from where f
/// is not defined, not to minimise along its edge, of which values alone do not tell the direction: with a minimum there, steps
/// become ever shorter, and the run ends without progress. State such an edge as [bounds](crate::constrained::Bounds) or
/// as a [constraint](crate::constrained::Constraints). A value of −∞ ends a run as [unbounded](crate::Reason::Unbounded).
///
/// Plain closures become an objective through [`Problem`], residuals through [`LeastSquares`].
///
/// Values are `f64` for either element type; `f32` losses are exact in it.
///
/// ```
/// use wengert_optim::minimize::{CurvatureAt, Curvatures, Want};
/// use wengert_optim::{DenseOperator, Objective};
///
/// /// ½ c x².
/// struct Parabola(f64);
/// impl Objective<f64> for Parabola {
///     fn dimension(&self) -> usize { 1 }
///     fn value(&self, x: &[f64]) -> f64 { 0.5 * self.0 * x[0] * x[0] }
///     fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
///         gradient[0] = self.0 * x[0];
///         self.value(x)
///     }
///     fn curvature(&self, want: Want, _: &[f64]) -> Option<CurvatureAt<'_, f64>> {
///         match want {
///             Want::Hessian | Want::GaussNewton => Some(CurvatureAt::operator(DenseOperator::new(vec![self.0]))),
///             _ => None,
///         }
///     }
/// }
/// assert_eq!(Parabola(3.0).hessian(&[1.0]).unwrap().dense(), [3.0]);
/// assert!(Parabola(3.0).preconditioner(&[1.0]).is_none());
/// ```
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

    /// The curvature that is wanted at `x`; `None`, the default, where this objective has no such. Callers ask by name, with
    /// [`Curvatures`].
    fn curvature(&self, _want: Want, _x: &[T]) -> Option<CurvatureAt<'_, T>> {
        None
    }

    /// f(x), ∇f(x), written to `gradient`, and the Hessian at `x` in one, for objectives for which that is less work than the
    /// three apart, as for networks, of which one recording serves all. `None`, the default, where it is not; nothing is
    /// written then.
    fn second_order(&self, _x: &[T], _gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
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

    /// Whether further evaluations are refused, as [`Counted`] refuses them beyond the budgets of a run. An objective made
    /// of another passes this on, so that a search within it ends too.
    fn exhausted(&self) -> bool {
        false
    }
}

/// All that an objective passes on to another one, of which it is but another form; what comes before the semicolon is its own.
macro_rules! passed_on {
    ($this:ident => $inner:expr) => {
        passed_on!($this => $inner; curvature(want, x) $inner.curvature(want, x));
    };
    ($this:ident => $inner:expr; curvature($want:ident, $x:ident) $curvature:expr) => {
        fn dimension(&$this) -> usize {
            $inner.dimension()
        }
        fn value(&$this, x: &[T]) -> f64 {
            $inner.value(x)
        }
        fn value_and_gradient(&$this, x: &[T], gradient: &mut [T]) -> f64 {
            $inner.value_and_gradient(x, gradient)
        }
        fn gradient(&$this, x: &[T], gradient: &mut [T]) {
            $inner.gradient(x, gradient);
        }
        fn curvature(&$this, $want: Want, $x: &[T]) -> Option<CurvatureAt<'_, T>> {
            $curvature
        }
        fn second_order(&$this, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
            $inner.second_order(x, gradient)
        }
        fn residuals(&$this) -> Option<&dyn Residuals<T>> {
            $inner.residuals()
        }
        fn batch(&$this, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
            $inner.batch(index)
        }
        fn exhausted(&$this) -> bool {
            $inner.exhausted()
        }
    };
}
pub(super) use passed_on;

impl<T: Float, O: Objective<T> + ?Sized> Objective<T> for &O {
    passed_on!(self => (**self));
}

impl<T: Float, O: Objective<T> + ?Sized> Objective<T> for Box<O> {
    passed_on!(self => (**self));
}
