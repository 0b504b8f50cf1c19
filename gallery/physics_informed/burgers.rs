//! The exact solution.

use std::f64::consts::PI;

/// The viscosity.
pub(crate) const VISCOSITY: f64 = 0.05 / PI;

/// The value at the start.
pub(crate) fn initial(x: f64) -> f64 {
    -(PI * x).sin()
}

/// u(t, x) by the transformation of Cole and Hopf: a quotient of two integrals with a Gaussian weight, here sums over a grid
/// that is fine beside the width √(4νt) of the weight (Basdevant et al., "Spectral and finite difference solutions of the
/// Burgers equation", 1986).
pub(crate) fn exact(t: f64, x: f64) -> f64 {
    if t <= 0.0 {
        return initial(x);
    }
    let width = (4.0 * VISCOSITY * t).sqrt();
    // The exponent may be large; the largest is taken out.
    let exponent = |z: f64| -(PI * (x - width * z)).cos() / (2.0 * PI * VISCOSITY) - z * z;
    let grid = || (-4000..=4000).map(|i| f64::from(i) * 2e-3);
    let largest = grid().map(exponent).fold(f64::MIN, f64::max);
    let (mut above, mut below) = (0.0, 0.0);
    for z in grid() {
        let weight = (exponent(z) - largest).exp();
        above += initial(x - width * z) * weight;
        below += weight;
    }
    above / below
}
