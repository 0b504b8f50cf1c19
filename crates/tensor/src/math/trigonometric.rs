//! sin, cos and tan: the argument reduced to [−π/4, π/4] as head + tail, a polynomial each for sine and cosine there.

use super::real::{Real, fast_two_sum, polynomial};
use super::reduction::reduce;
use crate::machine::simd::{Baseline, Isa};

/// sin(r + tail) and cos(r + tail) for |r| ≤ π/4, each with what rounding it lost.
#[inline(always)]
fn sin_cos_reduced<I: Isa, T: Real>(r: T, tail: T) -> ((T, T), (T, T)) {
    let half = T::from_f64(0.5);
    let z = r * r;
    // sin r + tail cos r, with cos r ≈ 1 − z/2
    let sin_low = I::mul_add(r * z, polynomial::<I, T>(z, T::SIN), I::mul_add(-half * z, tail, tail));
    let (sin, sin_tail) = fast_two_sum(r, sin_low);
    // r + sin_low would lose the sign of −0.
    let sin = if r == T::ZERO { r } else { sin };
    // cos r − tail sin r; 1 − z/2 is taken apart so that its rounding is not lost.
    let head = I::mul_add(-half, z, T::ONE);
    let lost = I::mul_add(-half, z, T::ONE - head);
    let cos_low = lost + I::mul_add(z * z, polynomial::<I, T>(z, T::COS), -r * tail);
    ((sin, sin_tail), fast_two_sum(head, cos_low))
}

/// sin(x + quarters · π/2).
#[inline(always)]
fn sin_shifted<I: Isa, T: Real>(x: T, quarters: u32) -> T {
    let (quadrant, r, tail) = reduce::<I, T>(x);
    let ((sin, _), (cos, _)) = sin_cos_reduced::<I, T>(r, tail);
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
pub(super) fn sin_cos_turns<I: Isa, T: Real>(turns: T) -> (T, T) {
    let quarters = T::from_f64(4.0) * turns;
    let n = quarters.nearest();
    let fraction = quarters - n;
    let (half_pi, half_pi_tail) = T::FRAC_PI_2;
    let ((sin, _), (cos, _)) = sin_cos_reduced::<I, T>(fraction * half_pi, fraction * half_pi_tail);
    // The quadrant n modulo 4 decides by parity and by halves: all exact.
    let halves = T::from_f64(0.5) * n;
    let odd = !halves.is_integer();
    let (s, c) = if odd { (cos, -sin) } else { (sin, cos) };
    let half_turns = if odd { halves - T::from_f64(0.5) } else { halves };
    let back = !(T::from_f64(0.5) * half_turns).is_integer();
    if back { (-s, -c) } else { (s, c) }
}

/// sin πx and cos πx for finite x of any size, exact where they are 0 or ±1.
#[inline(always)]
pub(super) fn sin_cos_half_turns(x: f64) -> (f64, f64) {
    // The remainder is exact.
    sin_cos_turns::<Baseline, f64>(0.5 * (x % 2.0))
}

#[inline(always)]
pub(super) fn tan<I: Isa, T: Real>(x: T) -> T {
    let (quadrant, r, tail) = reduce::<I, T>(x);
    let ((sin, sin_tail), (cos, cos_tail)) = sin_cos_reduced::<I, T>(r, tail);
    let even = quadrant & 1 == 0;
    let (numerator, numerator_tail) = if even { (sin, sin_tail) } else { (-cos, -cos_tail) };
    let (denominator, denominator_tail) = if even { (cos, cos_tail) } else { (sin, sin_tail) };
    let value = numerator / denominator;
    let correction = (numerator_tail - value * denominator_tail) / denominator;
    // A correction of 0 would lose the sign of −0.
    if correction == T::ZERO { value } else { value + correction }
}
