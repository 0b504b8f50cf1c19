//! xʸ = exp(y ln|x|) with the sign and the special cases of IEEE 754 `pow`, its product with a number, and 1/√x.

use super::exponential::{exp, exp_parts, exp_with_tail};
use super::logarithm::{ln, ln_double};
use super::real::{Real, two_product};
use crate::machine::simd::Isa;

/// |x|ʸ for finite |x| > 0, in double the precision.
pub(super) trait Magnitude: Real {
    fn magnitude<I: Isa>(self, y: Self) -> Self;

    /// c·|x|ʸ, where |x|ʸ alone may leave the range of numbers. Of a power so small that no product of three numbers brings it
    /// back it is 0, also where c is such a product that has become infinite.
    fn times_magnitude<I: Isa>(self, y: Self, c: Self) -> Self;
}

/// `c`, or 0 in place of ∞ where a power vanishes.
#[inline(always)]
fn unless<T: Real>(vanishes: bool, c: T) -> T {
    if vanishes & (c.abs() == T::INFINITY) { T::ZERO } else { c }
}

impl Magnitude for f32 {
    #[inline(always)]
    fn magnitude<I: Isa>(self, y: f32) -> f32 {
        exp::<I, f64>(f64::from(y) * ln::<I, f64>(f64::from(self))) as f32
    }

    #[inline(always)]
    fn times_magnitude<I: Isa>(self, y: f32, c: f32) -> f32 {
        // The product of four numbers is within e^±415.
        let exponent = f64::from(y) * ln::<I, f64>(f64::from(self));
        let c = unless(exponent < -415.0, c);
        (exp::<I, f64>(exponent.limit(-700.0, 700.0)) * f64::from(c)) as f32
    }
}

/// y ln |x| and what rounding it loses, where it is at most `limit`; beyond that it matters no more.
#[inline(always)]
fn exponent<I: Isa>(x: f64, y: f64, limit: f64) -> (f64, f64) {
    let (head, tail) = ln_double::<I, f64>(x);
    // |ln x| ≥ 2⁻⁵³, so a larger y overflows or underflows as surely, and the products here do not.
    let y = y.limit(-1e30, 1e30);
    let (product, product_tail) = two_product::<I, f64>(y, head);
    let tail = product_tail + y * tail;
    // There the tail is not small any more.
    (product, if product.abs() > limit { 0.0 } else { tail })
}

impl Magnitude for f64 {
    #[inline(always)]
    fn magnitude<I: Isa>(self, y: f64) -> f64 {
        let (product, tail) = exponent::<I>(self, y, 1e3);
        exp_with_tail::<I, f64>(product, tail)
    }

    #[inline(always)]
    fn times_magnitude<I: Isa>(self, y: f64, c: f64) -> f64 {
        let (product, tail) = exponent::<I>(self, y, 2e3);
        // The product of four numbers is within e^±2980, that of two within e^±1455.
        let c = unless(product < -2980.0, c);
        let (q, n) = exp_parts::<I, f64>(product.limit(-1460.0, 1460.0), tail);
        // In two parts, both up or both down, so that nothing on the way is farther out than the result.
        let half = (n * 0.5 - 0.25).nearest();
        (c.scale(half) * (1.0 + q)).scale(n - half)
    }
}

#[inline(always)]
pub(super) fn powf<I: Isa, T: Magnitude>(x: T, y: T) -> T {
    times(T::ONE, x, y, x.abs().magnitude::<I>(y))
}

/// c·xʸ.
#[inline(always)]
pub(super) fn times_powf<I: Isa, T: Magnitude>(c: T, x: T, y: T) -> T {
    times(c, x, y, x.abs().times_magnitude::<I>(y, c))
}

/// c·xʸ of its value for a positive, finite x.
#[inline(always)]
fn times<T: Magnitude>(c: T, x: T, y: T, value: T) -> T {
    let a = x.abs();
    let nan = a.is_nan() | y.is_nan();
    // 0 and ∞ to a power, by the power's sign.
    let (zero, infinite, up, down) = (a == T::ZERO, a == T::INFINITY, y > T::ZERO, y < T::ZERO);
    // Without short circuits, which are branches.
    let (vanishes, explodes) = ((zero & up) | (infinite & down), (zero & down) | (infinite & up));
    let value = if vanishes { c * T::ZERO } else { value };
    let value = if explodes { c * T::INFINITY } else { value };
    let value = if nan { T::NAN } else { value };
    let value = if (a == T::ONE) & !nan { c } else { value };
    // Negative x: odd integers keep the sign, and nothing but integers will do.
    let integer = y.is_integer();
    let odd = integer & !(y * T::from_f64(0.5)).is_integer();
    let value = if odd { value * T::ONE.copysign(x) } else { value };
    let undefined = (x < T::ZERO) & !integer & !infinite;
    let value = if undefined { T::NAN } else { value };
    if (y == T::ZERO) | (x == T::ONE) { c } else { value }
}

#[inline(always)]
pub(super) fn rsqrt<T: Real>(x: T) -> T {
    T::ONE / x.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::simd::Baseline;

    fn product<T: Magnitude>(c: T, x: T, y: T) -> T {
        times_powf::<Baseline, T>(c, x, y)
    }

    #[test]
    fn single_products_are_rounded_once() {
        let parts = |n: u32| f32::from_bits(n.wrapping_mul(2_654_435_761) & 0x7fff_ffff);
        for i in 1..40_000u32 {
            let (c, x) = (parts(i), parts(i + 77_777));
            let y = (i % 41) as f32 * 0.25 - 5.0;
            let expected = f64::from(c) * f64::from(x).powf(f64::from(y));
            if c.is_nan() || x.is_nan() || f64::from(x).powf(f64::from(y)).ln().abs() > 300.0 {
                continue;
            }
            let z = product(c, x, y);
            let near = (f64::from(z) - expected).abs() <= expected * 2f64.powi(-23) + 1.5e-45;
            assert!(near || z == expected as f32, "{c:e}·{x:e}^{y} is {z:e}, not {expected:e}");
        }
    }

    /// Of powers of two all are exact.
    #[test]
    fn double_products_of_powers_out_of_range() {
        let two = |n: i32| if n < -1022 { 2f64.powi(n + 200) * 2f64.powi(-200) } else { 2f64.powi(n) };
        for of_c in (-1074..1024).step_by(89) {
            for of_x in (-1000..1000).step_by(111) {
                for y in [-2, -1, 1, 2] {
                    let n = of_c + of_x * y;
                    let expected = if n > 1023 {
                        f64::INFINITY
                    } else if n < -1074 {
                        0.0
                    } else {
                        two(n)
                    };
                    assert_eq!(product(two(of_c), two(of_x), f64::from(y)), expected, "{of_c} {of_x} {y}");
                    assert_eq!(
                        product(-two(of_c), -two(of_x), f64::from(y)),
                        if y % 2 == 0 { -expected } else { expected }
                    );
                }
            }
        }
    }

    fn agrees_with_the_power<T: Magnitude>() {
        let numbers = [0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 3.0, 0.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]
            .map(T::from_f64);
        for c in [1.0, -0.75, 0.0, f64::NAN].map(T::from_f64) {
            for x in numbers {
                for y in numbers {
                    if c == T::ZERO && y.abs() == T::INFINITY {
                        // 0 as for all exponents.
                        continue;
                    }
                    let (z, expected) = (product(c, x, y), c * powf::<Baseline, T>(x, y));
                    let near = (z - expected).abs() <= expected.abs() * T::from_f64(2e-7);
                    let same = z == expected || (z.is_nan() && expected.is_nan()) || near;
                    assert!(same, "{}: {c}·{x}^{y} is {z}, not {expected}", T::NAME);
                }
            }
        }
        let (infinite, small) = (T::INFINITY, T::from_f64(1e-30));
        assert_eq!(product(infinite, small, T::from_f64(1e30)), T::ZERO);
        assert_eq!(product(infinite, small, T::from_f64(0.5)), infinite);
        assert!(product(T::NAN, small, T::from_f64(1e30)).is_nan());
        // 0 times a power that is finite, but no number of the type.
        for y in [11.0, 1e30, f64::INFINITY].map(T::from_f64) {
            assert_eq!(product(T::ZERO, T::from_f64(1e30), y), T::ZERO);
        }
    }

    #[test]
    fn special_products() {
        agrees_with_the_power::<f32>();
        agrees_with_the_power::<f64>();
    }
}
