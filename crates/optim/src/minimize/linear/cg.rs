use super::{Settings, Solve, Stop, check_input, is_positive, not_positive, precondition, residual};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpby, axpy, dot};

/// What [`cg`] did.
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
#[track_caller]
pub fn cg<T: Float>(
    a: &dyn Operator<T>,
    b: &[T],
    x: &mut [T],
    preconditioner: Option<&dyn Operator<T>>,
    settings: &Settings,
) -> CgSolve<T> {
    check_input("cg", a, b, x, settings);
    let n = b.len();
    let mut r = vec![T::ZERO; n];
    residual(a, b, x, &mut r);
    let mut z = vec![T::ZERO; n];
    precondition(preconditioner, &r, &mut z);
    let mut p = z.clone();
    let mut ap = vec![T::ZERO; n];
    let mut rz = dot(&r, &z);
    let mut norm = vector::norm(&r);
    let target = settings.tolerance * vector::norm(b);
    let limit = settings.limit(n);
    let mut iterations = 0;
    let mut negative_curvature = None;
    let stop = loop {
        if norm <= target {
            break Stop::Converged;
        }
        if !norm.is_finite() {
            break Stop::NonFinite;
        }
        if !is_positive(rz) {
            break Stop::IndefinitePreconditioner;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        a.apply(&p, &mut ap);
        iterations += 1;
        let curvature = dot(&p, &ap);
        if !curvature.is_finite() {
            break Stop::NonFinite;
        }
        if not_positive(curvature, &p, &ap) {
            negative_curvature = Some((p, curvature));
            break Stop::NegativeCurvature;
        }
        let step = rz / curvature;
        axpy(step, &p, x);
        axpy(-step, &ap, &mut r);
        norm = vector::norm(&r);
        precondition(preconditioner, &r, &mut z);
        let next = dot(&r, &z);
        axpby(1.0, &z, next / rz, &mut p);
        rz = next;
    };
    CgSolve { solve: Solve { stop, iterations, residual: norm }, negative_curvature }
}
