//! erf, erfc, erfcx, gelu, the normal distribution function and its logarithm. Near 0, erf x = x + x P(x²); elsewhere erfc x = exp(−x²) (1 + Q(u))/(1 + 2x) with
//! u = (x − 4)/(x + 4), a factor that is smooth to infinity (M. M. Shepherd and J. G. Laframboise, "Chebyshev
//! approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞", Mathematics of Computation 36, 1981).

use super::exponential::exp_parts;
use super::logarithm::{ln, ln_1p};
use super::real::{Real, fast_two_sum, polynomial, two_product, two_sum};
use crate::machine::simd::Isa;

/// (a + a_tail) / (d + d_tail) as head and tail.
#[inline(always)]
fn divide<I: Isa, T: Real>((a, a_tail): (T, T), (d, d_tail): (T, T)) -> (T, T) {
    let inverse = T::ONE / d;
    let quotient = a * inverse;
    let (p, p_tail) = two_product::<I, T>(quotient, d);
    (quotient, (I::mul_add(-quotient, d_tail, (a - p) - p_tail) + a_tail) * inverse)
}

/// erfcx(a + tail) as head and tail, for a ≥ 0 whose double does not overflow.
#[inline(always)]
fn erfcx_parts<I: Isa, T: Real>(a: T, tail: T) -> (T, T) {
    let (d, d_tail) = two_sum(T::from_f64(4.0), a);
    // u = 1 − 2t, t + t_tail = 4/(4 + a + tail)
    let (t, t_tail) = divide::<I, T>((T::from_f64(4.0), T::ZERO), (d, d_tail + tail));
    let series = polynomial::<I, T>((T::ONE - (t + t)) - (t_tail + t_tail), T::ERFCX);
    let (d, d_tail) = two_sum(T::ONE, a + a);
    divide::<I, T>(fast_two_sum(T::ONE, series), (d, d_tail + (tail + tail)))
}

/// (m, n) with erfc(a + tail) = 2ⁿ m, for a in [0, `ERFC_ZERO`]; `square` is (a + tail)² as head and tail, because an
/// error in it is multiplied by a².
#[inline(always)]
fn erfc_parts<I: Isa, T: Real>(a: T, tail: T, square: (T, T)) -> (T, T) {
    let (q, q_tail) = erfcx_parts::<I, T>(a, tail);
    let (e, n) = exp_parts::<I, T>(-square.0, -square.1);
    (q + I::mul_add(q, e, q_tail), n)
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
    let (m, n) = erfc_parts::<I, T>(a, -T::ZERO, two_product::<I, T>(a, a));
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

/// (a, m, n) with Φ(−a) = 2ⁿ m, for a = |x|, limited to where that is not 0.
#[inline(always)]
fn normal_tail<I: Isa, T: Real>(x: T) -> (T, T, T) {
    let half = T::from_f64(0.5);
    // Φ(−a) = erfc(a/√2)/2, with the exponent −a²/2 taken from a itself.
    let a = x.abs().limit(T::ZERO, T::ERFC_ZERO * T::from_f64(1.414));
    let (square, square_tail) = two_product::<I, T>(a, a);
    let (root_half, root_half_tail) = T::FRAC_1_SQRT_2;
    let (b, b_tail) = two_product::<I, T>(a, root_half);
    let b_tail = I::mul_add(a, root_half_tail, b_tail);
    let (m, n) = erfc_parts::<I, T>(b, b_tail, (half * square, half * square_tail));
    (a, half * m, n)
}

#[inline(always)]
pub(super) fn gelu<I: Isa, T: Real>(x: T) -> T {
    let (a, m, n) = normal_tail::<I, T>(x);
    // Multiplied by x before the power of 2, lest a subnormal Φ lose bits that the product has.
    let negative = (-a * m).scale(n);
    let positive = x * (T::ONE - m.scale(n));
    if x < T::ZERO { negative } else { positive }
}

#[inline(always)]
pub(super) fn ndtr<I: Isa, T: Real>(x: T) -> T {
    let (_, m, n) = normal_tail::<I, T>(x);
    let tail = m.scale(n);
    let value = if x < T::ZERO { tail } else { T::ONE - tail };
    if x.is_nan() { x } else { value }
}

/// Beyond this, squares are no longer computed to more digits than they are rounded to.
const FAR: f64 = 1e8;
/// 1/√π.
const FRAC_1_SQRT_PI: f64 = 0.5 * std::f64::consts::FRAC_2_SQRT_PI;
/// 1 − t + 1·3 t² − 1·3·5 t³ + …
const ASYMPTOTIC: [f64; 9] = [1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10_395.0, -135_135.0, 2_027_025.0];

/// erfcx(a + tail) for a ≥ 0: by the asymptotic series in 1/(2a²) beyond where the polynomial holds.
#[inline(always)]
fn erfcx_of_positive<I: Isa, T: Real>(a: T, tail: T) -> T {
    let edge = T::ERFC_ZERO * T::from_f64(0.75);
    let (q, q_tail) = erfcx_parts::<I, T>(a.limit(T::ZERO, edge), tail);
    let inverse = T::ONE / a;
    let t = T::from_f64(0.5) * inverse * inverse;
    let series = ASYMPTOTIC.iter().rev().fold(T::ZERO, |sum, &c| I::mul_add(sum, t, T::from_f64(c)));
    if a > edge { T::from_f64(FRAC_1_SQRT_PI) * inverse * series } else { q + q_tail }
}

#[inline(always)]
pub(super) fn erfcx<I: Isa, T: Real>(x: T) -> T {
    let decaying = erfcx_of_positive::<I, T>(x.abs(), -T::ZERO);
    // Below 0 it is 2 exp x² − erfcx|x|.
    let b = x.abs().limit(T::ZERO, T::ERFC_ZERO);
    let (square, square_tail) = two_product::<I, T>(b, b);
    let (e, n) = exp_parts::<I, T>(square, square_tail);
    let growing = (T::ONE + e + (T::ONE + e)).scale(n) - decaying;
    if x < T::ZERO { growing } else { decaying }
}

#[inline(always)]
pub(super) fn log_ndtr<I: Isa, T: Real>(x: T) -> T {
    let half = T::from_f64(0.5);
    let (a, far) = (x.abs(), T::from_f64(FAR));
    // Below 0, −x²/2 + ln(erfcx(|x|/√2)/2).
    let c = a.limit(T::ZERO, far);
    let (root_half, root_half_tail) = T::FRAC_1_SQRT_2;
    let (b, b_tail) = two_product::<I, T>(c, root_half);
    let q = erfcx_of_positive::<I, T>(b, I::mul_add(c, root_half_tail, b_tail));
    let (square, square_tail) = two_product::<I, T>(half * a, a);
    let square_tail = if a > far { T::ZERO } else { square_tail };
    let lower = (ln::<I, T>(half * q) - square_tail) - square;
    // Above, by what is lacking to 1.
    let (_, m, n) = normal_tail::<I, T>(x);
    let upper = ln_1p::<I, T>(-m.scale(n));
    let value = if x < T::ZERO { lower } else { upper };
    if x.is_nan() { x } else { value }
}
