//! arcsin, arccos, arctan and the angle of a point: a polynomial near 0, to which identities bring every other argument.

use super::coefficients::{ATAN_SHORT, Coefficients};
use super::real::{Real, fast_two_sum, polynomial};
use crate::machine::simd::Isa;

/// (s, e, far) of |x|: arcsin|x| = s + e where not far (|x| ≤ 1/2), and π/2 − 2 (s + e) where far, s being
/// √((1 − |x|)/2) there. NaN for |x| > 1.
#[inline(always)]
fn arcsine<I: Isa, T: Real>(x: T) -> (T, T, bool) {
    let a = x.abs();
    let half = T::from_f64(0.5);
    let far = a > half;
    let z = if far { half * (T::ONE - a) } else { a * a };
    let s = if far { z.sqrt() } else { a };
    (s, s * z * polynomial::<I, T>(z, T::ASIN), far)
}

#[inline(always)]
pub(super) fn asin<I: Isa, T: Real>(x: T) -> T {
    let (s, e, far) = arcsine::<I, T>(x);
    let (half_pi, half_pi_tail) = T::FRAC_PI_2;
    let (beyond, beyond_tail) = fast_two_sum(half_pi, -(s + s));
    let value = if far { beyond - (e + e - half_pi_tail - beyond_tail) } else { s + e };
    value.copysign(x)
}

#[inline(always)]
pub(super) fn acos<I: Isa, T: Real>(x: T) -> T {
    let (s, e, far) = arcsine::<I, T>(x);
    let negative = x < T::ZERO;
    let (half_pi, half_pi_tail) = T::FRAC_PI_2;
    let e_signed = e.copysign(x);
    let near = half_pi - (x - (half_pi_tail - e_signed));
    let twice = (s + e) + (s + e);
    let beyond = if negative { T::PI.0 - (twice - T::PI.1) } else { twice };
    if far { beyond } else { near }
}

#[inline(always)]
pub(super) fn atan<I: Isa, T: Real>(x: T) -> T {
    let a = x.abs();
    let one = T::ONE;
    // arctan a = base + arctan t with |t| ≤ tan(π/8).
    let middle = a > T::from_f64(0.414_213_562_373_095);
    let high = a > T::from_f64(2.414_213_562_373_095);
    let numerator = if middle { a - one } else { a };
    let numerator = if high { -one } else { numerator };
    let denominator = if middle { a + one } else { one };
    let denominator = if high { a } else { denominator };
    let base = if middle { T::FRAC_PI_4.0 } else { T::ZERO };
    let base = if high { T::FRAC_PI_2.0 } else { base };
    let base_tail = if middle { T::FRAC_PI_4.1 } else { T::ZERO };
    let base_tail = if high { T::FRAC_PI_2.1 } else { base_tail };
    let t = numerator / denominator;
    let z = t * t;
    let value = base + (t + I::mul_add(t * z, polynomial::<I, T>(z, T::ATAN), base_tail));
    value.copysign(x)
}

/// arctan(small/large) for 0 ≤ small ≤ large; 0/0 is 0 here, and ∞/∞ 1.
#[inline(always)]
fn angle_of_quotient<I: Isa, T: Real>(small: f64, large: f64) -> f64 {
    let large = if large == 0.0 { 1.0 } else { large };
    if size_of::<T>() == size_of::<f64>() {
        let ratio = small / large;
        return atan::<I, f64>(if small == f64::INFINITY { 1.0 } else { ratio });
    }
    // To the digits of f32, by one division: π/4 + arctan((small − large)/(small + large)) in the middle.
    let (small, large) = if small == f64::INFINITY { (1.0, 1.0) } else { (small, large) };
    let middle = small > 0.414_213_562_373_095 * large;
    let numerator = if middle { small - large } else { small };
    let t = numerator / if middle { small + large } else { large };
    let z = t * t;
    let rest = I::mul_add(t * z, polynomial::<I, f64>(z, ATAN_SHORT), t);
    if middle { f64::FRAC_PI_4.0 + rest } else { rest }
}

/// The angle of the point (x, y), in double precision for both types.
#[inline(always)]
pub(super) fn atan2<I: Isa, T: Real>(y: T, x: T) -> T {
    let (y, x) = (y.to_f64(), x.to_f64());
    let (a, b) = (y.abs(), x.abs());
    let steep = a > b;
    let (small, large) = if steep { (b, a) } else { (a, b) };
    let angle = angle_of_quotient::<I, T>(small, large);
    let (half_pi, half_pi_tail) = f64::FRAC_PI_2;
    let angle = if steep { half_pi - (angle - half_pi_tail) } else { angle };
    let (pi, pi_tail) = f64::PI;
    let angle = if 1f64.copysign(x) < 0.0 { pi - (angle - pi_tail) } else { angle };
    T::from_f64(if a.is_nan() || b.is_nan() { f64::NAN } else { angle.copysign(y) })
}
