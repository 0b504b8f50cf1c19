//! x = n π/2 + r for x of any size, without a branch.
//!
//! Near 0 by subtracting n times π/2 in four summands, the first two without rounding (W. J. Cody and W. Waite, "Software
//! manual for the elementary functions", 1980). Elsewhere after M. H. Payne and R. N. Hanek, "Radian reduction for
//! trigonometric functions", 1983: with x = 2^(16 s) y, where s is such that y is still an integer (or s = 0), x · 2/π modulo 4 is
//! y · (2^(16 s) · 2/π modulo 4) modulo 4. The inner remainder is tabulated to 212 bits for every s.

use super::coefficients::{Coefficients, TWO_OVER_PI};
use super::real::{Real, fast_two_sum, two_product, two_sum};
use crate::machine::simd::Isa;

/// (y, s).
#[inline(always)]
fn scaled(x: f64) -> (f64, usize) {
    let exponent = (x.to_bits() >> 52) & 0x7ff;
    let s = exponent.saturating_sub(1023 + 52) >> 4;
    (x * f64::from_bits((1023 - 16 * (s & 63)) << 52), (s & 63) as usize)
}

/// `value` with its quadrant read off the shifted integer `n`.
#[inline(always)]
fn quadrant(n: f64) -> u32 {
    (n + f64::SHIFT).to_bits() as u32
}

/// The steps s that an `f32` can have.
const STEPS: usize = 7;
/// `[j][s]`: the j-th summand of (2/π · 2^(16 s)) mod 4, times 2^(−16 s).
const SINGLE: [[f64; STEPS]; 2] = {
    let mut rows = [[0.0; STEPS]; 2];
    let mut s = 0;
    while s < STEPS {
        let power = f64::from_bits((1023 - 16 * s as u64) << 52);
        rows[0][s] = TWO_OVER_PI[0][s] * power;
        rows[1][s] = TWO_OVER_PI[1][s] * power;
        s += 1;
    }
    rows
};

/// Those of |x|, chosen by comparisons: to look each lane's up in a table would take longer than all the rest.
#[inline(always)]
fn summands(a: f32) -> (f64, f64) {
    let [mut head, mut tail] = [SINGLE[0][0], SINGLE[1][0]];
    // Plain counting, which is unrolled: of anything else a loop remains, in which nothing is computed for several numbers at once.
    let mut s = 1;
    while s < STEPS {
        // The first number with this s.
        let beyond = a >= f32::from_bits((127 + 23 + 16 * s as u32) << 23);
        head = if beyond { SINGLE[0][s] } else { head };
        tail = if beyond { SINGLE[1][s] } else { tail };
        s += 1;
    }
    (head, tail)
}

/// The quadrant n (only its last two bits count) and the rest r = head + tail, |r| ≤ π/4 but for rounding, of x = n π/2 + r. The
/// same in a loop that [knows](Isa::NEAR) that all numbers are near as in one that does not.
#[inline(always)]
pub(super) fn reduce<I: Isa, T: Real>(x: T) -> (u32, T, T) {
    let near = reduce_near::<I, T>(x);
    if I::NEAR {
        return near;
    }
    let far = x.reduce_far::<I>();
    if x.is_near() { near } else { far }
}

#[inline(always)]
fn reduce_near<I: Isa, T: Real>(x: T) -> (u32, T, T) {
    let [first, second, third, fourth] = T::QUADRANT;
    let shifted = x * T::TWO_OVER_PI + T::SHIFT;
    let n = shifted - T::SHIFT;
    let r = I::mul_add(-n, second, I::mul_add(-n, first, x));
    let (lost, lost_tail) = two_product::<I, T>(n, third);
    let (head, tail) = two_sum(r, -lost);
    // At −0 all that is subtracted is +0, and the sign stays.
    (shifted.low_bits(), head, tail - I::mul_add(n, fourth, lost_tail))
}

#[inline(always)]
pub(super) fn far_f32<I: Isa>(x: f32) -> (u32, f32, f32) {
    let ((first, second), y) = (summands(x.abs()), f64::from(x));
    let (p, p_tail) = two_product::<I, f64>(y, first);
    let n = p.nearest();
    let turns = (p - n) + (p_tail + y * second);
    let r = turns * <f64 as Coefficients>::FRAC_PI_2.0;
    let head = r as f32;
    let tail = (r - f64::from(head)) as f32;
    (quadrant(n), head, tail)
}

#[inline(always)]
pub(super) fn far_f64<I: Isa>(x: f64) -> (u32, f64, f64) {
    let (y, s) = scaled(x);
    let (p0, e0) = two_product::<I, f64>(y, TWO_OVER_PI[0][s]);
    let (p1, e1) = two_product::<I, f64>(y, TWO_OVER_PI[1][s]);
    let (p2, e2) = two_product::<I, f64>(y, TWO_OVER_PI[2][s]);
    let lowest = e2 + y * TWO_OVER_PI[3][s];
    // p0 may have 2⁷⁰: whole multiples of 2²⁰ quadrants go first, exactly.
    const MANY: f64 = (1u64 << 20) as f64;
    let p0 = p0 - (p0 * (1.0 / MANY)).nearest() * MANY;
    let (a, a_tail) = two_sum(e0, p1);
    let (b, b_tail) = two_sum(p0, a);
    let n = b.nearest();
    // What remains, all exact but the last: a multiple of π/2 can cancel up to 61 bits.
    let (u, u_tail) = two_sum(e1, p2);
    let (v, v_tail) = two_sum(a_tail, b_tail);
    let (w, w_tail) = two_sum(u, v);
    let (turns, turns_tail) = two_sum(b - n, w);
    let (turns, turns_tail) = fast_two_sum(turns, turns_tail + (w_tail + (u_tail + v_tail + lowest)));
    let (half_pi, half_pi_tail) = <f64 as Coefficients>::FRAC_PI_2;
    let (head, tail) = two_product::<I, f64>(turns, half_pi);
    let tail = tail + I::mul_add(turns, half_pi_tail, turns_tail * half_pi);
    (quadrant(n), head, tail)
}
