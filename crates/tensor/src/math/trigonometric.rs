//! sin, cos and tan: the argument reduced to [−π/4, π/4] as head + tail, a polynomial each for sine and cosine there.

use super::real::{Real, polynomial};
use crate::simd::Isa;

/// sin(r + tail) and cos(r + tail) for |r| ≤ π/4.
#[inline(always)]
fn sin_cos_reduced<I: Isa, T: Real>(r: T, tail: T) -> (T, T) {
    let half = T::from_f64(0.5);
    let z = r * r;
    // sin r + tail cos r, with cos r ≈ 1 − z/2
    let sin_low = I::mul_add(r * z, polynomial::<I, T>(z, T::SIN), I::mul_add(-half * z, tail, tail));
    let sin = r + sin_low;
    // cos r − tail sin r; 1 − z/2 is taken apart so that its rounding is not lost.
    let head = I::mul_add(-half, z, T::ONE);
    let lost = I::mul_add(-half, z, T::ONE - head);
    let cos = head + (lost + I::mul_add(z * z, polynomial::<I, T>(z, T::COS), -r * tail));
    (sin, cos)
}

/// sin(x + quarters · π/2).
#[inline(always)]
fn sin_shifted<I: Isa, T: Real>(x: T, quarters: u32) -> T {
    let (quadrant, r, tail) = x.reduce::<I>();
    let (sin, cos) = sin_cos_reduced::<I, T>(r, tail);
    let quadrant = quadrant.wrapping_add(quarters);
    let value = if quadrant & 1 == 0 { sin } else { cos };
    if quadrant & 2 == 0 { value } else { -value }
}

#[inline(always)]
pub(super) fn sin<I: Isa, T: Real>(x: T) -> T {
    sin_shifted::<I, T>(x, 0)
}

#[inline(always)]
pub(super) fn cos<I: Isa, T: Real>(x: T) -> T {
    sin_shifted::<I, T>(x, 1)
}

#[inline(always)]
pub(super) fn tan<I: Isa, T: Real>(x: T) -> T {
    let (quadrant, r, tail) = x.reduce::<I>();
    let (sin, cos) = sin_cos_reduced::<I, T>(r, tail);
    let even = quadrant & 1 == 0;
    (if even { sin } else { -cos }) / (if even { cos } else { sin })
}
