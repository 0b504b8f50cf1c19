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
            exp_m1, ExpM1, |x| x.exp_m1::<I>(), Output, |_x, y| y + 1.0;
            /// The natural logarithm.
            ln, Ln, |x| x.ln::<I>(), Input, |x, _y| x.recip(), |v, x, _y| v / x;
            /// ln(1 + x), exact near 0.
            ln_1p, Ln1p, |x| x.ln_1p::<I>(), Input, |x, _y| (x + 1.0).recip();
            /// √x; the derivative at 0 is +∞, as PyTorch's and JAX's.
            sqrt, Sqrt, |x| x.sqrt(), Output, |_x, y| y.recip() * 0.5;
            /// 1/√x.
            rsqrt, Rsqrt, |x| x.rsqrt::<I>(), Output, |_x, y| y.clone() * y.clone() * y * -0.5, |v, _x, y| v * y.clone() * y.clone() * (y * -0.5);
            /// 1/x.
            recip, Recip, |x| T::ONE / x, Output, |_x, y| -(y.clone() * y), |v, _x, y| -(v * y.clone() * y);
            /// |x|; the subgradient at 0 is 0.
            abs, Abs, |x| x.abs(), Input + PIECEWISE_LINEAR, |x, _y| x.sign();
            /// −1, 0 or 1; the derivative is 0 everywhere.
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
            asin, Asin, |x| x.asin::<I>(), Input, |x, _y| {
                ((x.constant(1.0) - x.clone()) * (x + 1.0)).rsqrt()
            };
            /// arccos x.
            acos, Acos, |x| x.acos::<I>(), Input, |x, _y| {
                -((x.constant(1.0) - x.clone()) * (x + 1.0)).rsqrt()
            };
            /// arctan x.
            atan, Atan, |x| x.atan::<I>(), Input + BOUNDED_SLOPE, |x, _y| (x.clone() * x + 1.0).recip();
            /// The logistic function 1 / (1 + e⁻ˣ).
            sigmoid, Sigmoid, |x| x.sigmoid::<I>(), Output + BOUNDED_SLOPE, |_x, y| y.clone() * (y.constant(1.0) - y);
            /// The error function 2/√π ∫₀ˣ e^(−t²) dt.
            erf, Erf, |x| x.erf::<I>(), Input + BOUNDED_SLOPE, |x, _y| (-(x.clone() * x)).exp() * ERF_SLOPE;
            /// 1 − erf x, exact for large x.
            erfc, Erfc, |x| x.erfc::<I>(), Input + BOUNDED_SLOPE, |x, _y| (-(x.clone() * x)).exp() * -ERF_SLOPE;
            /// The exact GELU, x · Φ(x) (Hendrycks & Gimpel, 2016).
            gelu, Gelu, |x| x.gelu::<I>(), Input + BOUNDED_SLOPE, |x, _y| {
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
