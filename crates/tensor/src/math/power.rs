//! xʸ = exp(y ln|x|) with the sign and the special cases of IEEE 754 `pow`, and 1/√x.

use super::exponential::{exp, exp_with_tail};
use super::logarithm::{ln, ln_double};
use super::real::{Real, two_product};
use crate::machine::simd::Isa;

/// |x|ʸ for finite |x| > 0, in double the precision.
pub(super) trait Magnitude: Real {
    fn magnitude<I: Isa>(self, y: Self) -> Self;
}

impl Magnitude for f32 {
    #[inline(always)]
    fn magnitude<I: Isa>(self, y: f32) -> f32 {
        exp::<I, f64>(f64::from(y) * ln::<I, f64>(f64::from(self))) as f32
    }
}

impl Magnitude for f64 {
    #[inline(always)]
    fn magnitude<I: Isa>(self, y: f64) -> f64 {
        let (head, tail) = ln_double::<I, f64>(self);
        // |ln x| ≥ 2⁻⁵³, so a larger y overflows or underflows as surely, and the products here do not.
        let y = y.limit(-1e30, 1e30);
        let (product, product_tail) = two_product::<I, f64>(y, head);
        let tail = product_tail + y * tail;
        // Far beyond exp's range the tail is not small any more, nor does it matter.
        let tail = if product.abs() > 1e3 { 0.0 } else { tail };
        exp_with_tail::<I, f64>(product, tail)
    }
}

#[inline(always)]
pub(super) fn powf<I: Isa, T: Magnitude>(x: T, y: T) -> T {
    let a = x.abs();
    let nan = a.is_nan() | y.is_nan();
    let value = a.magnitude::<I>(y);
    // 0 and ∞ to a power, by the power's sign.
    let (zero, infinite, up, down) = (a == T::ZERO, a == T::INFINITY, y > T::ZERO, y < T::ZERO);
    // Without short circuits, which are branches.
    let (vanishes, explodes) = ((zero & up) | (infinite & down), (zero & down) | (infinite & up));
    let value = if vanishes { T::ZERO } else { value };
    let value = if explodes { T::INFINITY } else { value };
    let value = if nan { T::NAN } else { value };
    let value = if (a == T::ONE) & !nan { T::ONE } else { value };
    // Negative x: odd integers keep the sign, and nothing but integers will do.
    let integer = y.is_integer();
    let odd = integer & !(y * T::from_f64(0.5)).is_integer();
    let value = if odd { value.copysign(x) } else { value };
    let undefined = (x < T::ZERO) & !integer & !infinite;
    let value = if undefined { T::NAN } else { value };
    if (y == T::ZERO) | (x == T::ONE) { T::ONE } else { value }
}

#[inline(always)]
pub(super) fn rsqrt<T: Real>(x: T) -> T {
    T::ONE / x.sqrt()
}
