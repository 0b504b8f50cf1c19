//! Elementwise functions of one variable.

use wengert_tensor::Float;

use crate::algebra::Real;
use crate::class::{Elementwise, Reads};
use crate::code_compiled_here;
use crate::describe::Attributes;
use crate::var::Var;

/// A method on [`Var`] from the two formulas of an [`Elementwise`] function.
macro_rules! unary {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, $reads:ident $(+ $property:ident)?, |$x:ident| $f:expr, |$dx:ident, $dy:ident| $df:expr; )*) => { $(
        pub(crate) struct $Function;

        impl Elementwise for $Function {
            const NAME: &'static str = stringify!($name);
            const READS: Reads = Reads::$reads;
            $(const $property: bool = true;)?
            #[inline(always)]
            fn f<A: Real>(&self, $x: A) -> A {
                $f
            }
            #[inline(always)]
            fn df<A: Real>(&self, $dx: A, $dy: A) -> A {
                $df
            }
            code_compiled_here!($Function);
        }

        impl<T: Float> Var<T> {
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self) -> Var<T> {
                self.apply($Function)
            }
        }
    )* };
}

/// 2/√π, the slope of erf at 0.
const ERF_SLOPE: f64 = std::f64::consts::FRAC_2_SQRT_PI;
/// 1/√(2π), the height of the normal density.
const NORMAL_PEAK: f64 = 0.398_942_280_401_432_7;
const SQRT_HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;

unary! {
    /// eˣ.
    exp, Exp, Output, |x| x.exp(), |_x, y| y;
    /// eˣ − 1, exact near 0.
    exp_m1, ExpM1, Output, |x| x.exp_m1(), |_x, y| y + 1.0;
    /// The natural logarithm.
    ln, Ln, Input, |x| x.ln(), |x, _y| x.recip();
    /// ln(1 + x), exact near 0.
    ln_1p, Ln1p, Input, |x| x.ln_1p(), |x, _y| (x + 1.0).recip();
    /// √x; the derivative at 0 is +∞, as PyTorch's and JAX's.
    sqrt, Sqrt, Output, |x| x.sqrt(), |_x, y| y.recip() * 0.5;
    /// 1/√x.
    rsqrt, Rsqrt, Output, |x| x.rsqrt(), |_x, y| y.clone() * y.clone() * y * -0.5;
    /// 1/x.
    recip, Recip, Output, |x| x.recip(), |_x, y| -(y.clone() * y);
    /// x².
    square, Square, Input, |x| x.clone() * x, |x, _y| x * 2.0;
    /// |x|; the subgradient at 0 is 0.
    abs, Abs, Input + PIECEWISE_LINEAR, |x| x.abs(), |x, _y| x.sign();
    /// −1, 0 or 1; the derivative is 0 everywhere.
    sign, Sign, Input + PIECEWISE_LINEAR, |x| x.sign(), |x, _y| x.constant(0.0);
    /// sin x.
    sin, Sin, Input, |x| x.sin(), |x, _y| x.cos();
    /// cos x.
    cos, Cos, Input, |x| x.cos(), |x, _y| -x.sin();
    /// tan x.
    tan, Tan, Output, |x| x.tan(), |_x, y| y.clone() * y + 1.0;
    /// sinh x.
    sinh, Sinh, Input, |x| x.sinh(), |x, _y| x.cosh();
    /// cosh x.
    cosh, Cosh, Input, |x| x.cosh(), |x, _y| x.sinh();
    /// tanh x.
    tanh, Tanh, Output, |x| x.tanh(), |_x, y| y.constant(1.0) - y.clone() * y;
    /// arcsin x.
    asin, Asin, Input, |x| x.asin(), |x, _y| ((x.constant(1.0) - x.clone()) * (x + 1.0)).rsqrt();
    /// arccos x.
    acos, Acos, Input, |x| x.acos(), |x, _y| -((x.constant(1.0) - x.clone()) * (x + 1.0)).rsqrt();
    /// arctan x.
    atan, Atan, Input, |x| x.atan(), |x, _y| (x.clone() * x + 1.0).recip();
    /// The logistic function 1 / (1 + e⁻ˣ).
    sigmoid, Sigmoid, Output, |x| x.sigmoid(), |_x, y| y.clone() * (y.constant(1.0) - y);
    /// The error function 2/√π ∫₀ˣ e^(−t²) dt.
    erf, Erf, Input, |x| x.erf(), |x, _y| (-(x.clone() * x)).exp() * ERF_SLOPE;
    /// 1 − erf x, exact for large x.
    erfc, Erfc, Input, |x| x.erfc(), |x, _y| (-(x.clone() * x)).exp() * -ERF_SLOPE;
    /// The exact GELU, x · Φ(x) (Hendrycks & Gimpel, 2016).
    gelu, Gelu, Input, |x| x.gelu(), |x, _y| {
        let density = (-(x.clone() * x.clone()) * 0.5).exp() * NORMAL_PEAK;
        let cumulative = (-x.clone() * SQRT_HALF).erfc() * 0.5;
        cumulative + x * density
    };
    /// ln(1 + eˣ), without overflow.
    softplus, Softplus, Input, |x| x.softplus(), |x, _y| x.sigmoid();
    /// max(x, 0); NaN for NaN; the subgradient at 0 is 0.
    relu, Relu, Output + PIECEWISE_LINEAR, |x| (-x.clone()).select_positive(x.constant(0.0), x), |_x, y| y.select_zero(y.constant(0.0), y.constant(1.0));
}

pub(crate) struct Powi(pub(crate) i32);

impl Elementwise for Powi {
    const NAME: &'static str = "powi";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("exponent", self.0);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.powi(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        match self.0 {
            0 => x.constant(0.0),
            1 => x.constant(1.0),
            // There is no smaller number to raise to.
            i32::MIN => x.powi(i32::MIN) / x * f64::from(i32::MIN),
            n => x.powi(n - 1) * f64::from(n),
        }
    }
    code_compiled_here!(Powi);
}

pub(crate) struct Powf(pub(crate) f64);

impl Elementwise for Powf {
    const NAME: &'static str = "powf";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("exponent", self.0);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.powf(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        if self.0 == 0.0 { x.constant(0.0) } else { x.powf(self.0 - 1.0) * self.0 }
    }
    code_compiled_here!(Powf);
}

struct Clamp {
    low: f64,
    high: f64,
}

impl Elementwise for Clamp {
    const NAME: &'static str = "clamp";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("low", self.low);
        attributes.set("high", self.high);
    }
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.clamp(self.low, self.high)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let (zero, one) = (x.constant(0.0), x.constant(1.0));
        let below = (-x.clone() + self.low).select_positive(zero.clone(), one);
        (x - self.high).select_positive(zero, below)
    }
    code_compiled_here!(Clamp);
}

impl<T: Float> Var<T> {
    /// xⁿ.
    #[track_caller]
    pub fn powi(&self, n: i32) -> Var<T> {
        if n == 2 { self.square() } else { self.apply(Powi(n)) }
    }

    /// xʸ for a number y; NaN for negative x unless y is an integer.
    #[doc(alias = "pow")]
    #[track_caller]
    pub fn powf(&self, y: f64) -> Var<T> {
        self.apply(Powf(y))
    }

    /// x limited to `low..=high`; the derivative is 1 inside and on the limits, 0 outside.
    ///
    /// # Panics
    /// If `low > high` or either is NaN.
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Var<T> {
        assert!(low <= high, "clamp: the lower limit {low} is not below the upper limit {high}");
        self.apply(Clamp { low, high })
    }
}

/// Formulas on variables are the methods above, recorded; an unused gradient path costs nothing.
impl<T: Float> Real for Var<T> {
    fn constant(&self, c: f64) -> Self {
        // Without axes: it broadcasts to whatever it meets, at no cost in memory.
        Var::scalar(T::from_f64(c))
    }
    fn exp(&self) -> Self {
        Var::exp(self)
    }
    fn exp_m1(&self) -> Self {
        Var::exp_m1(self)
    }
    fn ln(&self) -> Self {
        Var::ln(self)
    }
    fn ln_1p(&self) -> Self {
        Var::ln_1p(self)
    }
    fn sqrt(&self) -> Self {
        Var::sqrt(self)
    }
    fn rsqrt(&self) -> Self {
        Var::rsqrt(self)
    }
    fn recip(&self) -> Self {
        Var::recip(self)
    }
    fn powi(&self, n: i32) -> Self {
        Var::powi(self, n)
    }
    fn powf(&self, y: f64) -> Self {
        Var::powf(self, y)
    }
    fn abs(&self) -> Self {
        Var::abs(self)
    }
    fn sign(&self) -> Self {
        Var::sign(self)
    }
    fn sin(&self) -> Self {
        Var::sin(self)
    }
    fn cos(&self) -> Self {
        Var::cos(self)
    }
    fn tan(&self) -> Self {
        Var::tan(self)
    }
    fn sinh(&self) -> Self {
        Var::sinh(self)
    }
    fn cosh(&self) -> Self {
        Var::cosh(self)
    }
    fn tanh(&self) -> Self {
        Var::tanh(self)
    }
    fn asin(&self) -> Self {
        Var::asin(self)
    }
    fn acos(&self) -> Self {
        Var::acos(self)
    }
    fn atan(&self) -> Self {
        Var::atan(self)
    }
    fn sigmoid(&self) -> Self {
        Var::sigmoid(self)
    }
    fn erf(&self) -> Self {
        Var::erf(self)
    }
    fn erfc(&self) -> Self {
        Var::erfc(self)
    }
    fn softplus(&self) -> Self {
        Var::softplus(self)
    }
    fn gelu(&self) -> Self {
        Var::gelu(self)
    }
    fn select_positive(&self, yes: Self, no: Self) -> Self {
        Var::select_where(self.gt(0.0), &yes, &no)
    }
    fn select_zero(&self, yes: Self, no: Self) -> Self {
        Var::select_where(self.equal(0.0), &yes, &no)
    }
    fn clamp(&self, low: f64, high: f64) -> Self {
        Var::clamp(self, low, high)
    }
}
