//! Numbers of the gamma distribution as functions of its shape: the quantile of a probability, and how it moves with the
//! shape, to any order (M. Figurnov, S. Mohamed and A. Mnih, "Implicit reparameterization gradients", 2018).
//!
//! A normal number w stands for the probability Φ(w), so that both tails keep their digits. The logarithm y of the quantile
//! solves ln P(a, eʸ) = ln Φ(w) below the median and ln Q(a, eʸ) = ln Φ(−w) above, P and Q being the regularised incomplete
//! gamma functions, by Newton's method: both sides are concave in y, so that it cannot get lost. Its derivatives come of the
//! same step on power series in the shape.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::error_function::log_ndtr;
use super::exponential::exp;
use super::gamma::{log_gamma, polygamma};
use super::logarithm::ln;
use crate::machine::simd::Baseline;

/// From here on the expansion of E. A. Cornish and R. A. Fisher (1937) is the quantile.
const LARGE: f64 = 1000.0;

/// The logarithm of the number of the gamma distribution of shape `a` (and scale 1) that has the probability Φ(`w`) of not
/// being exceeded, or its n-th derivative with respect to the shape. To some 1e-11 of the number; NaN unless a > 0.
///
/// # Panics
/// If `n` exceeds 7.
///
/// ```
/// use wengert_tensor::math::log_gamma_sample_derivative;
/// // The exponential distribution's median is ln 2.
/// let median = log_gamma_sample_derivative(0, 1.0, 0.0).exp();
/// assert!((median - 2f64.ln()).abs() < 1e-14);
/// ```
#[track_caller]
pub fn log_gamma_sample_derivative(n: u32, a: f64, w: f64) -> f64 {
    assert!(n < 8, "log_gamma_sample_derivative: the order {n} is above 7");
    if !(a > 0.0 && a.is_finite()) || w.is_nan() {
        return f64::NAN;
    }
    let factorial: f64 = (1..=n).map(f64::from).product();
    factorial
        * match n {
            0 => series::<1>(a, w).0[0],
            1 => series::<2>(a, w).0[1],
            2 => series::<3>(a, w).0[2],
            n => series::<8>(a, w).0[n as usize],
        }
}

/// The power series of the logarithm in the shape.
fn series<const N: usize>(a: f64, w: f64) -> Series<N> {
    if a >= LARGE {
        return cornish_fisher::<N>(Series::variable(a), w).ln();
    }
    let target = log_ndtr::<Baseline, f64>(-w.abs());
    let side = |y: Series<1>| Side::of(Series::variable(a), y, w < 0.0);
    // Where P(a, z) = zᵃ/Γ(a + 1), as for small z; below the root. Nearer for larger shapes: the cube of a normal number
    // (E. B. Wilson and M. M. Hilferty, 1931).
    let lower = if w < 0.0 { target } else { ln::<Baseline, f64>(0.5) };
    let mut y = (lower + log_gamma(a + 1.0)) / a;
    let root = 1.0 - 1.0 / (9.0 * a) + w / (3.0 * a.sqrt());
    if root > 0.1 {
        y = y.max(ln::<Baseline, f64>(a * root * root * root));
    }
    for _ in 0..200 {
        let at = side(Series([y]));
        let step = ((at.log.0[0] - target) / at.slope.0[0]).clamp(-3.0, 3.0);
        y -= step;
        if step.abs() <= 4e-16 * y.abs().max(1e-3) {
            break;
        }
    }
    // Each step doubles how many terms are right.
    let mut y = Series::<N>::constant(y);
    let mut right = 1;
    while right < N {
        let at = Side::of(Series::variable(a), y, w < 0.0);
        let mut rest = at.log;
        rest.0[0] = 0.0;
        y = y - rest / at.slope;
        right *= 2;
    }
    y
}

/// The logarithm of a tail of the distribution, and its slope along the logarithm of the number.
struct Side<const N: usize> {
    log: Series<N>,
    slope: Series<N>,
}

impl<const N: usize> Side<N> {
    /// At z = eʸ. With `below` the tail below z. Where the one above would not lose digits by it, its logarithm is that of 1
    /// less the other.
    fn of(a: Series<N>, y: Series<N>, below: bool) -> Self {
        let z = y.exp();
        if z.0[0] >= a.0[0] + 1.0 && !below {
            let fraction = continued_fraction(a, z);
            return Side { log: a * y - z - a.log_gamma() + fraction.ln(), slope: -fraction.recip() };
        }
        let sum = power_series(a, z);
        let below_z = Side { log: a * y - z - a.log_gamma() - a.ln() + sum.ln(), slope: a / sum };
        if below {
            return below_z;
        }
        // ln(1 − P), and its slope −P/(1 − P) times that of ln P.
        let p = below_z.log.exp();
        let rest = Series::constant(1.0) - p;
        Side { log: rest.ln(), slope: -(below_z.slope * p / rest) }
    }
}

/// 1 + z/(a + 1) + z²/((a + 1)(a + 2)) + …
fn power_series<const N: usize>(a: Series<N>, z: Series<N>) -> Series<N> {
    let (mut term, mut sum) = (Series::constant(1.0), Series::constant(1.0));
    for k in 1..20_000 {
        term = term * z / (a + f64::from(k));
        sum = sum + term;
        if term.is_below(1e-17, &sum) && f64::from(k) > z.0[0] - a.0[0] {
            break;
        }
    }
    sum
}

/// 1/(z + 1 − a − 1 (1 − a)/(z + 3 − a − 2 (2 − a)/(…))), by the modified method of W. J. Lentz (1976).
fn continued_fraction<const N: usize>(a: Series<N>, z: Series<N>) -> Series<N> {
    let one = Series::constant(1.0);
    let mut b = z - a + 1.0;
    let mut c = Series::constant(1e300);
    let mut d = b.recip();
    let mut h = d;
    for i in 1..20_000 {
        let i = f64::from(i);
        let an = (a - i) * i;
        b = b + 2.0;
        d = (an * d + b).recip();
        c = b + an / c;
        let factor = c * d;
        h = h * factor;
        if (factor - one).is_below(1e-16, &one) {
            break;
        }
    }
    h
}

/// The number by the expansion in 1/√a (H. Goldberg and H. Levine, 1946).
fn cornish_fisher<const N: usize>(a: Series<N>, w: f64) -> Series<N> {
    let root = (a.ln() * 0.5).exp();
    let v = w * w;
    let terms = [
        w,
        (v - 1.0) / 3.0,
        w * (v - 7.0) / 36.0,
        -(v * (3.0 * v + 7.0) - 16.0) / 810.0,
        w * (v * (9.0 * v + 256.0) - 433.0) / 38_880.0,
        (v * (v * (12.0 * v - 243.0) - 923.0) + 1472.0) / 204_120.0,
    ];
    // a + √a t₀ + t₁ + t₂/√a + …
    let mut sum = Series::constant(0.0);
    for t in terms.into_iter().rev() {
        sum = sum / root + t;
    }
    a + root * sum
}

/// A power series in one variable, cut off.
#[derive(Clone, Copy)]
struct Series<const N: usize>([f64; N]);

impl<const N: usize> Series<N> {
    fn constant(x: f64) -> Self {
        let mut terms = [0.0; N];
        terms[0] = x;
        Series(terms)
    }

    fn variable(x: f64) -> Self {
        let mut terms = Series::constant(x);
        if N > 1 {
            terms.0[1] = 1.0;
        }
        terms
    }

    fn recip(self) -> Self {
        Series::constant(1.0) / self
    }

    /// k eₖ = Σ j xⱼ eₖ₋ⱼ
    fn exp(self) -> Self {
        let mut e = [0.0; N];
        e[0] = exp::<Baseline, f64>(self.0[0]);
        for k in 1..N {
            let sum: f64 = (1..=k).map(|j| j as f64 * self.0[j] * e[k - j]).sum();
            e[k] = sum / k as f64;
        }
        Series(e)
    }

    /// k x₀ lₖ = k xₖ − Σ j lⱼ xₖ₋ⱼ
    fn ln(self) -> Self {
        let mut l = [0.0; N];
        l[0] = ln::<Baseline, f64>(self.0[0]);
        for k in 1..N {
            let sum: f64 = (1..k).map(|j| j as f64 * l[j] * self.0[k - j]).sum();
            l[k] = (self.0[k] - sum / k as f64) / self.0[0];
        }
        Series(l)
    }

    /// ln Γ of the variable itself.
    fn log_gamma(self) -> Self {
        let x = self.0[0];
        let mut factorial = 1.0;
        Series(std::array::from_fn(|k| {
            factorial *= (k as f64).max(1.0);
            match k {
                0 => log_gamma(x),
                k => polygamma(k as u32 - 1, x) / factorial,
            }
        }))
    }

    /// Whether every term is negligible beside that of another series, or its first.
    fn is_below(&self, part: f64, other: &Self) -> bool {
        let first = other.0[0].abs();
        self.0.iter().zip(&other.0).all(|(x, y)| x.abs() <= part * y.abs().max(first))
    }
}

impl<const N: usize> Add for Series<N> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Series(std::array::from_fn(|k| self.0[k] + other.0[k]))
    }
}

impl<const N: usize> Add<f64> for Series<N> {
    type Output = Self;
    fn add(mut self, x: f64) -> Self {
        self.0[0] += x;
        self
    }
}

impl<const N: usize> Sub for Series<N> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Series(std::array::from_fn(|k| self.0[k] - other.0[k]))
    }
}

impl<const N: usize> Sub<f64> for Series<N> {
    type Output = Self;
    fn sub(self, x: f64) -> Self {
        self + -x
    }
}

impl<const N: usize> Neg for Series<N> {
    type Output = Self;
    fn neg(self) -> Self {
        Series(self.0.map(|x| -x))
    }
}

impl<const N: usize> Mul for Series<N> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Series(std::array::from_fn(|k| (0..=k).map(|j| self.0[j] * other.0[k - j]).sum()))
    }
}

impl<const N: usize> Mul<f64> for Series<N> {
    type Output = Self;
    fn mul(self, x: f64) -> Self {
        Series(self.0.map(|y| y * x))
    }
}

impl<const N: usize> Div for Series<N> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let mut q = [0.0; N];
        for k in 0..N {
            let sum: f64 = (0..k).map(|j| q[j] * other.0[k - j]).sum();
            q[k] = (self.0[k] - sum) / other.0[0];
        }
        Series(q)
    }
}
