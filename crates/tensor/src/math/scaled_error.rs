//! Derivatives of erfcx x = exp(x²) erfc x, by the repeated integrals of erfc, which are all positive: those of the formula
//! would be differences of nearly equal numbers for large x. (W. Gautschi, "Computational aspects of three-term recurrence
//! relations", 1967.)

use super::error_function::erfcx;
use crate::machine::simd::Baseline;

/// 2/√π, which stands for the integral of order −1.
const BEFORE: f64 = std::f64::consts::FRAC_2_SQRT_PI;

/// The n-th derivative of erfcx at x: (−2)ⁿ n! wₙ with the integrals wₙ = exp(x²) iⁿerfc x, for which
/// 2 k wₖ = wₖ₋₂ − 2 x wₖ₋₁.
#[inline(never)]
pub(super) fn erfcx_derivative(n: u32, x: f64) -> f64 {
    let zeroth = erfcx::<Baseline, f64>(x);
    if n == 0 || x.is_nan() {
        return zeroth;
    }
    let integral = if x < 0.5 { forwards(n, x, zeroth) } else { zeroth * ratio_to_zeroth(n, x) };
    let factor: f64 = (1..=n).map(|k| -2.0 * f64::from(k)).product();
    factor * integral
}

/// By the recurrence, which is stable for negative x, and loses few digits for small ones.
fn forwards(n: u32, x: f64, zeroth: f64) -> f64 {
    let (mut before, mut here) = (BEFORE, zeroth);
    for k in 1..=n {
        (before, here) = (here, (0.5 * before - x * here) / f64::from(k));
    }
    here
}

/// wₙ/w₀ by the ratios of neighbours, from far above down, where an error at the start dies out.
fn ratio_to_zeroth(n: u32, x: f64) -> f64 {
    let start = n + 20 + (196.0 / (x * x)) as u32;
    let (mut ratio, mut product) = (0.0, 1.0);
    for k in (2..=start).rev() {
        ratio = 0.5 / (x + f64::from(k) * ratio);
        if k <= n + 1 {
            product *= ratio;
        }
    }
    product
}
