//! Linear solvers that know their matrix only as an [`Operator`], and preconditioners.
//!
//! | solver | for | minimises | products an iteration |
//! |---|---|---|---|
//! | [`cg`] | symmetric positive definite; finds negative curvature | error in the A-norm | 1 |
//! | [`cr`] | symmetric positive definite | residual | 1 |
//! | [`minres`] | symmetric, indefinite or singular | residual | 1 |
//! | [`gmres`] | any square | residual | 1 |
//! | [`lsmr`] | rectangular, least squares with damping | ‖Aᵀr‖ | 1 and 1 transposed |
//! | [`steihaug`] | quadratic model in a ball | model along the CG path | 1 |
//! | [`gltr`] | quadratic model in a ball, to any accuracy | model over the Krylov space | 1 |
//!
//! ```
//! use wengert_optim::linear::{Settings, cg};
//! use wengert_optim::{Curvatures, Problem};
//!
//! let quadratic = Problem::new(2, |_: &[f64]| 0.0).with_hvp(|_, v, out| {
//!     out[0] = 4.0 * v[0] + v[1];
//!     out[1] = v[0] + 3.0 * v[1];
//! });
//! let a = quadratic.hessian(&[0.0, 0.0]).unwrap();
//! let mut x = [0.0f64, 0.0];
//! let solved = cg(&*a, &[1.0, 2.0], &mut x, None, &Settings::default());
//! assert!(solved.converged() && (x[0] - 1.0 / 11.0).abs() < 1e-12 && (x[1] - 7.0 / 11.0).abs() < 1e-12);
//! ```

mod cg;
mod conjugate;
mod cr;
mod gltr;
mod gmres;
mod lanczos;
mod lsmr;
mod minres;
mod pairs;
mod preconditioner;
mod shifted;
mod steihaug;
mod tridiagonal;
mod units;

pub use cg::{CgSolve, cg};
pub(crate) use conjugate::{Bend, Conjugate};
pub use cr::cr;
pub use gltr::gltr;
pub use gmres::gmres;
pub(crate) use lanczos::orthogonalise;
pub use lanczos::{Lanczos, lanczos};
pub use lsmr::lsmr;
pub use minres::minres;
pub use pairs::CurvaturePairs;
pub use preconditioner::DiagonalPreconditioner;
pub(crate) use shifted::ShiftedSystems;
pub use steihaug::{TrustStep, steihaug};
pub(in crate::minimize) use units::{InUnits, LARGE};

use super::operator::Operator;
use super::vector::{self, Float};
use crate::minimize::rounding;

/// When a linear solver stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Converged when the residual's norm is at most this fraction of the right-hand side's; 1e-10.
    pub tolerance: f64,
    /// Iterations allowed; `None`, the default, is ten times the dimension.
    pub max_iterations: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance: 1e-10, max_iterations: None }
    }
}

impl Settings {
    /// The default with another [`tolerance`](Self::tolerance).
    pub fn tolerance(tolerance: f64) -> Self {
        Self { tolerance, ..Self::default() }
    }

    /// Refuses what means nothing, on behalf of `solver`.
    #[track_caller]
    fn check(&self, solver: &str) {
        let Self { tolerance, max_iterations } = *self;
        assert!(tolerance >= 0.0 && tolerance.is_finite(), "{solver}: a tolerance of {tolerance}");
        assert!(max_iterations != Some(0), "{solver}: max_iterations of 0");
    }

    fn limit(&self, dimension: usize) -> usize {
        self.max_iterations.unwrap_or(10 * dimension)
    }
}

/// Why a linear solver stopped.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, Stop, minres};
/// // No solution, but a nearest one.
/// let singular = DenseOperator::with_diagonal(&[1.0f64, 0.0]);
/// let mut x = [0.0; 2];
/// let solved = minres(&singular, &[1.0, 1.0], &mut x, None, &Settings::default());
/// assert_eq!(solved.stop, Stop::LeastSquares);
/// assert!((x[0] - 1.0).abs() < 1e-10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The residual is small enough.
    Converged,
    /// The least-squares residual is small enough: the system has no solution, this is its nearest.
    LeastSquares,
    /// The iterations are used up.
    MaxIterations,
    /// A direction of curvature that is not positive was met.
    NegativeCurvature,
    /// The step reached the boundary of the trust region.
    Boundary,
    /// The preconditioner is not positive definite.
    IndefinitePreconditioner,
    /// A product was infinite or NaN.
    NonFinite,
    /// The method cannot continue: the Krylov space is exhausted.
    Breakdown,
}

/// What a linear solver did; the solution is in the vector it was given.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, Solve, Stop, cr};
/// let a = DenseOperator::with_diagonal(&[1.0f64, 2.0, 3.0]);
/// let one = Settings { max_iterations: Some(1), ..Settings::default() };
/// let mut x = [0.0; 3];
/// let Solve { stop, iterations, residual } = cr(&a, &[1.0; 3], &mut x, &one);
/// assert_eq!((stop, iterations), (Stop::MaxIterations, 1));
/// assert!(residual > 0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solve {
    /// Why it stopped.
    pub stop: Stop,
    /// Iterations made.
    pub iterations: usize,
    /// The norm of the residual, as the recurrence estimates it (‖Aᵀr‖ for [`lsmr`]).
    pub residual: f64,
}

impl Solve {
    /// Whether the residual is small enough.
    pub fn converged(&self) -> bool {
        self.stop == Stop::Converged
    }
}

/// `out = b − A x`; A is not applied where x is zero.
fn residual<T: Float>(a: &dyn Operator<T>, b: &[T], x: &[T], out: &mut [T]) {
    if vector::norm_inf(x) == 0.0 {
        out.copy_from_slice(b);
    } else {
        a.apply(x, out);
        vector::axpby(1.0, b, -1.0, out);
    }
}

/// `out = M⁻¹ r`, a copy without a preconditioner.
pub(crate) fn precondition<T: Float>(inverse: Option<&dyn Operator<T>>, r: &[T], out: &mut [T]) {
    match inverse {
        Some(inverse) => inverse.apply(r, out),
        None => out.copy_from_slice(r),
    }
}

/// Whether rᵀM⁻¹r is what a positive definite M gives: NaN and infinity are not.
fn is_positive(rz: f64) -> bool {
    rz > 0.0 && rz.is_finite()
}

/// Whether pᵀAp counts as not positive: relative to ‖p‖‖Ap‖, so that scaling A changes nothing.
fn not_positive<T: Float>(curvature: f64, p: &[T], ap: &[T]) -> bool {
    curvature <= rounding::of_product::<T>(vector::norm(p), vector::norm(ap))
}

#[track_caller]
fn check_input<T: Float>(solver: &str, a: &dyn Operator<T>, b: &[T], x: &[T], settings: &Settings) {
    settings.check(solver);
    let n = a.dimension();
    assert!(
        b.len() == n && x.len() == n,
        "{solver}: operator of dimension {n}, right-hand side of {}, solution of {}",
        b.len(),
        x.len()
    );
}

/// Checks the input of a solver in a ball.
#[track_caller]
fn check_ball<T: Float>(solver: &str, a: &dyn Operator<T>, gradient: &[T], radius: f64, settings: &Settings) {
    settings.check(solver);
    let (n, dimension) = (gradient.len(), a.dimension());
    assert!(n == dimension, "{solver}: gradient of {n}, operator of {dimension}");
    assert!(radius >= 0.0, "{solver}: a radius of {radius}");
}

#[cfg(test)]
mod tests;
