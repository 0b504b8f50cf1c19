//! eˣ and eˣ − 1: x = n ln 2 + r, |r| ≤ ln 2 / 2 (Cody and Waite, "Software Manual for the Elementary Functions",
//! 1980), a polynomial for eʳ, and 2ⁿ put into the exponent.

use super::real::{Real, polynomial};
use crate::machine::simd::Isa;

/// (q, n) with e^(x + tail) = 2ⁿ (1 + q). `tail` must be small against 1; pass −0 for none.
#[inline(always)]
pub(super) fn exp_parts<I: Isa, T: Real>(x: T, tail: T) -> (T, T) {
    let n = (x * T::LOG2_E).nearest();
    let r = I::mul_add(-n, T::LN_2.1, I::mul_add(-n, T::LN_2.0, x)) + tail;
    (I::mul_add(r * r, polynomial::<I, T>(r, T::EXP), r), n)
}

/// e^(r + tail) − 1 for |r| ≤ ln 2 / 2 and a tail that is tiny against it.
#[inline(always)]
pub(super) fn exp_of_remainder<I: Isa, T: Real>(r: T, tail: T) -> T {
    I::mul_add(r * r, polynomial::<I, T>(r, T::EXP), tail) + r
}

/// e^(x + tail), for a `tail` that is small against 1.
#[inline(always)]
pub(super) fn exp_with_tail<I: Isa, T: Real>(x: T, tail: T) -> T {
    let (q, n) = exp_parts::<I, T>(x.limit(T::EXP_RANGE.0, T::EXP_RANGE.1), tail);
    (T::ONE + q).scale(n)
}

#[inline(always)]
pub(super) fn exp<I: Isa, T: Real>(x: T) -> T {
    exp_with_tail::<I, T>(x, -T::ZERO)
}

#[inline(always)]
pub(super) fn exp_m1<I: Isa, T: Real>(x: T) -> T {
    let (q, n) = exp_parts::<I, T>(x.limit(-T::SATURATED, T::EXP_RANGE.1), -T::ZERO);
    // 2ⁿ q + (2ⁿ − 1), halved so that 2ⁿ does not overflow before the result does.
    let half_power = T::ONE.scale(n - T::ONE);
    let half = I::mul_add(q, half_power, half_power - T::from_f64(0.5));
    (if n == T::ZERO { q } else { half + half }).copysign(x)
}
