use super::{Settings, Solve, Stop, check_input, residual};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpby, axpy, dot};

/// Conjugate residuals (Stiefel, 1955) for symmetric A x = b from the start in `x`: the residual falls at every
/// step, and so does the quadratic ½xᵀAx − bᵀx for positive definite A. Stops where rᵀAr is not positive.
///
/// # Panics
/// If the lengths differ, or a setting means nothing: a tolerance that is negative or not finite, no iterations.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, cr};
/// let mut x = [0.0; 2];
/// let solved = cr(&DenseOperator::new(vec![4.0f64, 1.0, 1.0, 3.0]), &[1.0, 2.0], &mut x, &Settings::default());
/// assert!(solved.converged() && (x[0] - 1.0 / 11.0).abs() < 1e-10);
/// ```
#[track_caller]
pub fn cr<T: Float>(a: &dyn Operator<T>, b: &[T], x: &mut [T], settings: &Settings) -> Solve {
    check_input("cr", a, b, x, settings);
    let n = b.len();
    let mut r = vec![T::ZERO; n];
    residual(a, b, x, &mut r);
    let mut ar = vec![T::ZERO; n];
    a.apply(&r, &mut ar);
    let (mut p, mut ap) = (r.clone(), ar.clone());
    let mut rar = dot(&r, &ar);
    let mut norm = vector::norm(&r);
    let target = settings.tolerance * vector::norm(b);
    let limit = settings.limit(n);
    let mut iterations = 0;
    let stop = loop {
        if norm <= target {
            break Stop::Converged;
        }
        if !norm.is_finite() || !rar.is_finite() {
            break Stop::NonFinite;
        }
        if super::not_positive(rar, &r, &ar) {
            break Stop::NegativeCurvature;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        iterations += 1;
        let step = rar / dot(&ap, &ap);
        axpy(step, &p, x);
        axpy(-step, &ap, &mut r);
        norm = vector::norm(&r);
        a.apply(&r, &mut ar);
        let next = dot(&r, &ar);
        axpby(1.0, &r, next / rar, &mut p);
        axpby(1.0, &ar, next / rar, &mut ap);
        rar = next;
    };
    Solve { stop, iterations, residual: norm }
}
