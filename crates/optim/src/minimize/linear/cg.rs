use super::conjugate::{Bend, Conjugate};
use super::units::InUnits;
use super::{Settings, Solve, Stop, check_input, residual};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpy};

/// What [`cg`] did.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{CgSolve, Settings, Stop, cg};
/// let saddle = DenseOperator::with_diagonal(&[1.0, -1.0]);
/// let mut x = [0.0; 2];
/// let CgSolve { solve, negative_curvature } = cg(&saddle, &[0.0, 1.0], &mut x, None, &Settings::default());
/// assert_eq!(solve.stop, Stop::NegativeCurvature);
/// // The way down.
/// let (direction, curvature) = negative_curvature.unwrap();
/// assert!(direction[1] != 0.0 && curvature < 0.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CgSolve<T> {
    /// Why it stopped, and after how much.
    pub solve: Solve,
    /// The direction p with pᵀAp ≤ 0, and pᵀAp, if that is why.
    pub negative_curvature: Option<(Vec<T>, f64)>,
}

impl<T> CgSolve<T> {
    /// Whether the residual is small enough.
    pub fn converged(&self) -> bool {
        self.solve.converged()
    }
}

/// Conjugate gradients (Hestenes and Stiefel, 1952) for A x = b, from the start in `x`.
///
/// `preconditioner` applies M⁻¹, symmetric positive definite. Stops where curvature is not positive, leaving `x`
/// as it was before and returning that direction. Four vectors of memory.
///
/// # Panics
/// If the lengths differ, or a setting means nothing: a tolerance that is negative or not finite, no iterations.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, cg};
/// let a = DenseOperator::new(vec![4.0f64, 1.0, 1.0, 3.0]);
/// let inverse_of_diagonal = DenseOperator::with_diagonal(&[0.25, 1.0 / 3.0]);
/// let mut x = [0.0; 2];
/// let solved = cg(&a, &[1.0, 2.0], &mut x, Some(&inverse_of_diagonal), &Settings::default());
/// assert!(solved.converged() && (x[0] - 1.0 / 11.0).abs() < 1e-10 && (x[1] - 7.0 / 11.0).abs() < 1e-10);
/// ```
#[track_caller]
pub fn cg<T: Float>(
    a: &dyn Operator<T>,
    b: &[T],
    x: &mut [T],
    preconditioner: Option<&dyn Operator<T>>,
    settings: &Settings,
) -> CgSolve<T> {
    check_input("cg", a, b, x, settings);
    if let Some(system) = InUnits::of(a, b) {
        let mut solved = cg(&system, &system.vector, x, preconditioner, settings);
        solved.solve.residual *= system.unit;
        if let Some((_, bend)) = &mut solved.negative_curvature {
            *bend *= system.unit;
        }
        return solved;
    }
    let n = b.len();
    let mut r = vec![T::ZERO; n];
    residual(a, b, x, &mut r);
    // A x − b is the gradient.
    vector::scale(-1.0, &mut r);
    let mut gradients = Conjugate::new(r, preconditioner);
    let target = settings.tolerance * vector::norm(b);
    let limit = settings.limit(n);
    let mut norm = vector::norm(&gradients.residual);
    let (mut iterations, mut negative_curvature) = (0, None);
    let stop = loop {
        if let Some(stop) = gradients.ended(norm, target) {
            break stop;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        iterations += 1;
        let alpha = match gradients.bend(a) {
            Bend::Positive(bend) => gradients.rz / bend,
            Bend::NotPositive(bend) => {
                negative_curvature = Some((gradients.direction, bend));
                break Stop::NegativeCurvature;
            }
            Bend::NonFinite => break Stop::NonFinite,
        };
        axpy(alpha, &gradients.direction, x);
        gradients.go_on(alpha);
        norm = vector::norm(&gradients.residual);
    };
    CgSolve { solve: Solve { stop, iterations, residual: norm }, negative_curvature }
}
