//! The trust-region subproblem for a tridiagonal matrix.

use crate::minimize::rounding;

/// Minimises γ h₁ + ½ hᵀTh over ‖h‖ ≤ `radius` for the symmetric tridiagonal T with the given diagonals: Newton's
/// method on 1/‖h(λ)‖ − 1/radius, safeguarded by a bracket of λ. Returns h and λ ≥ 0 with (T + λI) h = −γ e₁.
pub(super) fn trust_region(diagonal: &[f64], off: &[f64], gamma: f64, radius: f64) -> (Vec<f64>, f64) {
    let least = least_eigenvalue(diagonal, off);
    let scale = diagonal.iter().chain(off).fold(gamma.abs() / radius, |m, x| m.max(x.abs()));
    if least > 0.0
        && let Some((h, _)) = shifted_solve(diagonal, off, gamma, 0.0)
        && norm(&h) <= radius
    {
        return (h, 0.0);
    }
    // ‖h(λ)‖ = radius between these: at the lower T + λI is singular, at the upper it is at least γ/radius.
    let (mut low, mut high) = ((-least).max(0.0), (-least).max(0.0) + gamma.abs() / radius);
    high += 1e-12 * scale;
    let mut lambda = low + 1e-3 * (high - low);
    let mut best = None;
    for _ in 0..200 {
        let Some((h, derivative)) = shifted_solve(diagonal, off, gamma, lambda) else {
            low = lambda;
            lambda = 0.5 * (low + high);
            continue;
        };
        let length = norm(&h);
        let excess = length / radius - 1.0;
        if excess.abs() <= 1e-13 {
            return (h, lambda);
        }
        if excess > 0.0 {
            low = lambda;
        } else {
            high = lambda;
            best = Some((h, lambda));
        }
        // d‖h‖²/dλ = −2 hᵀ(T + λI)⁻¹h.
        let newton = lambda + length * length / derivative * excess;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if next == lambda || high - low <= 1e-15 * high {
            break;
        }
        lambda = next;
    }
    let (mut h, lambda) = best.unwrap_or_else(|| (vec![0.0; diagonal.len()], high));
    let length = norm(&h);
    // The (nearly) hard case: the rest of the way goes along the leftmost eigenvector, which h already leans to.
    if length > 0.0 && length < radius {
        h.iter_mut().for_each(|h| *h *= radius / length);
    }
    (h, lambda)
}

fn norm(h: &[f64]) -> f64 {
    h.iter().map(|h| h * h).sum::<f64>().sqrt()
}

/// (T + λI)⁻¹(−γ e₁) and hᵀ(T + λI)⁻¹h, unless T + λI is not positive definite: by LDLᵀ.
pub(super) fn shifted_solve(
    diagonal: &[f64],
    off: &[f64],
    gamma: f64,
    lambda: f64,
) -> Option<(Vec<f64>, f64)> {
    let n = diagonal.len();
    let (mut pivots, mut factors) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let mut pivot = diagonal[0] + lambda;
    for i in 0..n {
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        pivots.push(pivot);
        if i + 1 < n {
            let factor = off[i] / pivot;
            factors.push(factor);
            pivot = diagonal[i + 1] + lambda - factor * off[i];
        }
    }
    let mut rhs = vec![0.0; n];
    rhs[0] = -gamma;
    let forward = |v: &mut [f64]| {
        for i in 1..n {
            v[i] -= factors[i - 1] * v[i - 1];
        }
    };
    forward(&mut rhs);
    let mut h: Vec<f64> = rhs.iter().zip(&pivots).map(|(r, d)| r / d).collect();
    for i in (1..n).rev() {
        h[i - 1] -= factors[i - 1] * h[i];
    }
    let mut w = h.clone();
    forward(&mut w);
    let derivative = w.iter().zip(&pivots).map(|(w, d)| w * w / d).sum();
    Some((h, derivative))
}

/// The least eigenvalue, by bisection on Sturm counts.
pub(super) fn least_eigenvalue(diagonal: &[f64], off: &[f64]) -> f64 {
    let n = diagonal.len();
    let reach = |i: usize| {
        let left = if i > 0 { off[i - 1].abs() } else { 0.0 };
        left + if i + 1 < n { off[i].abs() } else { 0.0 }
    };
    let (mut low, mut high) = (f64::INFINITY, f64::INFINITY);
    for (i, &d) in diagonal.iter().enumerate() {
        low = low.min(d - reach(i));
        high = high.min(d);
    }
    let width = rounding::of::<f64>(1.0, low.abs().max(high.abs()));
    while high - low > 4.0 * width {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if all_above(diagonal, off, middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Whether every eigenvalue is above `x`: whether T − xI has only positive pivots.
fn all_above(diagonal: &[f64], off: &[f64], x: f64) -> bool {
    let mut pivot = diagonal[0] - x;
    for (o, d) in off.iter().zip(&diagonal[1..]) {
        if pivot <= 0.0 {
            return false;
        }
        pivot = d - x - o * o / pivot;
    }
    pivot > 0.0
}
