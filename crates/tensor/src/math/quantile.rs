//! The inverses of the error function and of the normal distribution function, in double precision for both types: a first
//! approximation, and steps of Halley's method, each of which triples the digits.

use std::f64::consts::{FRAC_2_PI, FRAC_2_SQRT_PI, SQRT_2};

use super::error_function::{erf, erfc, erfcx};
use super::exponential::exp;
use super::logarithm::{ln, ln_1p};
use super::real::Real;
use crate::machine::simd::Isa;

/// The y > 0 with erf y = x, to about 1/500, from ln(1 − x²) (S. Winitzki, "A handy approximation for the error function
/// and its inverse", 2008).
#[inline(always)]
fn approximately(log: f64) -> f64 {
    const A: f64 = 0.147;
    let half = FRAC_2_PI / A + 0.5 * log;
    // √(h² − L/A) − h, with h of either sign.
    let root = (half * half - log / A).sqrt();
    let difference = if half > 0.0 { -log / A / (root + half) } else { root - half };
    difference.sqrt()
}

/// The y with erf y = x, for |x| ≤ 1/2.
#[inline(always)]
fn near<I: Isa>(x: f64) -> f64 {
    let a = x.abs();
    let mut y = approximately(ln_1p::<I, f64>(-a * a));
    for _ in 0..2 {
        let newton = (erf::<I, f64>(y) - a) / (FRAC_2_SQRT_PI * exp::<I, f64>(-y * y));
        y -= newton / (1.0 + y * newton);
    }
    // Where x² is lost in 1 − x², erf is a line.
    (if a < 1e-8 { a / FRAC_2_SQRT_PI } else { y }).copysign(x)
}

/// The y with erfc y = c, for c from 0 to 1/2, by the logarithm of erfc, which is nearly a parabola.
#[inline(always)]
fn far<I: Isa>(c: f64) -> f64 {
    let target = ln::<I, f64>(c);
    let mut y = approximately(target + ln_1p::<I, f64>(1.0 - c));
    let step = |y: f64, log: f64, slope: f64| {
        let newton = (target - log) / slope;
        y - newton / (1.0 + 0.5 * newton * (2.0 * y - slope))
    };
    // At most where erfc is a normal number, or its slope has too few digits.
    for _ in 0..3 {
        y = y.limit(0.0, 26.5);
        let e = erfc::<I, f64>(y);
        y = step(y, ln::<I, f64>(e), FRAC_2_SQRT_PI * exp::<I, f64>(-y * y) / e);
    }
    // Further out a last step by erfc y = exp(−y²) erfcx y.
    let e = erfcx::<I, f64>(y);
    let further = step(y, ln::<I, f64>(e) - y * y, FRAC_2_SQRT_PI / e);
    y = if y > 26.0 { further } else { y };
    if c == 0.0 { f64::INFINITY } else { y }
}

#[inline(always)]
pub(super) fn erfinv<I: Isa, T: Real>(x: T) -> T {
    let x = x.to_f64();
    let a = x.abs();
    let (inner, outer) = (near::<I>(x.limit(-0.5, 0.5)), far::<I>((1.0 - a).limit(0.0, 0.5)));
    let value = if a > 0.5 { outer.copysign(x) } else { inner };
    T::from_f64(if a <= 1.0 { value } else { f64::NAN })
}

#[inline(always)]
pub(super) fn ndtri<I: Isa, T: Real>(p: T) -> T {
    let p = p.to_f64();
    // 2p − 1 and 1 − p are exact where they are used.
    let inner = near::<I>((2.0 * p - 1.0).limit(-0.5, 0.5));
    let upper = p > 0.5;
    let tail = far::<I>((2.0 * if upper { 1.0 - p } else { p }).limit(0.0, 0.5));
    let outer = if upper { tail } else { -tail };
    let value = SQRT_2 * if (p - 0.5).abs() <= 0.25 { inner } else { outer };
    T::from_f64(if (0.0..=1.0).contains(&p) { value } else { f64::NAN })
}
