//! What the functions need of a floating-point format besides arithmetic: its bits, and exact helpers.

use super::coefficients::Coefficients;
use crate::array::element::Float;
use crate::machine::simd::Isa;

/// A format that the functions are written for. The algorithms are generic; only lengths of polynomials, limits and
/// bit layouts differ.
pub(super) trait Real: Float + Coefficients {
    /// Whether this is single precision, for which some functions are computed in double precision with fewer terms.
    const SINGLE: bool = size_of::<Self>() == 4;
    /// 1.5 · 2ᵖ with p the bits of the significand after the first: adding it rounds to an integer, to be read from the
    /// low bits.
    const SHIFT: Self;
    /// 2^⌈(p + 1)/2⌉ + 1, Dekker's constant for splitting a significand in half.
    const SPLITTER: Self;
    /// Up to this, an angle is reduced by subtracting quadrants; there are less than 2¹¹ or 2²⁰.
    const NEAR: Self;
    /// From here on every number is an integer.
    const ALL_INTEGERS: Self;
    /// A power of 2 that makes subnormals normal, and its exponent.
    const NORMALISE: (Self, Self);
    /// Below the first, eˣ rounds to 0; above the second, to ∞.
    const EXP_RANGE: (Self, Self);
    /// Beyond this, eˣ − 1 rounds to −1 at −x, and tanh x and erf x to 1.
    const SATURATED: Self;
    /// Beyond this, erfc x rounds to 0.
    const ERFC_ZERO: Self;

    /// 2^⌊n/2⌋ and 2^⌈n/2⌉ for an integer n whose power of 2 may overflow or underflow.
    fn pow2_halves(n: Self) -> (Self, Self);
    /// (k, m) with `self` = 2ᵏ m and m in [√½, √2), for positive normal numbers.
    fn decompose(self) -> (Self, Self);
    /// [`reduce`](super::reduction::reduce) for numbers that are not [near](Float::is_near).
    fn reduce_far<I: Isa>(self) -> (u32, Self, Self);
    /// The last bits, 32 of them.
    fn low_bits(self) -> u32;

    /// The nearest integer, for |self| < 2ᵖ⁻¹. (`round_ties_even` is a function call on targets before SSE 4.1.)
    #[inline(always)]
    fn nearest(self) -> Self {
        (self + Self::SHIFT) - Self::SHIFT
    }

    /// 2ⁿ · self, rounded once.
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        let (a, b) = Self::pow2_halves(n);
        self * a * b
    }

    /// `self` limited to [low, high]; NaN stays.
    #[inline(always)]
    fn limit(self, low: Self, high: Self) -> Self {
        let above = if self < low { low } else { self };
        if above > high { high } else { above }
    }

    /// Whether `self` is an integer. Infinities are.
    #[inline(always)]
    fn is_integer(self) -> bool {
        let a = self.abs();
        // Not `||`, which would be a branch.
        (a >= Self::ALL_INTEGERS) | ((a + Self::ALL_INTEGERS) - Self::ALL_INTEGERS == a)
    }
}

macro_rules! real {
    ($t:ident, $bits:ident, significand: $p:literal, bias: $bias:literal, sqrt_half: $sqrt_half:literal,
     splitter: $splitter:literal, near: $near:literal, normalise: $normalise:literal, exp: $exp:expr, saturated: $saturated:literal,
     erfc_zero: $erfc_zero:literal, reduce_far: $reduce_far:path) => {
        impl Real for $t {
            const SHIFT: Self = 1.5 * ((1 as $bits) << $p) as $t;
            const SPLITTER: Self = (((1 as $bits) << $splitter) + 1) as $t;
            const NEAR: Self = $near;
            const ALL_INTEGERS: Self = ((1 as $bits) << $p) as $t;
            const NORMALISE: (Self, Self) = (((1 as $bits) << $normalise) as $t, $normalise as $t);
            const EXP_RANGE: (Self, Self) = $exp;
            const SATURATED: Self = $saturated;
            const ERFC_ZERO: Self = $erfc_zero;

            #[inline(always)]
            fn pow2_halves(n: Self) -> (Self, Self) {
                // n + 2·bias is positive, so that a logical shift halves it; each half is then a biased exponent.
                let biased = (n + (Self::SHIFT + 2.0 * $bias)).to_bits() - Self::SHIFT.to_bits();
                let half = biased >> 1;
                ($t::from_bits(half << $p), $t::from_bits((biased - half) << $p))
            }
            #[inline(always)]
            fn decompose(self) -> (Self, Self) {
                const ONE: $bits = (1.0 as $t).to_bits();
                const SQRT_HALF: $bits = $sqrt_half;
                let shifted = self.to_bits().wrapping_add(ONE - SQRT_HALF);
                let exponent = $t::from_bits((shifted >> $p).wrapping_add(Self::SHIFT.to_bits()));
                let significand = $t::from_bits((shifted & ((1 << $p) - 1)) + SQRT_HALF);
                (exponent - (Self::SHIFT + $bias), significand)
            }
            #[inline(always)]
            fn reduce_far<I: Isa>(self) -> (u32, Self, Self) {
                $reduce_far(self)
            }
            #[inline(always)]
            fn low_bits(self) -> u32 {
                self.to_bits() as u32
            }
        }
    };
}
real!(f32, u32, significand: 23, bias: 127.0, sqrt_half: 0x3f35_04f3, splitter: 12, near: 3000.0, normalise: 24,
      exp: (-104.0, 89.0), saturated: 20.0, erfc_zero: 10.25, reduce_far: super::reduction::far_f32::<I>);
real!(f64, u64, significand: 52, bias: 1023.0, sqrt_half: 0x3fe6_a09e_667f_3bcd, splitter: 27, near: 1e6, normalise: 54,
      exp: (-746.0, 710.0), saturated: 40.0, erfc_zero: 27.5, reduce_far: super::reduction::far_f64::<I>);

/// c\[0\] + c\[1\] x + c\[2\] x² + … by Horner's rule.
#[inline(always)]
pub(super) fn polynomial<I: Isa, T: Real>(x: T, coefficients: &[T]) -> T {
    let (&highest, rest) = coefficients.split_last().expect("a polynomial has coefficients");
    let mut sum = highest;
    // A loop, not a fold: a closure that is not inlined would be compiled without the instruction set's features.
    for &c in rest.iter().rev() {
        sum = I::mul_add(sum, x, c);
    }
    sum
}

/// a + b and what rounding it loses (Knuth; The Art of Computer Programming 4.2.2, theorem B).
#[inline(always)]
pub(super) fn two_sum<T: Real>(a: T, b: T) -> (T, T) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// a + b and what rounding it loses, if |a| ≥ |b| or a is 0 (Dekker 1971).
#[inline(always)]
pub(super) fn fast_two_sum<T: Real>(a: T, b: T) -> (T, T) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a · b and what rounding it loses: by a fused multiply-add, or by splitting both (T. J. Dekker, "A floating-point
/// technique for extending the available precision", 1971).
#[inline(always)]
pub(super) fn two_product<I: Isa, T: Real>(a: T, b: T) -> (T, T) {
    let product = a * b;
    if I::FMA {
        return (product, a.mul_add(b, -product));
    }
    let (a_head, a_tail) = split(a);
    let (b_head, b_tail) = split(b);
    (product, ((a_head * b_head - product) + a_head * b_tail + a_tail * b_head) + a_tail * b_tail)
}

/// `a` as a sum of two numbers of half as many bits.
#[inline(always)]
fn split<T: Real>(a: T) -> (T, T) {
    let c = T::SPLITTER * a;
    let head = c - (c - a);
    (head, a - head)
}
