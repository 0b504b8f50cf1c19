//! The logistic sigmoid and its integral, the softplus, from e^−|x|, which cannot overflow.

use super::exponential::exp;
use super::logarithm::ln_1p;
use super::real::Real;
use crate::simd::Isa;

#[inline(always)]
pub(super) fn sigmoid<I: Isa, T: Real>(x: T) -> T {
    let e = exp::<I, T>(-x.abs());
    (if x < T::ZERO { e } else { T::ONE }) / (T::ONE + e)
}

#[inline(always)]
pub(super) fn softplus<I: Isa, T: Real>(x: T) -> T {
    let positive = if x < T::ZERO { T::ZERO } else { x };
    positive + ln_1p::<I, T>(exp::<I, T>(-x.abs()))
}
