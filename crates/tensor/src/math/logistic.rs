//! The logistic sigmoid and its integral, the softplus, from e^−|x|, which cannot overflow.

use super::exponential::exp;
use super::logarithm::ln_1p;
use super::real::{Real, fast_two_sum};
use crate::machine::simd::Isa;

#[inline(always)]
pub(super) fn sigmoid<I: Isa, T: Real>(x: T) -> T {
    let e = exp::<I, T>(-x.abs());
    let (d, d_tail) = fast_two_sum(T::ONE, e);
    let value = (if x < T::ZERO { e } else { T::ONE }) / d;
    // Divided by d + d_tail: 1/d is needed to a few per cent only, and is nearly a line from 1 to 2.
    let inverse = T::from_f64(1.457) - T::from_f64(0.5) * d;
    I::mul_add(-value, d_tail * inverse, value)
}

#[inline(always)]
pub(super) fn softplus<I: Isa, T: Real>(x: T) -> T {
    let positive = if x < T::ZERO { T::ZERO } else { x };
    positive + ln_1p::<I, T>(exp::<I, T>(-x.abs()))
}
