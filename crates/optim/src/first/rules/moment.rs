//! Second moments, kept as their roots: a square leaves the range of the type long before its root does.

use std::cmp::Ordering;

use wengert_tensor::simd::Isa;
use wengert_tensor::{ElementKind, Float};

/// 2ᵉ.
const fn power(e: i64) -> f64 {
    f64::from_bits(((1023 + e) as u64) << 52)
}

/// Where squares are far from both ends of the range, and what brings larger and smaller numbers there.
struct Scales {
    small: f64,
    large: f64,
    up: f64,
    down: f64,
}

const SINGLE: Scales = Scales { small: power(-55), large: power(40), up: power(100), down: power(-70) };

const DOUBLE: Scales = Scales { small: power(-480), large: power(400), up: power(700), down: power(-600) };

const fn scales<T: Float>() -> Scales {
    if matches!(T::KIND, ElementKind::F32) { SINGLE } else { DOUBLE }
}

/// √(a² + b²); with `care` it neither overflows nor underflows where it exists itself.
#[inline(always)]
pub(super) fn hypot<I: Isa, T: Float>(a: T, b: T, care: bool) -> T {
    if !care {
        return I::mul_add(a, a, b * b).sqrt();
    }
    let Scales { small, large, up, down } = scales::<T>();
    let larger = if a.abs() > b.abs() { a.abs() } else { b.abs() };
    let (mut into, mut back) = (T::ONE, T::ONE);
    if larger < T::from_f64(small) {
        (into, back) = (T::from_f64(up), T::from_f64(up.recip()));
    }
    if larger > T::from_f64(large) {
        (into, back) = (T::from_f64(down), T::from_f64(down.recip()));
    }
    let (a, b) = (a * into, b * into);
    I::mul_add(a, a, b * b).sqrt() * back
}

/// The largest number whose square may be taken without care.
pub(super) const fn largest<T: Float>() -> f64 {
    scales::<T>().large
}

/// Whether a root whose square underflows can be told from 0 beside `added`, which is added to it.
pub(super) fn underflow_matters<T: Float>(added: f64) -> bool {
    // The root of the smallest normal number, over the precision.
    let least = if matches!(T::KIND, ElementKind::F32) { power(-38) } else { power(-457) };
    added.partial_cmp(&least) != Some(Ordering::Greater)
}

/// √v after v ← β v + (1 − β) g².
#[derive(Clone, Copy)]
pub(super) struct Rms<T> {
    keep: T,
    fresh: T,
    /// Whether squares may leave the range, and roots be 0.
    pub(super) care: bool,
}

impl<T: Float> Rms<T> {
    /// For β = `decay`; `added` is what the formula adds to the root, at least.
    pub(super) fn new(decay: f64, added: f64) -> Self {
        Rms {
            keep: T::from_f64(decay.sqrt()),
            fresh: T::from_f64((1.0 - decay).sqrt()),
            care: underflow_matters::<T>(added),
        }
    }

    /// The same, with care for numbers of all magnitudes or without.
    #[inline(always)]
    pub(super) fn with_care(self, care: bool) -> Self {
        Rms { care, ..self }
    }

    /// From √v and g.
    #[inline(always)]
    pub(super) fn after<I: Isa>(self, root: T, g: T) -> T {
        hypot::<I, T>(self.keep * root, self.fresh * g, self.care)
    }
}

/// The decay of an exponential average: β and 1 − β.
#[derive(Clone, Copy)]
pub(super) struct Decay<T> {
    keep: T,
    fresh: T,
}

impl<T: Float> Decay<T> {
    pub(super) fn of(beta: f64) -> Self {
        Decay { keep: T::from_f64(beta), fresh: T::from_f64(1.0 - beta) }
    }

    /// β m + (1 − β) g.
    #[inline(always)]
    pub(super) fn average<I: Isa>(self, m: T, g: T) -> T {
        I::mul_add(self.keep, m, self.fresh * g)
    }
}

/// `x / root`; with `care` 0 where the root of squares of x and the like is 0: with ε = 0, an element that never had a
/// gradient.
#[inline(always)]
pub(super) fn over<T: Float>(x: T, root: T, care: bool) -> T {
    if care && root == T::ZERO { T::ZERO } else { x / root }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert_tensor::simd::Baseline;

    #[test]
    fn hypotenuses_of_all_magnitudes() {
        for (i, j) in (-44..=38).flat_map(|i| (-44..=38).map(move |j| (i, j))) {
            let (a, b) = (3.7 * 10f64.powi(i), -1.3 * 10f64.powi(j));
            let exact = (f64::from(a as f32).powi(2) + f64::from(b as f32).powi(2)).sqrt();
            if exact < f64::from(f32::MAX) {
                let got = hypot::<Baseline, f32>(a as f32, b as f32, true);
                let error = (f64::from(got) - exact).abs();
                assert!(error <= 3e-7 * exact + 1e-45, "{a:e} and {b:e}: {got:e}, not {exact:e}");
            }
        }
        for (i, j) in (-320..=307).flat_map(|i| (-320..=307).step_by(7).map(move |j| (i, j))) {
            let (a, b) =
                (3.7 * 10f64.powi(i / 2) * 10f64.powi(i - i / 2), 10f64.powi(j / 2) * 10f64.powi(j - j / 2));
            let (got, exact) = (hypot::<Baseline, f64>(a, b, true), a.hypot(b));
            assert!((got - exact).abs() <= 5e-16 * exact + 5e-324, "{a:e} and {b:e}: {got:e}, not {exact:e}");
        }
        for bad in [f32::NAN, f32::INFINITY] {
            for (a, b) in [(bad, 1.0), (1.0, bad), (bad, 0.0), (0.0, bad)] {
                let got = hypot::<Baseline, f32>(a, b, true);
                assert!(got == bad || (got.is_nan() && bad.is_nan()));
            }
        }
        assert_eq!(hypot::<Baseline, f64>(0.0, 0.0, true), 0.0);
    }
}
