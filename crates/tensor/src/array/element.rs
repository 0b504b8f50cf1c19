//! What a tensor can hold: [`Element`] is anything storable, [`Float`] is what has arithmetic.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::array::cast::Cast;
use crate::math::Transcendental;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for u32 {}
    impl Sealed for u8 {}
    impl Sealed for bool {}
}

/// A type that a [`Tensor`](crate::Tensor) can store: `f32`, `f64`, `u32` (indices and labels), `u8` (raw
/// pixels) or `bool` (masks). Sealed.
///
/// Every element type is plain old data for which the all-zero bit pattern is a valid value, equal to
/// [`Default::default`]; the storage relies on that.
pub trait Element:
    sealed::Sealed + Cast + Copy + Default + PartialEq + PartialOrd + Debug + Display + Send + Sync + 'static
{
    /// The name used in messages, e.g. `"f32"`.
    const NAME: &'static str;
}

impl Element for f32 {
    const NAME: &'static str = "f32";
}
impl Element for f64 {
    const NAME: &'static str = "f64";
}
impl Element for u32 {
    const NAME: &'static str = "u32";
}
impl Element for u8 {
    const NAME: &'static str = "u8";
}
impl Element for bool {
    const NAME: &'static str = "bool";
}

/// A floating-point element, `f32` or `f64`: the only types with arithmetic and derivatives. Sealed.
///
/// The methods are those of the standard library's scalars; the vectorised transcendental functions come from
/// [`Transcendental`].
pub trait Float:
    Element
    + Transcendental
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The difference between 1 and the next larger number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// +∞.
    const INFINITY: Self;
    /// −∞.
    const NEG_INFINITY: Self;
    /// Not a number.
    const NAN: Self;

    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;
    /// The nearest value to `n`.
    fn from_usize(n: usize) -> Self;
    /// The value as `f64` (exact).
    fn to_f64(self) -> f64;
    /// |x|.
    fn abs(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// `self · a + b` with one rounding. Slow where the compiler was not told of FMA: inside a
    /// [`Kernel`](crate::simd::Kernel) use [`Isa::mul_add`](crate::simd::Isa::mul_add).
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Integer power.
    fn powi(self, n: i32) -> Self;
    /// The larger number; NaN if either is NaN (unlike the standard library's).
    fn maximum(self, other: Self) -> Self;
    /// The smaller number; NaN if either is NaN (unlike the standard library's).
    fn minimum(self, other: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Not a number.
    fn is_nan(self) -> bool;
    /// −1, 0, 1, or NaN for NaN; zeros keep their sign.
    fn sign(self) -> Self;
    /// The largest integer not above.
    fn floor(self) -> Self;
    /// The nearest integer, halves to even.
    fn round_ties_even(self) -> Self;
}

macro_rules! float {
    ($t:ident) => {
        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const MAX: Self = $t::MAX;
            const INFINITY: Self = $t::INFINITY;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            const NAN: Self = $t::NAN;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn from_usize(n: usize) -> Self {
                n as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                $t::powi(self, n)
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                // A NaN in `self` fails both comparisons and is returned; one in `other` fails the first.
                if self > other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self {
                if self < other || self.is_nan() { self } else { other }
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            #[inline(always)]
            fn sign(self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    -1.0
                } else {
                    self
                }
            }
            #[inline(always)]
            fn floor(self) -> Self {
                $t::floor(self)
            }
            #[inline(always)]
            fn round_ties_even(self) -> Self {
                $t::round_ties_even(self)
            }
        }
    };
}
float!(f32);
float!(f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maximum_and_minimum_propagate_nan() {
        assert!(Float::maximum(f32::NAN, 1.0).is_nan() && Float::maximum(1.0f32, f32::NAN).is_nan());
        assert!(Float::minimum(f64::NAN, 1.0).is_nan() && Float::minimum(1.0f64, f64::NAN).is_nan());
        assert_eq!((Float::maximum(2.0f32, 1.0), Float::minimum(2.0f32, 1.0)), (2.0, 1.0));
    }

    #[test]
    fn sign_of_zero_and_nan() {
        assert_eq!((-0.0f64).sign().to_bits(), (-0.0f64).to_bits());
        assert_eq!((3.0f64.sign(), (-3.0f32).sign()), (1.0, -1.0));
        assert!(f32::NAN.sign().is_nan());
    }
}
