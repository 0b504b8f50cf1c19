//! Vectorisable transcendental functions.
//!
//! Every function but those of the gamma family in double precision, Bessel's and `sinc` is straight-line code: the compiler turns a loop over one,
//! inside a [`Kernel`](crate::simd::Kernel), into vector instructions. Special values (±0, ±∞, NaN, subnormal numbers,
//! arguments outside the domain) follow IEEE 754 and C's Annex F. Polynomials were computed for this crate by
//! `scripts/coefficients.py`.

mod bessel;
mod bessel_coefficients;
mod bessel_single;
mod coefficients;
mod error_function;
mod exponential;
mod gamma;
mod gamma_sample;
mod gamma_single;
pub mod half;
mod hyperbolic;
mod inverse;
mod inverse_hyperbolic;
mod logarithm;
mod logistic;
mod power;
mod quantile;
mod radix;
mod real;
mod reduction;
mod scaled_error;
mod sinc;
mod trigonometric;

pub use gamma_sample::log_gamma_sample_derivative;

use crate::machine::simd::Isa;

macro_rules! functions {
    ($($(#[$doc:meta])* $family:ident::$name:ident,)*) => {
        /// Transcendental functions written without branches, so that a loop over them vectorises.
        ///
        /// The error bounds are in units in the last place (ulp) of the result, subnormal results included, with and
        /// without fused multiply-add; the tests sweep for them.
        ///
        /// ```
        /// use wengert_tensor::math::Transcendental;
        /// use wengert_tensor::simd::{dispatch, Isa, Kernel};
        ///
        /// struct Softplus<'a>(&'a mut [f32]);
        ///
        /// impl Kernel for Softplus<'_> {
        ///     type Output = ();
        ///     #[inline(always)]
        ///     fn run<I: Isa>(self) {
        ///         self.0.iter_mut().for_each(|x| *x = x.softplus::<I>());
        ///     }
        /// }
        ///
        /// let mut values = [0.0, 100.0, -200.0];
        /// dispatch(Softplus(&mut values));
        /// assert_eq!(values, [std::f32::consts::LN_2, 100.0, 0.0]);
        /// ```
        pub trait Transcendental: Copy {
            $($(#[$doc])* fn $name<I: Isa>(self) -> Self;)*

            /// Whether sin, cos and tan are the same in a loop that [knows](Isa::NEAR) its numbers to be near 0.
            fn is_near(self) -> bool;

            /// sin 2πx and cos 2πx, exact where they are 0 or ±1, within 2 ulp elsewhere; for |x| < 1/(16 ε).
            fn sin_cos_turns<I: Isa>(self) -> (Self, Self);

            /// ln|Γ(x)|; ∞ at 0 and at negative integers. Within 2 ulp for x > 0; below, near its zeros, of 1 instead of the
            /// value.
            fn lgamma<I: Isa>(self) -> Self;

            /// ψ(x) = Γ′(x)/Γ(x); NaN at negative integers, ∓∞ at ±0. Within 2 ulp for x > 0; below, near its zeros, of the
            /// larger of two terms whose sum it is.
            fn digamma<I: Isa>(self) -> Self;

            /// ψ⁽ⁿ⁾(x), the n-th derivative of the digamma function ψ. Within 10 ulp for x > 0 and n up to 5.
            fn polygamma<I: Isa>(self, n: u32) -> Self;

            /// The n-th derivative of sin πx/(πx), which is 1 at 0, exactly 0 at other integers, and 0 at ±∞. Within 4 ulp
            /// for n = 0; for others the error is some ulp of πⁿ/(n + 1), the largest value.
            fn sinc_derivative<I: Isa>(self, n: u32) -> Self;

            /// The modified Bessel function Iₙ(x), or exp(−|x|) Iₙ(x) if `scaled`, which does not overflow. Within 8 ulp for n
            /// up to 1, scaled, and 12 ulp for others up to 5.
            fn bessel_i<I: Isa>(self, n: u32, scaled: bool) -> Self;

            /// The n-th derivative of erfcx x = exp(x²) erfc x. Within 20 ulp for n up to 5.
            fn erfcx_derivative<I: Isa>(self, n: u32) -> Self;

            /// 1/√x. Within 1.5 ulp.
            fn rsqrt<I: Isa>(self) -> Self;

            /// The angle of the point (x, y), in [−π, π], `self` being y; with the special cases of IEEE 754 `atan2`. Within
            /// 2 ulp.
            fn atan2<I: Isa>(self, x: Self) -> Self;

            /// xʸ, with the special cases of IEEE 754 `pow`. Within 1 ulp.
            fn powf<I: Isa>(self, y: Self) -> Self;

            /// `self`·xʸ, also where xʸ alone is out of range; 0 if that is so small that three finite factors would not bring it back,
            /// whether or not `self` is infinite. Within 1 ulp for `f32` and 1.5 ulp for `f64`.
            fn times_powf<I: Isa>(self, x: Self, y: Self) -> Self;
        }

        functions!(@implement f32: $($family::$name,)*);
        functions!(@implement f64: $($family::$name,)*);
    };
    (@implement $t:ident: $($family:ident::$name:ident,)*) => {
        impl Transcendental for $t {
            $(
                #[inline(always)]
                fn $name<I: Isa>(self) -> Self {
                    $family::$name::<I, $t>(self)
                }
            )*
            #[inline(always)]
            fn is_near(self) -> bool {
                self.abs() <= <$t as real::Real>::NEAR
            }
            #[inline(always)]
            fn sin_cos_turns<I: Isa>(self) -> (Self, Self) {
                trigonometric::sin_cos_turns::<I, $t>(self)
            }
            #[inline(always)]
            fn lgamma<I: Isa>(self) -> Self {
                gamma::Gamma::log_gamma::<I>(self)
            }
            #[inline(always)]
            fn digamma<I: Isa>(self) -> Self {
                gamma::Gamma::digamma::<I>(self)
            }
            #[inline(always)]
            fn polygamma<I: Isa>(self, n: u32) -> Self {
                gamma::Gamma::polygamma::<I>(self, n)
            }
            #[inline(always)]
            fn sinc_derivative<I: Isa>(self, n: u32) -> Self {
                sinc::sinc_derivative::<I, $t>(n, self)
            }
            #[inline(always)]
            fn bessel_i<I: Isa>(self, n: u32, scaled: bool) -> Self {
                bessel::bessel_i::<I, $t>(n, scaled, self)
            }
            #[inline(always)]
            fn erfcx_derivative<I: Isa>(self, n: u32) -> Self {
                scaled_error::erfcx_derivative(n, f64::from(self)) as $t
            }
            #[inline(always)]
            fn rsqrt<I: Isa>(self) -> Self {
                power::rsqrt(self)
            }
            #[inline(always)]
            fn atan2<I: Isa>(self, x: Self) -> Self {
                inverse::atan2::<I, $t>(self, x)
            }
            #[inline(always)]
            fn powf<I: Isa>(self, y: Self) -> Self {
                power::powf::<I, $t>(self, y)
            }
            #[inline(always)]
            fn times_powf<I: Isa>(self, x: Self, y: Self) -> Self {
                power::times_powf::<I, $t>(self, x, y)
            }
        }
    };
}

functions! {
    /// eˣ. Within 1 ulp.
    exponential::exp,
    /// eˣ − 1, accurate near 0. Within 2 ulp.
    exponential::exp_m1,
    /// Natural logarithm. Within 1 ulp.
    logarithm::ln,
    /// ln(1 + x), accurate near 0. Within 2 ulp.
    logarithm::ln_1p,
    /// sin x, for x of any size. Within 1 ulp.
    trigonometric::sin,
    /// cos x, for x of any size. Within 1 ulp.
    trigonometric::cos,
    /// tan x, for x of any size. Within 2 ulp.
    trigonometric::tan,
    /// arcsin x, in [−π/2, π/2]; NaN outside [−1, 1]. Within 2 ulp.
    inverse::asin,
    /// arccos x, in [0, π]; NaN outside [−1, 1]. Within 2 ulp.
    inverse::acos,
    /// arctan x, in [−π/2, π/2]. Within 2 ulp.
    inverse::atan,
    /// (eˣ − e⁻ˣ)/2. Within 2 ulp.
    hyperbolic::sinh,
    /// (eˣ + e⁻ˣ)/2. Within 2 ulp.
    hyperbolic::cosh,
    /// (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ). Within 2 ulp.
    hyperbolic::tanh,
    /// The logistic function 1/(1 + e⁻ˣ). Within 2 ulp.
    logistic::sigmoid,
    /// ln(1 + eˣ), which is x for large x and eˣ for very negative x. Within 2 ulp.
    logistic::softplus,
    /// The error function, 2/√π ∫₀ˣ exp(−t²) dt. Within 2 ulp.
    error_function::erf,
    /// 1 − erf x, accurate where that is tiny. Within 2 ulp.
    error_function::erfc,
    /// The Gaussian error linear unit x Φ(x), Φ being the standard normal distribution function (D. Hendrycks and
    /// K. Gimpel, arXiv 1606.08415; PyTorch's `approximate="none"`). −0 at −∞, its limit. Within 3.5 ulp for `f32`,
    /// 2 ulp for `f64`.
    error_function::gelu,
    /// Φ(x), the standard normal distribution function. Within 3.5 ulp for `f32`, 2 ulp for `f64`.
    error_function::ndtr,
    /// ln Φ(x), Φ being the standard normal distribution function, also where that is too small for a number. Within 2 ulp
    /// for x < 0, 3.5 ulp elsewhere.
    error_function::log_ndtr,
    /// exp(x²) erfc x, which falls as 1/(√π x); ∞ for very negative x. Within 3.5 ulp.
    error_function::erfcx,
    /// The inverse of Φ; ∓∞ at 0 and 1, NaN outside. Within 2 ulp.
    quantile::ndtri,
    /// The inverse of the error function; ±∞ at ±1, NaN outside. Within 2 ulp.
    quantile::erfinv,
    /// 2ˣ, exact for integers. Within 1 ulp.
    radix::exp2,
    /// The logarithm to base 2, exact for powers of 2. Within 1 ulp.
    radix::log2,
    /// The logarithm to base 10, exact for powers of 10. Within 1 ulp.
    radix::log10,
    /// The inverse of sinh. Within 2 ulp.
    inverse_hyperbolic::asinh,
    /// The inverse of cosh, in [0, ∞]; NaN below 1. Within 2 ulp.
    inverse_hyperbolic::acosh,
    /// The inverse of tanh; ±∞ at ±1, NaN outside. Within 2 ulp.
    inverse_hyperbolic::atanh,
}
