//! arsinh, arcosh and artanh: logarithms of 1 + u, with u formed so that nothing cancels. In double precision for both types.

use super::logarithm::{ln, ln_1p};
use super::real::Real;
use crate::machine::simd::Isa;

/// From here on √(x² ± 1) is x to the last bit, and squares may overflow soon.
const LARGE: f64 = 134_217_728.0;

#[inline(always)]
pub(super) fn asinh<I: Isa, T: Real>(x: T) -> T {
    let x = x.to_f64();
    let a = x.abs();
    let near = a.limit(0.0, LARGE);
    let square = near * near;
    // √(1 + a²) − 1 = a²/(1 + √(1 + a²))
    let u = near + square / (1.0 + (1.0 + square).sqrt());
    let value = if a > LARGE { ln::<I, f64>(a) + std::f64::consts::LN_2 } else { ln_1p::<I, f64>(u) };
    T::from_f64(if a < 1e-9 { x } else { value.copysign(x) })
}

#[inline(always)]
pub(super) fn acosh<I: Isa, T: Real>(x: T) -> T {
    let x = x.to_f64();
    let t = x.limit(f64::NEG_INFINITY, LARGE) - 1.0;
    // √(x² − 1) = √(t (2 + t)), NaN for negative t > −2; below, the sum is what ln_1p gives NaN for.
    let u = t + (t * (2.0 + t)).sqrt();
    let value = if x > LARGE { ln::<I, f64>(x) + std::f64::consts::LN_2 } else { ln_1p::<I, f64>(u) };
    T::from_f64(if x < 1.0 { f64::NAN } else { value })
}

#[inline(always)]
pub(super) fn atanh<I: Isa, T: Real>(x: T) -> T {
    let x = x.to_f64();
    let a = x.abs();
    // (1 + a)/(1 − a) = 1 + 2a/(1 − a)
    let value = 0.5 * ln_1p::<I, f64>(2.0 * (a / (1.0 - a)));
    T::from_f64(if a < 1e-9 { x } else { value.copysign(x) })
}
