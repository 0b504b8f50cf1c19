use super::{Settings, Solve, Stop, check_input, precondition, residual};
use crate::minimize::operator::Operator;
use crate::minimize::rounding;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// MINRES (Paige and Saunders, 1975) for symmetric A x = b from the start in `x`: A may be indefinite, and for a
/// singular A it converges to a least-squares solution ([`Stop::LeastSquares`]).
///
/// `preconditioner` applies M⁻¹, symmetric positive definite; the residual is then measured in the M⁻¹-norm.
///
/// # Panics
/// If the lengths differ, or a setting means nothing: a tolerance that is negative or not finite, no iterations.
#[track_caller]
pub fn minres<T: Float>(
    a: &dyn Operator<T>,
    b: &[T],
    x: &mut [T],
    preconditioner: Option<&dyn Operator<T>>,
    settings: &Settings,
) -> Solve {
    check_input("minres", a, b, x, settings);
    let n = b.len();
    let zeros = || vec![T::ZERO; n];
    // Lanczos vectors before preconditioning (v) and after (z), of this and the previous step.
    let (mut v, mut v_old, mut z, mut av) = (zeros(), zeros(), zeros(), zeros());
    residual(a, b, x, &mut v);
    precondition(preconditioner, &v, &mut z);
    let square = dot(&v, &z);
    if !square.is_finite() {
        return Solve { stop: Stop::NonFinite, iterations: 0, residual: square };
    }
    if square < 0.0 {
        return Solve { stop: Stop::IndefinitePreconditioner, iterations: 0, residual: vector::norm(&v) };
    }
    let mut beta = square.sqrt();
    precondition(preconditioner, b, &mut av);
    let target = settings.tolerance * dot(b, &av).max(0.0).sqrt();
    // The last two directions, and the last two Givens rotations of the tridiagonal's columns.
    let (mut d, mut d_old, mut d_new) = (zeros(), zeros(), zeros());
    let (mut cos, mut sin, mut cos_old, mut sin_old) = (1.0, 0.0, 1.0, 0.0);
    // β of the tridiagonal: 0 in its first column.
    let mut coupling = 0.0;
    let mut phi = beta;
    let mut frobenius: f64 = 0.0;
    let limit = settings.limit(n);
    let mut iterations = 0;
    let stop = loop {
        if phi.abs() <= target {
            break Stop::Converged;
        }
        if beta == 0.0 {
            break Stop::Breakdown;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        iterations += 1;
        // Lanczos: β₊ v₊ = A z − α v − β v₋ with z = M⁻¹v, scaled so that zᵀv = 1.
        scale(1.0 / beta, &mut z);
        scale(1.0 / beta, &mut v);
        a.apply(&z, &mut av);
        let alpha = dot(&z, &av);
        axpy(-alpha, &v, &mut av);
        axpy(-coupling, &v_old, &mut av);
        std::mem::swap(&mut v_old, &mut v);
        std::mem::swap(&mut v, &mut av);
        // The direction needs this step's z before the next replaces it.
        d_new.copy_from_slice(&z);
        precondition(preconditioner, &v, &mut z);
        let square = dot(&v, &z);
        if !square.is_finite() || !alpha.is_finite() {
            break Stop::NonFinite;
        }
        beta = square.max(0.0).sqrt();
        frobenius = frobenius.hypot(alpha).hypot(beta);
        // This column of the tridiagonal, (β, α, β₊), after the two previous rotations: (ε, δ, γ̄).
        let epsilon = sin_old * coupling;
        let partly = cos_old * coupling;
        let delta = cos * partly + sin * alpha;
        let gamma_bar = cos * alpha - sin * partly;
        // ‖A r‖ = ‖r‖ ‖(γ̄, c β₊)‖ with the residual r of the step before: small where r is not, if there is no solution.
        if gamma_bar.hypot(cos * beta) <= settings.tolerance.max(rounding::relative::<T>(1.0)) * frobenius {
            break Stop::LeastSquares;
        }
        let gamma = gamma_bar.hypot(beta);
        (cos_old, sin_old) = (cos, sin);
        (cos, sin) = (gamma_bar / gamma, beta / gamma);
        axpy(-delta, &d, &mut d_new);
        axpy(-epsilon, &d_old, &mut d_new);
        scale(1.0 / gamma, &mut d_new);
        axpy(cos * phi, &d_new, x);
        phi *= -sin;
        std::mem::swap(&mut d_old, &mut d);
        std::mem::swap(&mut d, &mut d_new);
        coupling = beta;
    };
    Solve { stop, iterations, residual: phi.abs() }
}
