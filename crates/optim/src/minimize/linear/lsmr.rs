use super::{Settings, Solve, Stop};
use crate::minimize::operator::Jacobian;
use crate::minimize::vector::{self, Float, axpby, axpy, scale};

/// LSMR (Fong and Saunders, 2011): minimises ‖A x − b‖² + λ²‖x‖² for a rectangular A known by its products,
/// from zero. `damping` is λ. Converged when ‖Aᵀr‖ is at most the tolerance times ‖Aᵀb‖.
///
/// Safer than conjugate gradients on AᵀA x = Aᵀb: the condition number is never squared.
///
/// # Panics
/// If `A` writes vectors of other lengths than `b` and `x`, or the damping or a setting means nothing.
///
/// ```
/// use wengert_optim::Jacobian;
/// use wengert_optim::linear::{Settings, lsmr};
/// /// The line through (0, 1), (1, 3), (2, 5): intercept and slope.
/// struct Line;
/// impl Jacobian<f64> for Line {
///     fn apply(&self, v: &[f64], out: &mut [f64]) {
///         out.iter_mut().enumerate().for_each(|(i, out)| *out = v[0] + i as f64 * v[1]);
///     }
///     fn apply_transpose(&self, u: &[f64], out: &mut [f64]) {
///         out[0] = u.iter().sum();
///         out[1] = u.iter().enumerate().map(|(i, u)| i as f64 * u).sum();
///     }
/// }
/// let mut x = [0.0; 2];
/// let solved = lsmr(&Line, &[1.0, 3.0, 5.0], &mut x, 0.0, &Settings::default());
/// assert!(solved.converged() && (x[0] - 1.0).abs() < 1e-8 && (x[1] - 2.0).abs() < 1e-8);
/// ```
#[track_caller]
pub fn lsmr<T: Float>(a: &dyn Jacobian<T>, b: &[T], x: &mut [T], damping: f64, settings: &Settings) -> Solve {
    settings.check("lsmr");
    assert!(damping >= 0.0 && damping.is_finite(), "lsmr: a damping of {damping}");
    x.fill(T::ZERO);
    // Golub–Kahan bidiagonalisation: β u = A v − α u, α v = Aᵀu − β v.
    let mut u = b.to_vec();
    let mut beta = normalise(&mut u);
    let (mut v, mut av, mut atu) = (vec![T::ZERO; x.len()], vec![T::ZERO; b.len()], vec![T::ZERO; x.len()]);
    if beta > 0.0 {
        a.apply_transpose(&u, &mut v);
    }
    let mut alpha = normalise(&mut v);
    let (mut alpha_bar, mut zeta_bar) = (alpha, alpha * beta);
    let (mut rho, mut rho_bar, mut cos_bar, mut sin_bar) = (1.0, 1.0, 1.0, 0.0);
    let mut h = v.clone();
    let mut h_bar = vec![T::ZERO; x.len()];
    let target = settings.tolerance * zeta_bar;
    let limit = settings.limit(x.len().max(b.len()));
    let mut iterations = 0;
    let stop = loop {
        if !zeta_bar.is_finite() {
            break Stop::NonFinite;
        }
        if zeta_bar.abs() <= target {
            break Stop::Converged;
        }
        if iterations == limit {
            break Stop::MaxIterations;
        }
        iterations += 1;
        a.apply(&v, &mut av);
        axpby(1.0, &av, -alpha, &mut u);
        beta = normalise(&mut u);
        if beta > 0.0 {
            a.apply_transpose(&u, &mut atu);
            axpby(1.0, &atu, -beta, &mut v);
            alpha = normalise(&mut v);
        } else {
            alpha = 0.0;
        }
        // Three rotations: for the damping, for the bidiagonal, for the bidiagonal of its transpose.
        let alpha_hat = alpha_bar.hypot(damping);
        let rho_old = rho;
        rho = alpha_hat.hypot(beta);
        let (c, s) = (alpha_hat / rho, beta / rho);
        let theta = s * alpha;
        alpha_bar = c * alpha;
        let rho_bar_old = rho_bar;
        let theta_bar = sin_bar * rho;
        rho_bar = (cos_bar * rho).hypot(theta);
        (cos_bar, sin_bar) = (cos_bar * rho / rho_bar, theta / rho_bar);
        let zeta = cos_bar * zeta_bar;
        zeta_bar *= -sin_bar;
        axpby(1.0, &h, -theta_bar * rho / (rho_old * rho_bar_old), &mut h_bar);
        axpy(zeta / (rho * rho_bar), &h_bar, x);
        axpby(1.0, &v, -theta / rho, &mut h);
    };
    Solve { stop, iterations, residual: zeta_bar.abs() }
}

/// Scales to unit length (if not zero) and returns the length before.
fn normalise<T: Float>(x: &mut [T]) -> f64 {
    let length = vector::norm(x);
    if length > 0.0 && length.is_finite() {
        scale(1.0 / length, x);
    }
    length
}
