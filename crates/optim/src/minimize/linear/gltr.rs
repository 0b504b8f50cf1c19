use super::steihaug::TrustStep;
use super::tridiagonal::trust_region;
use super::{Settings, Stop, check_ball};
use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float, axpy, dot, scale};

/// Minimises gᵀs + ½ sᵀHs over ‖s‖ ≤ `radius`, on the boundary too: the generalised Lanczos trust-region method
/// (Gould, Lucidi, Roma and Toint, 1999). Where [`steihaug`](super::steihaug) stops at the boundary, this goes on until the
/// residual of (H + λI) s = −g is small. Keeps its basis, one vector an iteration.
///
/// # Panics
/// If the lengths differ, or the radius or a setting means nothing: negative or not a number, no iterations.
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
    let (mut basis, mut diagonal, mut off): (Vec<Vec<T>>, Vec<f64>, Vec<f64>) = Default::default();
    let (mut h, mut lambda, mut stop) = (Vec::new(), 0.0, Stop::Converged);
    let mut w = gradient.to_vec();
    let mut beta = gamma;
    while beta > 0.0 {
        if basis.len() == settings.limit(n) {
            stop = Stop::MaxIterations;
            break;
        }
        scale(1.0 / beta, &mut w);
        let q = w.clone();
        hessian.apply(&q, &mut w);
        let size = vector::norm(&w);
        if !size.is_finite() {
            stop = Stop::NonFinite;
            break;
        }
        if !basis.is_empty() {
            off.push(beta);
        }
        diagonal.push(dot(&q, &w));
        basis.push(q);
        // Against the whole basis: it is kept anyway, and loses orthogonality otherwise.
        for _ in 0..2 {
            for v in &basis {
                axpy(-dot(v, &w), v, &mut w);
            }
        }
        beta = vector::norm(&w);
        if beta <= 10.0 * T::EPSILON.to_f64() * size || basis.len() == n {
            beta = 0.0;
        }
        (h, lambda) = trust_region(&diagonal, &off, gamma, radius);
        // ‖(H + λI) s + g‖ = β₊ |h_k|.
        if beta * h[h.len() - 1].abs() <= target {
            break;
        }
    }
    let combine = |h: &[f64]| {
        let mut step = vec![T::ZERO; n];
        for (&h, v) in h.iter().zip(&basis) {
            axpy(h, v, &mut step);
        }
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
            let (h, lambda) = trust_region(&diagonal, &off, gamma, smaller);
            shorter.push((smaller, combine(&h), model(&h, lambda)));
        }
    }
    if stop == Stop::Converged && lambda > 0.0 {
        stop = Stop::Boundary;
    }
    TrustStep {
        stop,
        iterations: basis.len(),
        length,
        step: combine(&h),
        reduction: model(&h, lambda),
        shorter,
    }
}
