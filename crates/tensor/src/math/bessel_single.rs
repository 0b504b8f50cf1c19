//! The modified Bessel functions of order 0 and 1 of numbers in single precision: computed in double precision, so that a few
//! digits may be lost, and straight-line, so that a loop over them vectorises.

use super::bessel_coefficients::{FAR_0_SHORT, FAR_1_SHORT, NEAR_0_SHORT, NEAR_1_SHORT};
use super::exponential::exp;
use super::real::polynomial;
use crate::machine::simd::Isa;

/// I₀(x), or exp(−|x|) I₀(x) if `scaled`.
#[inline(always)]
pub(super) fn bessel_i0<I: Isa>(scaled: bool, x: f64) -> f64 {
    let a = x.abs();
    let near = polynomial::<I, f64>(0.25 * a - 1.0, NEAR_0_SHORT);
    either_side::<I>(scaled, a, near, FAR_0_SHORT)
}

/// I₁(x), or exp(−|x|) I₁(x) if `scaled`.
#[inline(always)]
pub(super) fn bessel_i1<I: Isa>(scaled: bool, x: f64) -> f64 {
    let a = x.abs();
    let near = a * polynomial::<I, f64>(0.25 * a - 1.0, NEAR_1_SHORT);
    either_side::<I>(scaled, a, near, FAR_1_SHORT).copysign(x)
}

/// The function of a, whose scaled value is `near` up to 8, and from there on a polynomial over √a.
#[inline(always)]
fn either_side<I: Isa>(scaled: bool, a: f64, near: f64, far: &[f64]) -> f64 {
    let far = polynomial::<I, f64>(16.0 / a - 1.0, far) / a.sqrt();
    let size = if a < 8.0 { near } else { far };
    // Beyond 700 either is out of single precision's range.
    let size = if scaled { size } else { size * exp::<I, f64>(if a < 700.0 { a } else { 700.0 }) };
    let size = if (a == f64::INFINITY) & !scaled { a } else { size };
    if a.is_nan() { a } else { size }
}
