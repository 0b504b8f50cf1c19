//! Vectorisable transcendental functions.
//!
//! Every function is straight-line code: the compiler turns a loop over one, inside a
//! [`Kernel`](crate::simd::Kernel), into vector instructions. Special values (±0, ±∞, NaN, subnormal numbers,
//! arguments outside the domain) follow IEEE 754 and C's Annex F. Polynomials were computed for this crate by
//! `scripts/coefficients.py`.

mod coefficients;
mod error_function;
mod exponential;
mod hyperbolic;
mod inverse;
mod logarithm;
mod logistic;
mod power;
mod real;
mod reduction;
mod trigonometric;

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

            /// sin 2πx and cos 2πx, exact where they are 0 or ±1, within 2 ulp elsewhere; for |x| < 1/(16 ε).
            fn sin_cos_turns<I: Isa>(self) -> (Self, Self);

            /// 1/√x. Within 1.5 ulp.
            fn rsqrt<I: Isa>(self) -> Self;

            /// xʸ, with the special cases of IEEE 754 `pow`. Within 1 ulp.
            fn powf<I: Isa>(self, y: Self) -> Self;
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
            fn sin_cos_turns<I: Isa>(self) -> (Self, Self) {
                trigonometric::sin_cos_turns::<I, $t>(self)
            }
            #[inline(always)]
            fn rsqrt<I: Isa>(self) -> Self {
                power::rsqrt(self)
            }
            #[inline(always)]
            fn powf<I: Isa>(self, y: Self) -> Self {
                power::powf::<I, $t>(self, y)
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
}
