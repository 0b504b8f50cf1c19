use super::lanczos::lanczos;
use super::steihaug::TrustStep;
use super::tridiagonal::trust_region;
use super::{Settings, Stop, check_ball};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float};

/// Minimises gᵀs + ½ sᵀHs over ‖s‖ ≤ `radius`, on the boundary too: the generalised Lanczos trust-region method
/// (Gould, Lucidi, Roma and Toint, 1999). Where [`steihaug`](super::steihaug) stops at the boundary, this goes on until the
/// residual of (H + λI) s = −g is small. Keeps its basis, one vector an iteration.
///
/// # Panics
/// If the lengths differ, or the radius or a setting means nothing: negative or not a number, no iterations.
///
/// ```
/// use wengert_optim::DenseOperator;
/// use wengert_optim::linear::{Settings, Stop, gltr};
/// // Downhill without limit along the second axis, so on the boundary.
/// let hessian = DenseOperator::with_diagonal(&[1.0f64, -1.0]);
/// let found = gltr(&hessian, &[0.0, 0.5], 2.0, &Settings::default());
/// assert_eq!(found.stop, Stop::Boundary);
/// assert!((found.step[1] + 2.0).abs() < 1e-10 && (found.reduction - 3.0).abs() < 1e-10);
/// ```
#[track_caller]
pub fn gltr<T: Float>(
    hessian: &dyn Operator<T>,
    gradient: &[T],
    radius: f64,
    settings: &Settings,
) -> TrustStep<T> {
    let n = gradient.len();
    check_ball("gltr", hessian, gradient, radius, settings);
    let gamma = vector::norm(gradient);
    let target = settings.tolerance * gamma;
    let mut krylov = lanczos(hessian, gradient, 0);
    let (mut h, mut lambda) = (Vec::new(), 0.0);
    let mut stop = if gamma.is_finite() { Stop::Converged } else { Stop::NonFinite };
    while stop == Stop::Converged && krylov.residual > 0.0 {
        let steps = krylov.basis.len();
        if steps == settings.limit(n) {
            stop = Stop::MaxIterations;
            break;
        }
        krylov.extend(hessian, steps + 1);
        if krylov.basis.len() == steps {
            stop = Stop::NonFinite;
            break;
        }
        (h, lambda) = trust_region(&krylov.diagonal, &krylov.off_diagonal, gamma, radius);
        // ‖(H + λI) s + g‖ = β₊ |h_k|.
        if krylov.residual * h[steps].abs() <= target {
            break;
        }
    }
    let combine = |h: &[f64]| {
        let mut step = vec![T::ZERO; n];
        krylov.combine(h, &mut step);
        step
    };
    let model = |h: &[f64], lambda: f64| {
        // −m(h) = ½ (γ|h₁| + λ‖h‖²), from (T + λI) h = −γ e₁.
        let square: f64 = h.iter().map(|h| h * h).sum();
        0.5 * (-gamma * h.first().unwrap_or(&0.0) + lambda * square)
    };
    let length = h.iter().map(|h| h * h).sum::<f64>().sqrt();
    let mut shorter = Vec::new();
    for k in 1..4 {
        let smaller = radius * 0.25f64.powi(k);
        if smaller < length {
            let (h, lambda) = trust_region(&krylov.diagonal, &krylov.off_diagonal, gamma, smaller);
            shorter.push((smaller, combine(&h), model(&h, lambda)));
        }
    }
    if stop == Stop::Converged && lambda > 0.0 {
        stop = Stop::Boundary;
    }
    TrustStep {
        stop,
        iterations: krylov.basis.len(),
        length,
        step: combine(&h),
        reduction: model(&h, lambda),
        shorter,
    }
}
