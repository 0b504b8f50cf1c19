//! Powers of 2, and logarithms to the bases 2 and 10 in double the precision of their type: exact wherever the result is a number
//! of that type.

use super::exponential::exp_of_remainder;
use super::logarithm::{at_the_ends, ln, ln_double};
use super::real::{Real, two_product};
use crate::machine::simd::Isa;

/// ln 2 to the nearest `f64`, and what rounding loses.
const LN_2: (f64, f64) = (std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
/// 1/ln 2, likewise.
const LOG2_E: (f64, f64) = (std::f64::consts::LOG2_E, 2.035_527_374_093_103_3e-17);
/// 1/ln 10, likewise.
const LOG10_E: (f64, f64) = (std::f64::consts::LOG10_E, 1.098_319_650_216_765e-17);

#[inline(always)]
pub(super) fn exp2<I: Isa, T: Real>(x: T) -> T {
    // Beyond these the results are 0 and ∞.
    let x = x.limit(T::EXP_RANGE.0 * T::LOG2_E, T::EXP_RANGE.1 * T::LOG2_E);
    let n = x.nearest();
    let ln_2 = T::from_f64(LN_2.0);
    let ln_2_tail = T::from_f64((LN_2.0 - ln_2.to_f64()) + LN_2.1);
    let (r, tail) = two_product::<I, T>(x - n, ln_2);
    let q = exp_of_remainder::<I, T>(r, I::mul_add(x - n, ln_2_tail, tail));
    (T::ONE + q).scale(n)
}

/// A type whose logarithms are computed in double its precision.
pub(super) trait Wide: Real {
    /// ln x · (base.0 + base.1), for finite x > 0.
    fn logarithm<I: Isa>(self, base: (f64, f64)) -> Self;
}

impl Wide for f32 {
    #[inline(always)]
    fn logarithm<I: Isa>(self, base: (f64, f64)) -> f32 {
        (ln::<I, f64>(f64::from(self)) * base.0) as f32
    }
}

impl Wide for f64 {
    #[inline(always)]
    fn logarithm<I: Isa>(self, base: (f64, f64)) -> f64 {
        let (head, tail) = ln_double::<I, f64>(self);
        let (product, product_tail) = two_product::<I, f64>(head, base.0);
        product + (product_tail + I::mul_add(head, base.1, tail * base.0))
    }
}

#[inline(always)]
pub(super) fn log2<I: Isa, T: Wide>(x: T) -> T {
    at_the_ends(x, x.logarithm::<I>(LOG2_E))
}

#[inline(always)]
pub(super) fn log10<I: Isa, T: Wide>(x: T) -> T {
    at_the_ends(x, x.logarithm::<I>(LOG10_E))
}
