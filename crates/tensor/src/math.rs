//! Vectorisable transcendental functions.

use crate::simd::Isa;

macro_rules! functions {
    ($(#[doc = $doc:literal] $name:ident),* $(,)?) => {
        /// Transcendental functions written without branches, so that a loop over them inside a
        /// [`Kernel`](crate::simd::Kernel) vectorises.
        pub trait Transcendental: Copy {
            $(#[doc = $doc] fn $name<I: Isa>(self) -> Self;)*
            /// xʸ, with the special cases of the standard library's `powf`.
            fn powf<I: Isa>(self, y: Self) -> Self;
        }
        functions!(@impl f32, $($name),*);
        functions!(@impl f64, $($name),*);
    };
    (@impl $t:ident, $($name:ident),*) => {
        impl Transcendental for $t {
            $(#[inline(always)] fn $name<I: Isa>(self) -> Self { scalar::$name(self as f64) as $t })*
            #[inline(always)]
            fn powf<I: Isa>(self, y: Self) -> Self { $t::powf(self, y) }
        }
    };
}

functions! {
    /// eˣ.
    exp,
    /// eˣ − 1.
    exp_m1,
    /// Natural logarithm.
    ln,
    /// ln(1 + x).
    ln_1p,
    /// sin x.
    sin,
    /// cos x.
    cos,
    /// tan x.
    tan,
    /// arcsin x.
    asin,
    /// arccos x.
    acos,
    /// arctan x.
    atan,
    /// sinh x.
    sinh,
    /// cosh x.
    cosh,
    /// tanh x.
    tanh,
    /// 1 / (1 + e⁻ˣ).
    sigmoid,
    /// ln(1 + eˣ).
    softplus,
    /// The error function, 2/√π ∫₀ˣ exp(−t²) dt.
    erf,
    /// 1 − erf x.
    erfc,
    /// x Φ(x), Φ the standard normal distribution function.
    gelu,
    /// 1 / √x.
    rsqrt,
}

mod scalar {
    macro_rules! std { ($($name:ident),*) => { $(pub(super) fn $name(x: f64) -> f64 { x.$name() })* } }
    std!(exp, exp_m1, ln, ln_1p, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh);

    pub(super) fn sigmoid(x: f64) -> f64 {
        let e = (-x.abs()).exp();
        if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
    }
    pub(super) fn softplus(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }
    pub(super) fn erf(x: f64) -> f64 {
        if x.abs() > 2.0 {
            return (1.0 - erfc(x.abs())).copysign(x);
        }
        // Maclaurin series.
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }
    pub(super) fn erfc(x: f64) -> f64 {
        if x.abs() <= 2.0 || x < 0.0 {
            return 1.0 - erf(x);
        }
        // Laplace's continued fraction.
        let tail = (1..=60).rev().fold(x, |t, n| x + f64::from(n) * 0.5 / t);
        (-x * x).exp() / (tail * std::f64::consts::PI.sqrt())
    }
    pub(super) fn gelu(x: f64) -> f64 {
        0.5 * x * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
    }
    pub(super) fn rsqrt(x: f64) -> f64 {
        1.0 / x.sqrt()
    }
}
