//! sin πx/(πx) and its derivatives, which their formulas would compute from differences of equal numbers near 0.

use std::f64::consts::PI;

use super::gamma_single;
use super::real::Real;
use super::trigonometric::sin_cos_half_turns;
use crate::machine::simd::Isa;

/// The n-th derivative of sin πx/(πx) at x.
#[inline(always)]
pub(super) fn sinc_derivative<I: Isa, T: Real>(n: u32, x: T) -> T {
    let x = x.to_f64();
    T::from_f64(if T::SINGLE { of_single::<I>(n, x) } else { of_double(n, x) })
}

#[inline(never)]
fn of_double(n: u32, x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (t, order) = (PI * x, f64::from(n));
    let value = if t.abs() < 0.5 * order + 1.0 { series(n, t) } else { recurrence(n, x, t) };
    // Orders of an int's size give 0 · ∞ in any formula; those in use are small.
    value * PI.powi(n as i32)
}

/// The same to some digits less; the first two straight-line, so that a loop over them vectorises.
#[inline(always)]
fn of_single<I: Isa>(n: u32, x: f64) -> f64 {
    // From 2²⁴ on every such number is even.
    let turned = if x.abs() < 16_777_216.0 { x } else { 0.0 * x };
    let (sine, cosine) = gamma_single::sin_cos_half_turns::<I>(turned);
    let t = PI * x;
    let value = if x == 0.0 { 1.0 } else { sine / t };
    let value = if t.is_infinite() { 0.0 } else { value };
    match n {
        0 => value,
        1 => {
            let slope = if t.is_infinite() { 0.0 } else { (cosine - value) / x };
            // By the Taylor series, where the difference has lost digits.
            let square = t * t;
            let near = PI * t * (square * (1.0 / 30.0 - square * (1.0 / 840.0)) - 1.0 / 3.0);
            if t.abs() < 0.05 { near } else { slope }
        }
        n => of_double(n, x),
    }
}

/// The n-th derivative of sin t/t by its Taylor series, Σ (−1)ᵏ t²ᵏ⁻ⁿ/((2k + 1) (2k − n)!).
fn series(n: u32, t: f64) -> f64 {
    // j = 2k − n
    let mut j = n % 2;
    let mut power = if j == 1 { t } else { 1.0 };
    let mut sum = 0.0;
    loop {
        let k = (j + n) / 2;
        let term = power / f64::from(j + n + 1);
        sum += if k.is_multiple_of(2) { term } else { -term };
        // From here on terms fall by more than half.
        if term.abs() <= 1e-18 * sum.abs() || (term == 0.0) {
            return sum;
        }
        power *= t / f64::from(j + 1) * (t / f64::from(j + 2));
        j += 2;
    }
}

/// The same by t g⁽ⁿ⁾ = sin⁽ⁿ⁾ t − n g⁽ⁿ⁻¹⁾, which is stable for t that are not small against n.
fn recurrence(n: u32, x: f64, t: f64) -> f64 {
    let (sine, cosine) = sin_cos_half_turns(x);
    let mut value = sine / t;
    for k in 1..=n {
        let derivative = [sine, cosine, -sine, -cosine][(k % 4) as usize];
        value = (derivative - f64::from(k) * value) / t;
    }
    value
}
