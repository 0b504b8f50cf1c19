//! The modified Bessel functions Iₙ. In double precision for both types; but for the lowest orders in single precision each a call: the power series for small numbers;
//! for larger ones Chebyshev series for the orders 0 and 1, and the asymptotic one for those above, of which derivatives are
//! made. (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", chapter 9.)

use std::f64::consts::TAU;

use super::bessel_coefficients::{FAR_0, FAR_1};
use super::bessel_single::{bessel_i0, bessel_i1};
use super::exponential::exp;
use super::real::Real;
use crate::machine::simd::{Baseline, Isa};

/// Iₙ(x), or exp(−|x|) Iₙ(x) if `scaled`.
#[inline(always)]
pub(super) fn bessel_i<I: Isa, T: Real>(n: u32, scaled: bool, x: T) -> T {
    let x = x.to_f64();
    T::from_f64(match n {
        0 if T::SINGLE => bessel_i0::<I>(scaled, x),
        1 if T::SINGLE => bessel_i1::<I>(scaled, x),
        n => of_double(n, scaled, x),
    })
}

#[inline(never)]
fn of_double(n: u32, scaled: bool, x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let a = x.abs();
    let size = if a.is_infinite() { 0.0 } else { scaled_size(n, a) };
    let value = match scaled {
        true => size,
        false if a.is_infinite() => a,
        // In two halves: e^a leaves the range before the function does.
        false => {
            let half = exp::<Baseline, f64>(0.5 * a);
            half * size * half
        }
    };
    if n % 2 == 1 && x.is_sign_negative() { -value } else { value }
}

/// exp(−a) Iₙ(a) for a ≥ 0.
fn scaled_size(n: u32, a: f64) -> f64 {
    match n {
        0 if a >= 8.0 => chebyshev(FAR_0, 16.0 / a - 1.0) / a.sqrt(),
        1 if a >= 8.0 => chebyshev(FAR_1, 16.0 / a - 1.0) / a.sqrt(),
        n if a < 20.0 + f64::from(n) * f64::from(n) => power_series(f64::from(n), a),
        n => asymptotic_series(f64::from(n), a),
    }
}

/// c₀/2 + c₁ T₁(y) + …, by Clenshaw's recurrence.
fn chebyshev(coefficients: &[f64], y: f64) -> f64 {
    let (mut sum, mut before) = (0.0, 0.0);
    for c in coefficients[1..].iter().rev() {
        (sum, before) = (2.0 * y * sum - before + c, sum);
    }
    y * sum - before + 0.5 * coefficients[0]
}

/// exp(−a) Σ (a/2)²ᵏ⁺ⁿ/(k! (k + n)!), of positive terms alone.
fn power_series(n: f64, a: f64) -> f64 {
    let half = 0.5 * a;
    let mut term = exp::<Baseline, f64>(-a);
    let mut j = 1.0;
    while j <= n {
        term *= half / j;
        j += 1.0;
    }
    let (mut sum, mut k) = (term, 1.0);
    while term > 1e-17 * sum || k < half {
        term *= half / k * (half / (k + n));
        sum += term;
        k += 1.0;
        if sum == 0.0 {
            break;
        }
    }
    sum
}

/// 1/√(2πa) (1 − (4n² − 1)/(8a) + …), for a that is large against n².
fn asymptotic_series(n: f64, a: f64) -> f64 {
    let square = 4.0 * n * n;
    let (mut term, mut sum, mut k) = (1.0f64, 1.0, 1.0);
    while term.abs() > 1e-17 && k < 2.0 * a {
        let odd = 2.0 * k - 1.0;
        term *= (odd * odd - square) / (8.0 * a * k);
        sum += term;
        k += 1.0;
    }
    // In two parts, as 2πa may be out of range.
    sum / (TAU / 16.0 * a).sqrt() / 4.0
}
