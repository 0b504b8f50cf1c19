//! sinh, cosh and tanh, from one exponential.

use super::exponential::{exp_m1, exp_parts};
use super::real::{Real, fast_two_sum, polynomial};
use crate::machine::simd::Isa;

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
    // With t = e²ᵃ − 1, tanh a = t/(t + 2) = 1 − 2/(t + 2).
    let t = exp_m1::<I, T>((two * x.abs()).limit(T::ZERO, T::SATURATED));
    let (d, d_tail) = fast_two_sum(two, t);
    let near = t < two;
    let quotient = (if near { t } else { two }) / d;
    // Divided by d + d_tail: 1/d is needed to a few per cent only, and is nearly a line from 2 to 4.
    let inverse = T::from_f64(0.7285) - T::from_f64(0.125) * d;
    let value = if near { I::mul_add(-quotient, d_tail * inverse, quotient) } else { T::ONE - quotient };
    value.copysign(x)
}
