//! ln x and ln(1 + x): x = 2ᵏ (1 + f), s = f/(2 + f), ln(1 + f) = 2 artanh s = f − f²/2 + s (f²/2 + s² L(s²)), an
//! arrangement in which only small terms are rounded (K. C. Ng, in FreeBSD's msun, `e_log.c`).

use super::real::{Real, fast_two_sum, polynomial, two_product, two_sum};
use crate::machine::simd::Isa;

/// k ln 2 + ln(1 + f) + tail, for f in [√½ − 1, √2 − 1] and a small tail.
#[inline(always)]
fn combine<I: Isa, T: Real>(k: T, f: T, tail: T) -> T {
    let half_square = T::from_f64(0.5) * f * f;
    let s = f / (T::from_f64(2.0) + f);
    let z = s * s;
    let series = z * polynomial::<I, T>(z, T::LN);
    let low = I::mul_add(s, half_square + series, I::mul_add(k, T::LN_2.1, tail));
    I::mul_add(k, T::LN_2.0, f - (half_square - low))
}

/// (k, m) with x = 2ᵏ m, also for subnormals.
#[inline(always)]
fn decompose<T: Real>(x: T) -> (T, T) {
    let tiny = x < T::MIN_POSITIVE;
    let (k, m) = (if tiny { x * T::NORMALISE.0 } else { x }).decompose();
    (if tiny { k - T::NORMALISE.1 } else { k }, m)
}

/// `value` where ln x is finite, else ln x.
#[inline(always)]
pub(super) fn at_the_ends<T: Real>(x: T, value: T) -> T {
    let value = if x == T::INFINITY { T::INFINITY } else { value };
    let value = if x == T::ZERO { T::NEG_INFINITY } else { value };
    // `!(x >= 0)`: negative or NaN.
    if x >= T::ZERO { value } else { T::NAN }
}

#[inline(always)]
pub(super) fn ln<I: Isa, T: Real>(x: T) -> T {
    let (k, m) = decompose(x);
    at_the_ends(x, combine::<I, T>(k, m - T::ONE, T::ZERO))
}

#[inline(always)]
pub(super) fn ln_1p<I: Isa, T: Real>(x: T) -> T {
    let u = T::ONE + x;
    let (k, m) = u.decompose();
    // What rounding 1 + x lost, relative to u. Where k = 0, f = x itself loses nothing.
    let lost = if u > T::from_f64(2.0) { T::ONE - (u - x) } else { x - (u - T::ONE) };
    let (f, tail) = if k == T::ZERO { (x, T::ZERO) } else { (m - T::ONE, lost / u) };
    let value = at_the_ends(u, combine::<I, T>(k, f, tail));
    // Keeps the sign of −0.
    if x == T::ZERO { x } else { value }
}

/// ln x as head + tail with a relative error near 2⁻⁶⁵ for f64: the first two terms of the artanh series in double
/// words. For finite x > 0.
#[inline(always)]
pub(super) fn ln_double<I: Isa, T: Real>(x: T) -> (T, T) {
    let (k, m) = decompose(x);
    let f = m - T::ONE;
    let d = T::from_f64(2.0) + f;
    let d_tail = f - (d - T::from_f64(2.0));
    // s = f / (d + d_tail)
    let s = f / d;
    let (p, p_tail) = two_product::<I, T>(s, d);
    let s_tail = ((f - p) - p_tail - s * d_tail) / d;
    // z = s², cube = s³
    let (z, z_tail) = two_product::<I, T>(s, s);
    let z_tail = I::mul_add(s + s, s_tail, z_tail);
    let (cube, cube_tail) = two_product::<I, T>(s, z);
    let cube_tail = cube_tail + I::mul_add(s, z_tail, s_tail * z);
    // 2/3 s³, and the rest of the series
    let (two_thirds, two_thirds_tail) = T::TWO_THIRDS;
    let (term, term_tail) = two_product::<I, T>(cube, two_thirds);
    let term_tail = term_tail + I::mul_add(cube, two_thirds_tail, cube_tail * two_thirds);
    let rest = cube * z * polynomial::<I, T>(z, T::LN_FROM_FIFTH);
    // k ln 2 + 2s + term + rest
    let (a, a_tail) = two_sum(k * T::LN_2.0, s + s);
    let (b, b_tail) = two_sum(a, term);
    // k · LN_2.1 needs its rounding error too where k is large; it is below 2⁻⁶⁵ of k ln 2.
    let tail = (rest + term_tail) + I::mul_add(k, T::LN_2.1, s_tail + s_tail) + (a_tail + b_tail);
    fast_two_sum(b, tail)
}
