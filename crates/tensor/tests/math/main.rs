//! The error bounds of the transcendental functions, and their special values.

mod angles;
mod bounds;
mod golden;
mod orders;
mod special;

use wengert_tensor::Float;
use wengert_tensor::math::Transcendental;
use wengert_tensor::simd::{Baseline, Isa, Kernel, dispatch};

/// Applies the function of that name to a slice.
struct Map<'a, T> {
    name: &'static str,
    x: &'a [T],
    y: &'a mut [T],
}

macro_rules! functions {
    ($($name:ident),*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl<T: Float> Kernel for Map<'_, T> {
            type Output = ();
            #[inline(always)]
            fn run<I: Isa>(self) {
                match self.name {
                    $(stringify!($name) => self.y.iter_mut().zip(self.x).for_each(|(y, x)| *y = x.$name::<I>()),)*
                    name => panic!("no function {name}"),
                }
            }
        }

        /// A test for each, as they run side by side.
        mod f32_is_within_its_bound_over_all_exponents {
            $(#[test]
            fn $name() {
                crate::bounds::f32_is_within_its_bound(stringify!($name));
            })*
        }
    };
}
functions!(
    exp, exp_m1, ln, ln_1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, sigmoid, softplus, erf, erfc,
    gelu, rsqrt, exp2, log2, log10, asinh, acosh, atanh, ndtr, ndtri, erfinv, lgamma, digamma, erfcx,
    log_ndtr
);

/// xʸ over slices; the second operand is in the output.
struct Power<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Float> Kernel for Power<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.y.iter_mut().zip(self.x).for_each(|(y, x)| *y = x.powf::<I>(*y));
    }
}

/// The results on the best instruction set, then those on the baseline.
fn both<T: Float>(name: &'static str, x: &[T]) -> [Vec<T>; 2] {
    let mut best = vec![T::ZERO; x.len()];
    let mut baseline = best.clone();
    dispatch(Map { name, x, y: &mut best });
    Map { name, x, y: &mut baseline }.run::<Baseline>();
    [best, baseline]
}

fn both_powers<T: Float>(x: &[T], y: &[T]) -> [Vec<T>; 2] {
    let (mut best, mut baseline) = (y.to_vec(), y.to_vec());
    dispatch(Power { x, y: &mut best });
    Power { x, y: &mut baseline }.run::<Baseline>();
    [best, baseline]
}

/// The documented bounds, in ulp: f32, f64.
fn bound(name: &str) -> (f64, f64) {
    match name {
        "exp" | "ln" | "sin" | "cos" | "powf" | "exp2" | "log2" | "log10" => (1.0, 1.0),
        "rsqrt" => (1.5, 1.5),
        "gelu" | "ndtr" => (3.5, 2.0),
        "erfcx" | "log_ndtr" => (3.5, 3.5),
        _ => (2.0, 2.0),
    }
}

/// The distance of `got` from `expected` in units in the last place of an f32 of `expected`'s size.
fn ulps_f32(got: f32, expected: f64) -> f64 {
    let rounded = expected as f32;
    if got.to_bits() == rounded.to_bits() || (got.is_nan() && rounded.is_nan()) {
        return if rounded.is_finite() { distance_f32(got, expected) } else { 0.0 };
    }
    if !got.is_finite() && !rounded.is_finite() {
        return f64::INFINITY;
    }
    // An overflow that should have been the largest number, or the reverse, is a matter of ulps.
    let finite = |v: f32| if v.is_finite() { f64::from(v) } else { 2f64.powi(128).copysign(f64::from(v)) };
    if got.is_nan() || rounded.is_nan() || (got == 0.0 && rounded == 0.0) {
        return f64::INFINITY;
    }
    (finite(got) - expected).abs() / ulp_f32(expected)
}

fn distance_f32(got: f32, expected: f64) -> f64 {
    (f64::from(got) - expected).abs() / ulp_f32(expected)
}

fn ulp_f32(expected: f64) -> f64 {
    let exponent = ((expected.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    2f64.powi(exponent - 23)
}

fn reference(name: &str, x: f64) -> f64 {
    match name {
        "exp" => x.exp(),
        "exp_m1" => x.exp_m1(),
        "ln" => x.ln(),
        "ln_1p" => x.ln_1p(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "sigmoid" if x < 0.0 => x.exp() / (1.0 + x.exp()),
        "sigmoid" => 1.0 / (1.0 + (-x).exp()),
        "softplus" => x.max(0.0) + if x.is_nan() { x } else { (-x.abs()).exp().ln_1p() },
        // Not in the standard library: the f64 functions, which have golden values.
        "ndtr" => Transcendental::ndtr::<Baseline>(x),
        "erfcx" => Transcendental::erfcx::<Baseline>(x),
        "log_ndtr" => Transcendental::log_ndtr::<Baseline>(x),
        "ndtri" => Transcendental::ndtri::<Baseline>(x),
        "erfinv" => Transcendental::erfinv::<Baseline>(x),
        "lgamma" => Transcendental::lgamma::<Baseline>(x),
        "digamma" => Transcendental::digamma::<Baseline>(x),
        "exp2" => x.exp2(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        // The standard library's are less accurate than these, which have golden values.
        "asinh" => Transcendental::asinh::<Baseline>(x),
        "acosh" => Transcendental::acosh::<Baseline>(x),
        "atanh" => Transcendental::atanh::<Baseline>(x),
        "erf" => Transcendental::erf::<Baseline>(x),
        "erfc" => Transcendental::erfc::<Baseline>(x),
        "gelu" => Transcendental::gelu::<Baseline>(x),
        "rsqrt" => 1.0 / x.sqrt(),
        _ => panic!("no reference for {name}"),
    }
}

/// Consecutive integers for consecutive floating-point numbers.
fn ordered(x: f64) -> i64 {
    let bits = x.to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}
