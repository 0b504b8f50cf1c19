//! ln|Γ|, ψ and ψ′ of numbers in single precision: computed in double precision, so that a few digits may be lost, and
//! straight-line, so that a loop over them vectorises.

use std::f64::consts::PI;

use super::coefficients::{
    BERNOULLI, DIGAMMA_FAR, DIGAMMA_NEAR_ROOT, DIGAMMA_ROOT, LOG_GAMMA_SHORT, STIRLING,
};
use super::gamma::HALF_LN_TAU;
use super::logarithm::ln;
use super::real::{Real, polynomial};
use super::trigonometric::sin_cos_turns;
use crate::machine::simd::Isa;

/// From here on five terms of Stirling's series are exact to 40 bits.
const FAR_LOG_GAMMA: f64 = 10.0;
/// From here on so are six terms of ψ's, and seven of ψ′'s.
const FAR: f64 = 8.0;
/// ψ is computed by its distance from its zero up to here.
const NEAR_ROOT: f64 = 1.0 / 64.0;

/// sin πx and cos πx, for |x| below 2⁵¹.
#[inline(always)]
pub(super) fn sin_cos_half_turns<I: Isa>(x: f64) -> (f64, f64) {
    let half = 0.5 * x;
    sin_cos_turns::<I, f64>(half - half.nearest())
}

/// ln|Γ(x)|.
#[inline(always)]
pub(super) fn log_gamma<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let value = log_gamma_of_positive::<I>(a);
    // Γ(x) Γ(1 − x) = π/sin πx, and Γ(1 − x) = −x Γ(−x).
    let sine = sin_cos_half_turns::<I>(a).0.abs();
    let reflected = ln::<I, f64>(PI / (sine * a)) - value;
    let value = if x < 0.0 { reflected } else { value };
    if (x <= 0.0) & a.is_integer() { f64::INFINITY } else { value }
}

/// ln Γ(a), a ≥ 0.
#[inline(always)]
fn log_gamma_of_positive<I: Isa>(a: f64) -> f64 {
    let far = a >= FAR_LOG_GAMMA;
    // Γ(y + 1) = y Γ(y), down or up to y in [1.5, 2.5].
    let mut y = if far { 2.0 } else { a };
    let high = y > 2.5;
    let mut product = 1.0;
    for _ in 0..8 {
        let above = y > 2.5;
        y = if above { y - 1.0 } else { y };
        product *= if above { y } else { 1.0 };
    }
    for _ in 0..2 {
        let below = y < 1.5;
        product *= if below { y } else { 1.0 };
        y = if below { y + 1.0 } else { y };
    }
    let near = (y - 2.0) * polynomial::<I, f64>(y - 2.0, LOG_GAMMA_SHORT);
    let log = ln::<I, f64>(if far { a } else { product });
    let near = if high { near + log } else { near - log };
    let inverse = 1.0 / a;
    let rest = inverse * polynomial::<I, f64>(inverse * inverse, &STIRLING[..5]);
    let stirling = (a - 0.5) * (log - 1.0) + ((HALF_LN_TAU - 0.5) + rest);
    if far { stirling } else { near }
}

/// What a number x has in common with the pairs (x + k)(x + 7 − k) = s + c, c = k (7 − k), k = 0, …, 3.
struct Pairs {
    /// x (x + 7).
    s: f64,
    /// 2x + 7.
    sum: f64,
}

impl Pairs {
    const C: [f64; 4] = [0.0, 6.0, 10.0, 12.0];

    #[inline(always)]
    fn of(x: f64) -> Self {
        Pairs { s: x * (x + 7.0), sum: x + x + 7.0 }
    }

    /// The products of the first two and of the last two.
    #[inline(always)]
    fn halves(&self) -> [f64; 2] {
        let [a, b, c, d] = Self::C.map(|c| self.s + c);
        [a * b, c * d]
    }
}

/// ψ(x) = Γ′(x)/Γ(x).
#[inline(always)]
pub(super) fn digamma<I: Isa>(x: f64) -> f64 {
    let negative = x < 0.0;
    let a = if negative { 1.0 - x } else { x };
    let far = a >= FAR;
    let pairs = Pairs::of(a);
    // ψ(a) = ψ(a + 8) − Σ 1/(a + k)
    let [first, last] = pairs.halves();
    let slopes = (pairs.s + pairs.s + 6.0) * last + (pairs.s + pairs.s + 22.0) * first;
    let before = if far { 0.0 } else { pairs.sum * (slopes / (first * last)) };
    let y = if far { a } else { a + 8.0 };
    let inverse = 1.0 / y;
    let square = inverse * inverse;
    let rest = I::mul_add(square, polynomial::<I, f64>(square, DIGAMMA_FAR), 0.5 * inverse);
    let value = (ln::<I, f64>(y) - rest) - before;
    let from_root = (a - DIGAMMA_ROOT.0) - DIGAMMA_ROOT.1;
    let near = from_root * polynomial::<I, f64>(from_root, DIGAMMA_NEAR_ROOT);
    let value = if from_root.abs() < NEAR_ROOT { near } else { value };
    // ψ(x) = ψ(1 − x) − π cot πx
    let (sine, cosine) = sin_cos_half_turns::<I>(x);
    let value = if negative { value - PI * cosine / sine } else { value };
    let value = if negative & x.is_integer() { f64::NAN } else { value };
    if x == 0.0 { f64::NEG_INFINITY.copysign(-x) } else { value }
}

/// ψ′(x).
#[inline(always)]
pub(super) fn trigamma<I: Isa>(x: f64) -> f64 {
    let negative = x < 0.0;
    let a = if negative { 1.0 - x } else { x };
    let far = a >= FAR;
    let pairs = Pairs::of(a);
    // ψ′(a) = ψ′(a + 8) + Σ 1/(a + k)²; of a pair (2s + 49 − 2c)/(s + c)².
    let [first, last] = pairs.halves();
    let inverse = 1.0 / (first * last);
    let others = [(pairs.s + 6.0) * last, pairs.s * last, first * (pairs.s + 12.0), first * (pairs.s + 10.0)];
    let mut before = 0.0;
    for (other, c) in others.into_iter().zip(Pairs::C) {
        let over = other * inverse;
        before = I::mul_add((pairs.s + pairs.s) + (49.0 - 2.0 * c), over * over, before);
    }
    let before = if far { 0.0 } else { before };
    let y = if far { a } else { a + 8.0 };
    let inverse = 1.0 / y;
    let square = inverse * inverse;
    let rest = I::mul_add(square, polynomial::<I, f64>(square, &BERNOULLI[..7]), 0.5 * inverse);
    let value = I::mul_add(inverse, rest, inverse) + before;
    // ψ′(x) = π²/sin² πx − ψ′(1 − x)
    let root = PI / sin_cos_half_turns::<I>(x).0;
    let value = if negative { root * root - value } else { value };
    let value = if (x <= 0.0) & x.is_integer() { f64::INFINITY } else { value };
    if x == f64::NEG_INFINITY { f64::NAN } else { value }
}
