//! ln|Γ|, its derivatives ψ (digamma) and ψ⁽ⁿ⁾ (polygamma). In double precision each a call: their cases differ too much for a
//! vectorised loop. (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions",
//! chapter 6, has the identities.)

use std::f64::consts::PI;

use super::coefficients::{BERNOULLI, DIGAMMA, DIGAMMA_ROOT, LOG_GAMMA, STIRLING};
use super::gamma_single;
use super::logarithm::{ln, ln_1p, ln_double};
use super::real::{polynomial, two_product};
use super::trigonometric::sin_cos_half_turns;
use crate::machine::simd::{Baseline, Isa};

/// ln √(2π).
pub(super) const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// From here on the asymptotic series are exact to rounding.
const FAR: f64 = 10.0;

/// A type with the gamma family.
pub(super) trait Gamma: Sized {
    /// ln|Γ(x)|.
    fn log_gamma<I: Isa>(self) -> Self;
    /// ψ(x).
    fn digamma<I: Isa>(self) -> Self;
    /// ψ⁽ⁿ⁾(x).
    fn polygamma<I: Isa>(self, n: u32) -> Self;
}

impl Gamma for f64 {
    #[inline(always)]
    fn log_gamma<I: Isa>(self) -> f64 {
        log_gamma(self)
    }
    #[inline(always)]
    fn digamma<I: Isa>(self) -> f64 {
        digamma(self)
    }
    #[inline(always)]
    fn polygamma<I: Isa>(self, n: u32) -> f64 {
        polygamma(n, self)
    }
}

impl Gamma for f32 {
    #[inline(always)]
    fn log_gamma<I: Isa>(self) -> f32 {
        gamma_single::log_gamma::<I>(f64::from(self)) as f32
    }
    #[inline(always)]
    fn digamma<I: Isa>(self) -> f32 {
        gamma_single::digamma::<I>(f64::from(self)) as f32
    }
    #[inline(always)]
    fn polygamma<I: Isa>(self, n: u32) -> f32 {
        // The derivative of the digamma function; others are seldom asked for.
        (match (n, f64::from(self)) {
            (0, x) => gamma_single::digamma::<I>(x),
            (1, x) => gamma_single::trigamma::<I>(x),
            (n, x) => polygamma(n, x),
        }) as f32
    }
}

/// ln|Γ(x)|.
#[inline(never)]
pub(super) fn log_gamma(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.is_infinite() || (x <= 0.0 && x == x.floor()) {
        return f64::INFINITY;
    }
    if x >= FAR {
        return stirling(x);
    }
    if x > 1.25 {
        // Γ(x) = (x − 1) Γ(x − 1), down to where the polynomial holds.
        let (mut product, mut x) = (1.0, x);
        while x > 2.5 {
            x -= 1.0;
            product *= x;
        }
        let near = (x - 2.0) * polynomial::<Baseline, f64>(x - 2.0, LOG_GAMMA);
        return if product == 1.0 { near } else { ln::<Baseline, f64>(product) + near };
    }
    if x >= 0.5 {
        return after_one(x - 1.0);
    }
    if x > -0.5 {
        return after_one(x) - ln::<Baseline, f64>(x.abs());
    }
    // Γ(x) Γ(1 − x) = π/sin πx, and Γ(1 − x) = −x Γ(−x).
    let sine = sin_cos_half_turns(x).0.abs();
    ln::<Baseline, f64>(PI / (sine * -x)) - log_gamma(-x)
}

/// ln Γ(1 + z) for |z| ≤ 1/2.
fn after_one(z: f64) -> f64 {
    z * polynomial::<Baseline, f64>(z, LOG_GAMMA) - ln_1p::<Baseline, f64>(z)
}

/// ln Γ(x) by Stirling's series, for x ≥ [`FAR`].
fn stirling(x: f64) -> f64 {
    let inverse = 1.0 / x;
    let rest = inverse * polynomial::<Baseline, f64>(inverse * inverse, STIRLING);
    // (x − 1/2) (ln x − 1) + ln √(2π) − 1/2: the first term to more digits than it is rounded to.
    let (log, log_tail) = ln_double::<Baseline, f64>(x);
    let (scale, log) = (x - 0.5, log - 1.0);
    if x > 1e30 {
        return scale * log;
    }
    let (head, tail) = two_product::<Baseline, f64>(scale, log);
    head + (tail + scale * log_tail + (HALF_LN_TAU - 0.5) + rest)
}

/// ψ(x) = Γ′(x)/Γ(x).
#[inline(never)]
pub(super) fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY.copysign(-x);
    }
    if x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        if x == x.floor() {
            return f64::NAN;
        }
        let (sine, cosine) = sin_cos_half_turns(x);
        return digamma(1.0 - x) - PI * cosine / sine;
    }
    if x >= FAR {
        let inverse = 1.0 / x;
        let square = inverse * inverse;
        let mut sum = 0.0;
        for (k, b) in BERNOULLI.iter().enumerate().rev() {
            sum = (sum + b / (2.0 * (k + 1) as f64)) * square;
        }
        return ln::<Baseline, f64>(x) - 0.5 * inverse - sum;
    }
    // ψ(x + 1) = ψ(x) + 1/x
    let (mut x, mut sum) = (x, 0.0);
    while x > 2.0 {
        x -= 1.0;
        sum += 1.0 / x;
    }
    if x < 1.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let from_root = (x - DIGAMMA_ROOT.0) - DIGAMMA_ROOT.1;
    sum + from_root * polynomial::<Baseline, f64>(x - 1.5, DIGAMMA)
}

/// ψ⁽ⁿ⁾(x), the n-th derivative of ψ.
#[inline(never)]
pub(super) fn polygamma(n: u32, x: f64) -> f64 {
    if n == 0 {
        return digamma(x);
    }
    let sign = if n % 2 == 1 { 1.0 } else { -1.0 };
    if x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    if x > 0.0 {
        return sign * hurwitz(n, x);
    }
    if x == x.floor() {
        // A pole, of even order or of odd.
        return match (n % 2 == 1, x == 0.0) {
            (true, _) => f64::INFINITY,
            (false, true) => f64::NEG_INFINITY.copysign(-x),
            (false, false) => f64::NAN,
        };
    }
    // The n-th derivative of ψ(x) = ψ(1 − x) − π cot πx.
    -hurwitz(n, 1.0 - x) - PI * cotangent_derivative(n, x)
}

/// n! Σₖ (x + k)^−(n+1) = |ψ⁽ⁿ⁾(x)| for x > 0 and n > 0: the first terms one by one, the rest by Euler's and Maclaurin's
/// formula.
fn hurwitz(n: u32, x: f64) -> f64 {
    let order = f64::from(n);
    let (mut sum, mut x) = (0.0, x);
    while x < FAR + order {
        sum += factorial_over_power(n, x) / x;
        x += 1.0;
    }
    // (n − 1)!/xⁿ (1 + n/(2x) + Σ B₂ₖ C(2k + n − 1, 2k)/x²ᵏ)
    let mut series = 0.0;
    let mut ratio = 1.0;
    for (k, b) in BERNOULLI.iter().enumerate() {
        let even = 2.0 * k as f64;
        ratio *= (order + even) / (even + 1.0) / x * ((order + even + 1.0) / (even + 2.0) / x);
        series += b * ratio;
    }
    let leading = factorial_over_power(n, x) / order;
    sum + (leading + leading * (0.5 * order / x + series))
}

/// n!/xⁿ, out of range only where it is.
fn factorial_over_power(n: u32, x: f64) -> f64 {
    let mut product = 1.0;
    for j in 1..=n {
        product *= f64::from(j) / x;
    }
    product
}

/// The n-th derivative of cot πx: πⁿ times a polynomial in c = cot πx, since c′ = −π (1 + c²).
fn cotangent_derivative(n: u32, x: f64) -> f64 {
    let n = n as usize;
    let (sine, cosine) = sin_cos_half_turns(x);
    let c = cosine / sine;
    let mut coefficients = vec![0.0; n + 2];
    coefficients[1] = 1.0;
    for _ in 0..n {
        let mut next = vec![0.0; n + 2];
        for (j, a) in coefficients.iter().enumerate().skip(1) {
            let slope = -PI * j as f64 * a;
            next[j - 1] += slope;
            if j < n + 1 {
                next[j + 1] += slope;
            }
        }
        coefficients = next;
    }
    polynomial::<Baseline, f64>(c, &coefficients)
}
