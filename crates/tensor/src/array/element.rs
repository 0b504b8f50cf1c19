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
    /// Which of the types it is: code that is generic and yet differs between them asks this.
    const KIND: ElementKind;
    /// The name used in messages, e.g. `"f32"`.
    const NAME: &'static str = Self::KIND.name();
    /// The bytes of an element: `[u8; 4]` for `f32`.
    type Bytes: AsRef<[u8]> + for<'a> TryFrom<&'a [u8], Error: Debug> + Copy;

    /// The element's bytes, the least significant first; all bits are kept, those of NaN too. `true` is 1.
    ///
    /// ```
    /// use wengert_tensor::Element;
    /// fn bytes<T: Element>(x: &[T]) -> Vec<u8> {
    ///     x.iter().flat_map(|x| x.to_le_bytes().as_ref().to_vec()).collect()
    /// }
    /// assert_eq!(bytes(&[1u32, 258]), [1, 0, 0, 0, 2, 1, 0, 0]);
    /// ```
    fn to_le_bytes(self) -> Self::Bytes;

    /// The element of these bytes, the least significant first. For `bool` all but 0 is `true`.
    fn from_le_bytes(bytes: Self::Bytes) -> Self;

    /// The memory of the elements as their bytes, the least significant first, so that a file is read straight into it; `None` where the
    /// machine keeps them otherwise, or where not all bytes are elements (`bool`).
    ///
    /// ```
    /// use wengert_tensor::Element;
    /// let mut numbers = [0u32; 2];
    /// if let Some(bytes) = Element::memory_as_le_bytes(&mut numbers) {
    ///     bytes[..5].copy_from_slice(&[1, 0, 0, 0, 2]);
    ///     assert_eq!(numbers, [1, 2]);
    /// }
    /// assert!(Element::memory_as_le_bytes(&mut [true]).is_none());
    /// ```
    fn memory_as_le_bytes(elements: &mut [Self]) -> Option<&mut [u8]>;
}

/// The types of elements.
///
/// ```
/// use wengert_tensor::{Element, ElementKind};
/// assert_eq!((<f32 as Element>::KIND, ElementKind::Bool.name()), (ElementKind::F32, "bool"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElementKind {
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `u32`.
    U32,
    /// `u8`.
    U8,
    /// `bool`.
    Bool,
}

impl ElementKind {
    /// The type's name, e.g. `"f32"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::U32 => "u32",
            Self::U8 => "u8",
            Self::Bool => "bool",
        }
    }
}

macro_rules! number {
    ($($t:ident is $kind:ident,)*) => { $(
        impl Element for $t {
            const KIND: ElementKind = ElementKind::$kind;
            type Bytes = [u8; size_of::<$t>()];
            #[inline(always)]
            fn to_le_bytes(self) -> Self::Bytes {
                $t::to_le_bytes(self)
            }
            #[inline(always)]
            fn from_le_bytes(bytes: Self::Bytes) -> Self {
                $t::from_le_bytes(bytes)
            }
            fn memory_as_le_bytes(elements: &mut [Self]) -> Option<&mut [u8]> {
                if cfg!(target_endian = "big") {
                    return None;
                }
                // SAFETY: numbers have no padding, any bytes are a number, and these are the slice's, borrowed as it is.
                Some(unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), size_of_val(elements)) })
            }
        }
    )* };
}
number! {
    f32 is F32,
    f64 is F64,
    u32 is U32,
    u8 is U8,
}

impl Element for bool {
    const KIND: ElementKind = ElementKind::Bool;
    type Bytes = [u8; 1];
    #[inline(always)]
    fn to_le_bytes(self) -> [u8; 1] {
        [u8::from(self)]
    }
    #[inline(always)]
    fn from_le_bytes([byte]: [u8; 1]) -> Self {
        byte != 0
    }
    fn memory_as_le_bytes(_: &mut [Self]) -> Option<&mut [u8]> {
        None
    }
}

/// A floating-point element, `f32` or `f64`: the only types with arithmetic and derivatives. Sealed.
///
/// The methods are those of the standard library's scalars; the vectorised transcendental functions come from
/// [`Transcendental`].
///
/// ```
/// use wengert_tensor::Float;
/// /// Written once for both precisions.
/// fn hypotenuse<T: Float>(a: T, b: T) -> T { (a * a + b * b).sqrt() }
/// assert_eq!((hypotenuse(3.0f32, 4.0), hypotenuse(3.0f64, 4.0)), (5.0, 5.0));
/// ```
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
    /// √(x² + y²), without overflow or underflow on the way.
    fn hypot(self, other: Self) -> Self;
    /// |x| with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
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

/// √(x² + y²) of numbers whose squares double precision has room for; straight-line, so that a loop over them vectorises.
#[inline(always)]
fn hypot_single(x: f32, y: f32) -> f32 {
    let (a, b) = (f64::from(x), f64::from(y));
    let value = (a * a + b * b).sqrt() as f32;
    // Infinite beside NaN, too.
    if x.is_infinite() | y.is_infinite() { f32::INFINITY } else { value }
}

macro_rules! float {
    ($t:ident, $hypot:path) => {
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
            fn hypot(self, other: Self) -> Self {
                $hypot(self, other)
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $t::copysign(self, sign)
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
float!(f32, hypot_single);
float!(f64, f64::hypot);

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Element>(x: T, bytes: &[u8]) {
        assert_eq!(x.to_le_bytes().as_ref(), bytes, "{}", T::NAME);
        assert_eq!(T::from_le_bytes(bytes.try_into().expect("as long as the type")), x, "{}", T::NAME);
        assert!(T::Bytes::try_from(&[0; 9][..]).is_err() && size_of::<T>() == bytes.len());
    }

    #[test]
    fn bytes_of_every_type() {
        there_and_back(1.5f32, &[0, 0, 0xc0, 0x3f]);
        there_and_back(-2.0f64, &[0, 0, 0, 0, 0, 0, 0, 0xc0]);
        there_and_back(0x0102_0304u32, &[4, 3, 2, 1]);
        there_and_back(7u8, &[7]);
        there_and_back(true, &[1]);
        assert!(<bool as Element>::from_le_bytes([2]));
        // A signalling NaN.
        let bits = 0x7f80_0001u32;
        assert_eq!(<f32 as Element>::from_le_bytes(bits.to_le_bytes()).to_bits(), bits);
        assert_eq!(
            [f32::NAME, f64::NAME, u32::NAME, u8::NAME, bool::NAME],
            ["f32", "f64", "u32", "u8", "bool"]
        );
    }

    #[test]
    fn distances_from_the_origin() {
        for (x, y, distance) in [
            (3.0f32, 4.0, 5.0),
            (-3e38, 1e38, 3.162_277_7e38),
            (1e-45, 0.0, 1e-45),
            (3e-45, 4e-45, 5.6e-45),
            (f32::INFINITY, f32::NAN, f32::INFINITY),
            (0.0, f32::NEG_INFINITY, f32::INFINITY),
            (f32::MAX, f32::MAX, f32::INFINITY),
        ] {
            assert_eq!((Float::hypot(x, y), Float::hypot(y, x)), (distance, distance), "{x:e}, {y:e}");
            let (x, y) = (f64::from(x), f64::from(y));
            assert_eq!(Float::hypot(x, y) as f32, distance, "{x:e}, {y:e} of f64");
        }
        assert!(Float::hypot(f32::NAN, 1.0).is_nan());
    }

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
