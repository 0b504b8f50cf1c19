//! The functions of one number, each listed once: the algebra's method, the number's formula, the dual number's chain rule,
//! the operation and the method on variables all come of this list.

/// Calls a macro with the list. An entry is the name, the operation's type, the value of a number x inside a loop for the
/// instruction set `I`, what the derivative [reads](crate::Reads) (and `PIECEWISE_LINEAR` if it is), and the derivative
/// at x, where y is the value; and, where the derivative may leave the range of numbers though its product with v does not,
/// that product.
macro_rules! for_each_function {
    ($callback:ident) => {
        $callback! {
            /// eˣ.
            exp, Exp, |x| x.exp::<I>(), Output, |_x, y| y;
            /// eˣ − 1, exact near 0.
            #[doc(alias = "expm1")]
            exp_m1, ExpM1, |x| x.exp_m1::<I>(), Output, |_x, y| y + 1.0;
            /// The natural logarithm.
            #[doc(alias = "log")]
            ln, Ln, |x| x.ln::<I>(), Input, |x, _y| x.recip(), |v, x, _y| v / x;
            /// ln(1 + x), exact near 0.
            #[doc(alias = "log1p")]
            ln_1p, Ln1p, |x| x.ln_1p::<I>(), Input, |x, _y| (x + 1.0).recip();
            /// √x; the derivative at 0 is +∞, as PyTorch's and JAX's.
            sqrt, Sqrt, |x| x.sqrt(), Output, |_x, y| y.recip() * 0.5;
            /// 1/√x.
            rsqrt, Rsqrt, |x| x.rsqrt::<I>(), Output, |_x, y| y.clone() * y.clone() * y * -0.5, |v, _x, y| v * y.clone() * y.clone() * (y * -0.5);
            /// 1/x.
            #[doc(alias = "reciprocal")]
            recip, Recip, |x| T::ONE / x, Output, |_x, y| -(y.clone() * y), |v, _x, y| -(v * y.clone() * y);
            /// |x|; the subgradient at 0 is 0.
            #[doc(alias = "absolute")]
            abs, Abs, |x| x.abs(), Input + PIECEWISE_LINEAR, |x, _y| x.sign();
            /// −1, 0 or 1; the derivative is 0 everywhere.
            #[doc(alias = "sgn")]
            sign, Sign, |x| x.sign(), Input + FLAT, |x, _y| x.constant(0.0);
            /// sin x.
            sin, Sin, |x| x.sin::<I>(), Input + BOUNDED_SLOPE, |x, _y| x.cos();
            /// cos x.
            cos, Cos, |x| x.cos::<I>(), Input + BOUNDED_SLOPE, |x, _y| -x.sin();
            /// tan x.
            tan, Tan, |x| x.tan::<I>(), Output, |_x, y| y.clone() * y + 1.0;
            /// sinh x.
            sinh, Sinh, |x| x.sinh::<I>(), Input, |x, _y| x.cosh();
            /// cosh x.
            cosh, Cosh, |x| x.cosh::<I>(), Input, |x, _y| x.sinh();
            /// tanh x.
            tanh, Tanh, |x| x.tanh::<I>(), Output + BOUNDED_SLOPE, |_x, y| y.constant(1.0) - y.clone() * y;
            /// arcsin x.
            #[doc(alias = "arcsin")]
            asin, Asin, |x| x.asin::<I>(), Input, |x, _y| {
                one_less_square(x).rsqrt()
            };
            /// arccos x.
            #[doc(alias = "arccos")]
            acos, Acos, |x| x.acos::<I>(), Input, |x, _y| {
                -one_less_square(x).rsqrt()
            };
            /// arctan x.
            #[doc(alias = "arctan")]
            atan, Atan, |x| x.atan::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
                // 1/(1 + x²), whose square leaves the range for large x. Each form gets 1 where the other is taken.
                let large = x.abs() - 1.0;
                let one = x.constant(1.0);
                let inverse = large.select_positive(x.clone(), one.clone()).recip();
                let square = inverse.clone() * inverse;
                let far = square.clone() / (square + 1.0);
                let small = large.select_positive(one, x);
                large.select_positive(far, (small.clone() * small + 1.0).recip())
            };
            /// The inverse of sinh.
            #[doc(alias = "arcsinh")]
            asinh, Asinh, |x| x.asinh::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
                // 1/√(1 + x²), whose square leaves the range for large x. Each form gets 1 where the other is taken.
                let large = x.abs() - 1.0;
                let one = x.constant(1.0);
                let inverse = large.select_positive(x.clone(), one.clone()).recip();
                let far = inverse.abs() * (inverse.clone() * inverse + 1.0).rsqrt();
                let small = large.select_positive(one, x);
                large.select_positive(far, (small.clone() * small + 1.0).rsqrt())
            };
            /// The inverse of cosh; NaN below 1.
            #[doc(alias = "arccosh")]
            acosh, Acosh, |x| x.acosh::<I>(), Input, |x, _y| (x.clone() - 1.0).rsqrt() * (x + 1.0).rsqrt();
            /// The inverse of tanh; ±∞ at ±1, NaN outside.
            #[doc(alias = "arctanh")]
            atanh, Atanh, |x| x.atanh::<I>(), Input, |x, _y| {
                one_less_square(x).recip()
            }, |v, x, _y| v / one_less_square(x);
            /// 2ˣ, exact for integers.
            exp2, Exp2, |x| x.exp2::<I>(), Output, |_x, y| y * LN_2;
            /// The logarithm to base 2, exact for powers of 2.
            log2, Log2, |x| x.log2::<I>(), Input, |x, _y| x.recip() * LOG2_E, |v, x, _y| v * LOG2_E / x;
            /// The logarithm to base 10, exact for powers of 10.
            log10, Log10, |x| x.log10::<I>(), Input, |x, _y| x.recip() * LOG10_E, |v, x, _y| v * LOG10_E / x;
            /// The logistic function 1 / (1 + e⁻ˣ).
            #[doc(alias = "expit")]
            sigmoid, Sigmoid, |x| x.sigmoid::<I>(), Output + BOUNDED_SLOPE, |_x, y| y.clone() * (y.constant(1.0) - y);
            /// The error function 2/√π ∫₀ˣ e^(−t²) dt.
            erf, Erf, |x| x.erf::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
                let x = within_the_bell(x);
                (-(x.clone() * x)).exp() * ERF_SLOPE
            };
            /// 1 − erf x, exact for large x.
            erfc, Erfc, |x| x.erfc::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
                let x = within_the_bell(x);
                (-(x.clone() * x)).exp() * -ERF_SLOPE
            };
            /// The inverse of the error function; ±∞ at ±1, NaN outside [−1, 1].
            erfinv, Erfinv, |x| x.erfinv::<I>(), Output, |_x, y| (y.clone() * y).exp() * ERFINV_SLOPE;
            /// The standard normal distribution function Φ(x).
            ndtr, Ndtr, |x| x.ndtr::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
                let x = within_the_bell(x);
                (x.clone() * x * -0.5).exp() * NORMAL_PEAK
            };
            /// exp(x²) erfc x, which falls as 1/(√π x); ∞ for very negative x.
            erfcx, Erfcx, |x| x.erfcx::<I>(), Input, |x, _y| x.erfcx_derivative(1);
            /// ln Φ(x), also where the standard normal distribution function Φ is too small for a number.
            log_ndtr, LogNdtr, |x| x.log_ndtr::<I>(), Input, |x, _y| {
                // The density by Φ. Each form gets 0 where another is taken.
                let zero = x.constant(0.0);
                let above = within_the_bell(x.select_positive(x.clone(), zero.clone()));
                // Here −x − 1/x, to rounding; the last form needs squares.
                let far = -x.clone() - MILLS_ASYMPTOTIC;
                let below = far.select_positive(zero.clone(), x.select_positive(zero, x.clone()));
                let lowest = far.select_positive(x.clone(), x.constant(-1.0));
                let upper = (above.clone() * above.clone() * -0.5).exp() * NORMAL_PEAK / above.ndtr();
                let lower = (below * -SQRT_HALF).erfcx().recip() * MILLS_PEAK;
                far.select_positive(-lowest.recip() - lowest, x.select_positive(upper, lower))
            };
            /// The inverse of the standard normal distribution function: the quantile of a probability; NaN outside [0, 1].
            ndtri, Ndtri, |x| x.ndtri::<I>(), Output, |_x, y| (y.clone() * y * 0.5).exp() * NDTRI_SLOPE;
            /// ln|Γ(x)|, Γ being the gamma function.
            #[doc(alias = "gammaln")]
            lgamma, Lgamma, |x| x.lgamma::<I>(), Input, |x, _y| x.digamma();
            /// The digamma function ψ(x) = Γ′(x)/Γ(x); ∓∞ at ±0, NaN at negative integers.
            #[doc(alias = "psi")]
            digamma, Digamma, |x| x.digamma::<I>(), Input, |x, _y| x.polygamma(1);
            /// The exact GELU, x · Φ(x) (Hendrycks & Gimpel, 2016).
            gelu, Gelu, |x| x.gelu::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
                let x = within_the_bell(x);
                let density = (-(x.clone() * x.clone()) * 0.5).exp() * NORMAL_PEAK;
                let cumulative = (-x.clone() * SQRT_HALF).erfc() * 0.5;
                cumulative + x * density
            };
            /// ln(1 + eˣ), without overflow.
            softplus, Softplus, |x| x.softplus::<I>(), Input + BOUNDED_SLOPE, |x, _y| x.sigmoid();
        }
    };
}
pub(crate) use for_each_function;
