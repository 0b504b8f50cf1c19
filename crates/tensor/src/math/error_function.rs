//! erf, erfc and gelu. Near 0, erf x = x + x P(x²); elsewhere erfc x = exp(−x²) Q(t)/(1 + 2x) with t = (x − 4)/(x + 4),
//! in which the right factor is smooth to infinity (M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation
//! of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞", Mathematics of Computation 36, 1981).

use super::exponential::exp_parts;
use super::real::{Real, polynomial, two_product};
use crate::simd::Isa;

/// (m, n) with erfc a = 2ⁿ m, for a in [0, `ERFC_ZERO`]; `square` is a² as head and tail, because an error in it is
/// multiplied by a².
#[inline(always)]
fn erfc_parts<I: Isa, T: Real>(a: T, square: (T, T)) -> (T, T) {
    let four = T::from_f64(4.0);
    let q = polynomial::<I, T>((a - four) / (a + four), T::ERFCX) / (a + a + T::ONE);
    let (e, n) = exp_parts::<I, T>(-square.0, -square.1);
    (I::mul_add(q, e, q), n)
}

/// erf x for |x| ≤ 1.
#[inline(always)]
fn erf_near<I: Isa, T: Real>(x: T) -> T {
    I::mul_add(x, polynomial::<I, T>(x * x, T::ERF), x)
}

/// erfc|x|, for |x| not small.
#[inline(always)]
fn erfc_far<I: Isa, T: Real>(x: T) -> T {
    let a = x.abs().limit(T::ZERO, T::ERFC_ZERO);
    let (m, n) = erfc_parts::<I, T>(a, two_product::<I, T>(a, a));
    m.scale(n)
}

#[inline(always)]
pub(super) fn erf<I: Isa, T: Real>(x: T) -> T {
    let far = (T::ONE - erfc_far::<I, T>(x)).copysign(x);
    if x.abs() < T::ONE { erf_near::<I, T>(x) } else { far }
}

#[inline(always)]
pub(super) fn erfc<I: Isa, T: Real>(x: T) -> T {
    let e = erfc_far::<I, T>(x);
    let far = if x < T::ZERO { T::from_f64(2.0) - e } else { e };
    if x.abs() < T::from_f64(0.5) { T::ONE - erf_near::<I, T>(x) } else { far }
}

#[inline(always)]
pub(super) fn gelu<I: Isa, T: Real>(x: T) -> T {
    let half = T::from_f64(0.5);
    // Φ(x) = erfc(−x/√2)/2, with the exponent −x²/2 taken from x itself.
    let a = x.abs().limit(T::ZERO, T::ERFC_ZERO * T::from_f64(1.414));
    let (square, square_tail) = two_product::<I, T>(a, a);
    let (m, n) = erfc_parts::<I, T>(a * T::FRAC_1_SQRT_2.0, (half * square, half * square_tail));
    let m = half * m;
    // Multiplied by x before the power of 2, lest a subnormal Φ lose bits that the product has.
    let negative = (-a * m).scale(n);
    let positive = x * (T::ONE - m.scale(n));
    let far = if x < T::ZERO { negative } else { positive };
    let near = half * x * (T::ONE + erf_near::<I, T>(x * T::FRAC_1_SQRT_2.0));
    if a < T::from_f64(0.7) { near } else { far }
}
