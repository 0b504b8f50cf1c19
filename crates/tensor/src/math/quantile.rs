//! The inverses of the error function and of the normal distribution function, by polynomials in the logarithm of what is
//! lacking to 1 (after M. Giles, "Approximating the erfinv function", 2010). They have the digits of single precision; one step of
//! Halley's method, which triples them, leads to those of double precision.

use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

use super::coefficients::{QUANTILE_FAR, QUANTILE_NEAR};
use super::error_function::{erf, erfc, erfcx};
use super::exponential::exp;
use super::logarithm::{ln, ln_1p};
use super::real::{Real, polynomial};
use crate::machine::simd::Isa;

/// The y ≥ 0 with erf y = a, to eight digits. `log` is ln(1 − a²).
#[inline(always)]
fn approximately<I: Isa>(a: f64, log: f64) -> f64 {
    let w = -log;
    let near = a * polynomial::<I, f64>(w - 2.5, QUANTILE_NEAR);
    let root = w.sqrt();
    let far = root * polynomial::<I, f64>(1.0 / root - 0.25, QUANTILE_FAR);
    let value = if w > 5.0 { far } else { near };
    if w == f64::INFINITY { w } else { value }
}

/// The y ≥ 0 with erf y = a, for a ≤ 1/2, as a number of single precision, whose products are exact, and what it lacks.
#[inline(always)]
fn near<I: Isa>(a: f64) -> (f64, f64) {
    let y = f64::from(approximately::<I>(a, ln_1p::<I, f64>(-a * a)) as f32);
    let newton = (a - erf::<I, f64>(y)) / (FRAC_2_SQRT_PI * exp::<I, f64>(-y * y));
    (y, newton / (1.0 - y * newton))
}

/// The y with erfc y = c, for c from 0 to 1/2, in the same way, by the logarithm of erfc, which is nearly a parabola.
#[inline(always)]
fn far<I: Isa>(c: f64) -> (f64, f64) {
    let target = ln::<I, f64>(c);
    let y = f64::from(approximately::<I>(1.0 - c, target + ln_1p::<I, f64>(1.0 - c)) as f32);
    // Where erfc is no normal number, its slope has too few digits: there erfc y = exp(−y²) erfcx y.
    let inside = y.limit(0.0, 26.5);
    let (e, scaled) = (erfc::<I, f64>(inside), erfcx::<I, f64>(y));
    let inner =
        halley(inside, ln::<I, f64>(e) - target, FRAC_2_SQRT_PI * exp::<I, f64>(-inside * inside) / e);
    let outer = halley(y, (ln::<I, f64>(scaled) - y * y) - target, FRAC_2_SQRT_PI / scaled);
    if c == 0.0 { (f64::INFINITY, 0.0) } else { (y, if y > 26.0 { outer } else { inner }) }
}

/// By Halley's method, what y lacks where ln erfc y is too large by `difference` and falls by `slope`.
#[inline(always)]
fn halley(y: f64, difference: f64, slope: f64) -> f64 {
    let newton = difference / slope;
    newton / (1.0 - 0.5 * newton * (2.0 * y - slope))
}

#[inline(always)]
pub(super) fn erfinv<I: Isa, T: Real>(x: T) -> T {
    let x = x.to_f64();
    let a = x.abs();
    if T::SINGLE {
        return T::from_f64(approximately::<I>(a, ln::<I, f64>((1.0 - a) * (1.0 + a))).copysign(x));
    }
    let (inner, outer) = (near::<I>(a.limit(0.0, 0.5)), far::<I>((1.0 - a).limit(0.0, 0.5)));
    let (y, rest) = if a > 0.5 { outer } else { inner };
    T::from_f64(if a <= 1.0 { (y + rest).copysign(x) } else { f64::NAN })
}

/// √2 as a head of 29 bits and the rest.
const ROOT_2: (f64, f64) = (1.414_213_560_521_602_6, 1.851_492_418_186_454_3e-9);

#[inline(always)]
pub(super) fn ndtri<I: Isa, T: Real>(p: T) -> T {
    let p = p.to_f64();
    let centred = 2.0 * p - 1.0;
    if T::SINGLE {
        // 1 − (2p − 1)² = 4p (1 − p)
        let y = approximately::<I>(centred.abs(), ln::<I, f64>(4.0 * p * (1.0 - p)));
        return T::from_f64(SQRT_2 * y.copysign(centred));
    }
    // 2p − 1 and 1 − p are exact where they are used.
    let inner = near::<I>(centred.abs().limit(0.0, 0.5));
    let outer = far::<I>((2.0 * if p > 0.5 { 1.0 - p } else { p }).limit(0.0, 0.5));
    let (y, rest) = if (p - 0.5).abs() <= 0.25 { inner } else { outer };
    let value = y * ROOT_2.0 + (y * ROOT_2.1 + rest * SQRT_2);
    T::from_f64(if (0.0..=1.0).contains(&p) { value.copysign(centred) } else { f64::NAN })
}
