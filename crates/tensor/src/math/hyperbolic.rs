//! sinh, cosh and tanh, from one exponential.

use super::exponential::{exp_m1, exp_parts};
use super::real::{Real, polynomial};
use crate::simd::Isa;

/// eᵃ/2 for a ≥ 0; infinite only where sinh and cosh are.
#[inline(always)]
fn half_exp<I: Isa, T: Real>(a: T) -> T {
    let (q, n) = exp_parts::<I, T>(a.limit(T::ZERO, T::EXP_RANGE.1 + T::ONE), -T::ZERO);
    (T::ONE + q).scale(n - T::ONE)
}

#[inline(always)]
pub(super) fn sinh<I: Isa, T: Real>(x: T) -> T {
    let a = x.abs();
    let z = a * a;
    let near = I::mul_add(a * z, polynomial::<I, T>(z, T::SINH), a);
    let half_exp = half_exp::<I, T>(a);
    let far = half_exp - T::from_f64(0.25) / half_exp;
    (if a < T::ONE { near } else { far }).copysign(x)
}

#[inline(always)]
pub(super) fn cosh<I: Isa, T: Real>(x: T) -> T {
    let half_exp = half_exp::<I, T>(x.abs());
    half_exp + T::from_f64(0.25) / half_exp
}

#[inline(always)]
pub(super) fn tanh<I: Isa, T: Real>(x: T) -> T {
    let two = T::from_f64(2.0);
    // tanh a = (e²ᵃ − 1)/(e²ᵃ + 1)
    let t = exp_m1::<I, T>(two * x.abs().limit(T::ZERO, T::SATURATED));
    (t / (t + two)).copysign(x)
}
