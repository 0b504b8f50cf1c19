//! Elementwise functions of one variable.

use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

use wengert_tensor::{Float, Tensor};

use crate::algebra::{Real, for_each_function};
use crate::class::{Elementwise, Reads, by_formula};
use crate::code_compiled_here;
use crate::describe::Attributes;
use crate::var::Var;

/// A method on [`Var`] from the two formulas of an [`Elementwise`] function.
macro_rules! unary {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, $reads:ident $(+ $property:ident)?, |$x:ident| $f:expr, |$dx:ident, $dy:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)? $(, by $method:ident)?; )*) => { $(
        #[derive(Clone)]
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
            $(
                #[inline(always)]
                fn times_df<A: Real>(&self, $v: A, $tx: A, $ty: A) -> A {
                    $times
                }
            )?
            $(
                #[track_caller]
                fn value<T: Float>(&self, x: &Tensor<T>) -> Tensor<T> {
                    x.$method()
                }
            )?
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
/// √(2/π), the slope of ln Φ at 0.
const MILLS_PEAK: f64 = 0.797_884_560_802_865_4;
const SQRT_HALF: f64 = std::f64::consts::FRAC_1_SQRT_2;
/// √π/2, the slope of the inverse of erf at 0.
const ERFINV_SLOPE: f64 = 0.886_226_925_452_758;
/// √(2π), the slope of the inverse of Φ at ½.
const NDTRI_SLOPE: f64 = 2.506_628_274_631_000_5;

/// Beyond this, ln Φ(−x) has the slope x + 1/x.
const MILLS_ASYMPTOTIC: f64 = 1e9;
/// Beyond this, the normal density and all its derivatives are less than any number.
const BELL: f64 = 40.0;

/// x, or where the normal density is 0 the nearest number where it is, too: squares are then finite, and what they are
/// multiplied by is.
#[inline(always)]
fn within_the_bell<A: Real>(x: A) -> A {
    x.clamp(-BELL, BELL)
}

/// 1 − x², which near ±1 is a product, and near 0 not: whose derivative would be the difference of its factors.
#[inline(always)]
fn one_less_square<A: Real>(x: A) -> A {
    let one = x.constant(1.0);
    let far = (one.clone() - x.clone()) * (x.clone() + 1.0);
    (-x.abs() + 0.5).select_positive(one - x.clone() * x, far)
}

/// The functions that formulas may use, as operations.
macro_rules! listed {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => {
        unary! { $(
            $(#[$doc])*
            $name, $Function, $reads $(+ $property)?, |x| x.$name(), |$x, $y| $df $(, |$v, $tx, $ty| $times)?, by $name;
        )* }

        /// The functions as methods of tensors. Where those have a method of that name, it goes before this one, so that its
        /// loop, of the same formula, is not compiled twice.
        #[allow(dead_code, reason = "tensors have some of them")]
        trait OfElements {
            $(fn $name(&self) -> Self;)*
        }

        impl<T: Float> OfElements for Tensor<T> { $(
            #[track_caller]
            fn $name(&self) -> Self {
                by_formula(&$Function, self)
            }
        )* }
    };
}
for_each_function!(listed);

// Functions that are made of those.
unary! {
    /// x².
    square, Square, Input, |x| x.clone() * x, |x, _y| x * 2.0;
    /// max(x, 0); NaN for NaN; the subgradient at 0 is 0.
    relu, Relu, Output + PIECEWISE_LINEAR, |x| (-x.clone()).select_positive(x.constant(0.0), x), |_x, y| y.select_zero(y.constant(0.0), y.constant(1.0));
    /// ln sigmoid x = −ln(1 + e⁻ˣ), without overflow.
    #[doc(alias = "logsigmoid")]
    log_sigmoid, LogSigmoid, Input + BOUNDED_SLOPE, |x| -(-x).softplus(), |x, _y| (-x).sigmoid();
    /// ln(x/(1 − x)), the inverse of the logistic function; NaN outside [0, 1]. PyTorch's `eps` is a
    /// [`clamp`](Var::clamp) to `eps..=1 − eps` before.
    logit, Logit, Input, |x| {
        // 2x − 1 is exact where it is used.
        let near = ((x.clone() * 2.0) - 1.0).atanh() * 2.0;
        (-x.clone() + 0.25).select_positive(x.ln() - (-x).ln_1p(), near)
    }, |x, _y| (x.clone() * (x.constant(1.0) - x)).recip(), |v, x, _y| v / (x.constant(1.0) - x.clone()) / x;
    /// −x ln x, the entropy of a probability: 0 at 0, −∞ below. The derivative at 0 is +∞.
    entr, Entr, Input, |x| {
        let below = (-x.clone()).select_positive(x.constant(f64::NEG_INFINITY), -(x.clone() * x.ln()));
        x.select_zero(x.constant(0.0), below)
    }, |x, _y| -(x.ln() + 1.0);
}

/// x⁰: 1, also for NaN, and flat.
#[derive(Clone)]
struct ZerothPower;

impl Elementwise for ZerothPower {
    const NAME: &'static str = "pow";
    const READS: Reads = Reads::Input;
    const PIECEWISE_LINEAR: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.constant(1.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.constant(0.0)
    }
    code_compiled_here!(ZerothPower);
}

#[derive(Clone)]
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
        if self.0 == i32::MIN {
            // There is no smaller number to raise to.
            return x.powi(i32::MIN) / x * f64::from(i32::MIN);
        }
        // Of x⁰ any power will do that is finite everywhere.
        let n = if self.0 == 0 { 0 } else { self.0 - 1 };
        x.powi(n) * f64::from(self.0)
    }
    /// Of a negative power in two halves: each is a number wherever `v` and the product are.
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, y: A) -> A {
        if self.0 >= 0 || self.0 == i32::MIN {
            return v * self.df(x, y);
        }
        let (half, odd) = ((self.0 - 1) / 2, self.0 % 2 == 0);
        let product = v * x.powi(half) * f64::from(self.0) * x.powi(half);
        if odd { product / x } else { product }
    }
    code_compiled_here!(Powi);
}

#[derive(Clone)]
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
        let y = if self.0 == 0.0 { 0.0 } else { self.0 - 1.0 };
        x.powf(y) * self.0
    }
    /// Of a negative power by the power itself, which is a number where its slope may be none. A power that is no whole number
    /// is that of +0 also at −0, and so is its slope.
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, y: A) -> A {
        if self.0 >= 0.0 {
            return v * self.df(x, y);
        }
        let power = v * x.powf(self.0) * self.0;
        if self.0 == self.0.trunc() { power / x } else { power / (x + 0.0) }
    }
    code_compiled_here!(Powf);
}

/// The power ½, which is √x but for +0 at −0 and ∞ at −∞.
#[derive(Clone)]
struct PowerOfHalf;

impl Elementwise for PowerOfHalf {
    const NAME: &'static str = "powf";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("exponent", 0.5);
    }
    const READS: Reads = Reads::Output;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.recip().select_zero(x.constant(f64::INFINITY), (x + 0.0).sqrt())
    }
    #[inline(always)]
    fn df<A: Real>(&self, _: A, y: A) -> A {
        y.recip() * 0.5
    }
    code_compiled_here!(PowerOfHalf);
}

/// ψ⁽ⁿ⁾.
#[derive(Clone)]
pub(crate) struct Polygamma(pub(crate) u32);

impl Elementwise for Polygamma {
    const NAME: &'static str = "polygamma";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("n", self.0 as usize);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.polygamma(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.polygamma(self.0 + 1)
    }
    code_compiled_here!(Polygamma);
}

/// A derivative of sin πx/(πx).
#[derive(Clone)]
pub(crate) struct SincDerivative(pub(crate) u32);

impl Elementwise for SincDerivative {
    const NAME: &'static str = "sinc";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("derivative", self.0 as usize);
    }
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.sinc_derivative(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.sinc_derivative(self.0 + 1)
    }
    code_compiled_here!(SincDerivative);
}

/// A modified Bessel function Iₙ, or exp(−|x|) Iₙ.
#[derive(Clone)]
pub(crate) struct BesselI {
    pub(crate) order: u32,
    pub(crate) scaled: bool,
}

impl Elementwise for BesselI {
    const NAME: &'static str = "bessel_i";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("order", self.order as usize);
        attributes.set("scaled", self.scaled);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.bessel_i(self.order, self.scaled)
    }
    /// Iₙ′ = (Iₙ₋₁ + Iₙ₊₁)/2, with I₋₁ = I₁; scaled less the function itself times the sign.
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        let (n, scaled) = (self.order, self.scaled);
        let slope = if n == 0 {
            x.bessel_i(1, scaled)
        } else {
            (x.bessel_i(n - 1, scaled) + x.bessel_i(n + 1, scaled)) * 0.5
        };
        if scaled { slope - x.sign() * x.bessel_i(n, true) } else { slope }
    }
    code_compiled_here!(BesselI);
}

/// A derivative of erfcx.
#[derive(Clone)]
pub(crate) struct ErfcxDerivative(pub(crate) u32);

impl Elementwise for ErfcxDerivative {
    const NAME: &'static str = "erfcx";
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("derivative", self.0 as usize);
    }
    const READS: Reads = Reads::Input;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.erfcx_derivative(self.0)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, _: A) -> A {
        x.erfcx_derivative(self.0 + 1)
    }
    code_compiled_here!(ErfcxDerivative);
}

#[derive(Clone)]
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
        match n {
            0 => self.apply(ZerothPower),
            2 => self.square(),
            n => self.apply(Powi(n)),
        }
    }

    /// xʸ for a number y; NaN for negative x unless y is an integer. Exact to rounding for the powers that have a
    /// simpler name: −1, ½, 1 and 2.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert!((Var::from([8.0f64]).powf(1.0 / 3.0).item() - 2.0).abs() < 1e-15);
    /// ```
    #[doc(alias = "pow")]
    #[doc(alias = "float_power")]
    #[track_caller]
    pub fn powf(&self, y: f64) -> Var<T> {
        match y {
            -1.0 => self.recip(),
            0.0 => self.apply(ZerothPower),
            0.5 => self.apply(PowerOfHalf),
            1.0 => self.clone(),
            2.0 => self.square(),
            y => self.apply(Powf(y)),
        }
    }

    /// ψ⁽ⁿ⁾(x), the n-th derivative of the [digamma](Var::digamma) function, which is that of n = 0: trigamma is
    /// `polygamma(1)`.
    ///
    /// # Panics
    /// If `n` exceeds 100.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use std::f64::consts::PI;
    /// assert!((Var::from([1.0f64]).polygamma(1).item() - PI * PI / 6.0).abs() < 1e-14);
    /// ```
    #[track_caller]
    pub fn polygamma(&self, n: u32) -> Var<T> {
        assert!(n <= 100, "polygamma: the order {n} is above 100");
        self.apply(Polygamma(n))
    }

    /// sin πx/(πx), 1 at 0, and exactly 0 at the other integers and at ±∞.
    #[track_caller]
    pub fn sinc(&self) -> Var<T> {
        self.apply(SincDerivative(0))
    }

    /// The modified Bessel function I₀ of the first kind.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::from([0.0f64, 2.0]);
    /// assert_eq!(x.i0().value().at([0]), 1.0);
    /// assert_eq!(grad(|x: &Var<f64>| x.i0().sum(), &x).value(), x.i1().value());
    /// ```
    #[doc(alias = "bessel_i0")]
    #[doc(alias = "modified_bessel_i0")]
    #[track_caller]
    pub fn i0(&self) -> Var<T> {
        self.apply(BesselI { order: 0, scaled: false })
    }

    /// exp(−|x|) I₀(x), which does not overflow; the derivative at 0 is 0, between those of both sides.
    #[doc(alias = "bessel_i0e")]
    #[track_caller]
    pub fn i0e(&self) -> Var<T> {
        self.apply(BesselI { order: 0, scaled: true })
    }

    /// The modified Bessel function I₁ of the first kind.
    #[doc(alias = "bessel_i1")]
    #[doc(alias = "modified_bessel_i1")]
    #[track_caller]
    pub fn i1(&self) -> Var<T> {
        self.apply(BesselI { order: 1, scaled: false })
    }

    /// exp(−|x|) I₁(x), which does not overflow.
    #[doc(alias = "bessel_i1e")]
    #[track_caller]
    pub fn i1e(&self) -> Var<T> {
        self.apply(BesselI { order: 1, scaled: true })
    }

    /// The logarithm of the multivariate gamma function of dimension p:
    /// p (p − 1)/4 · ln π + Σⱼ ln Γ(x − j/2) for j from 0 to p − 1. NaN or infinite unless x > (p − 1)/2.
    ///
    /// # Panics
    /// If `p` is 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::scalar(3.5f64);
    /// assert_eq!(x.multigammaln(1).item(), x.lgamma().item());
    /// ```
    #[doc(alias = "mvlgamma")]
    #[track_caller]
    pub fn multigammaln(&self, p: usize) -> Var<T> {
        assert!(p > 0, "multigammaln: the dimension 0");
        let of = |j: usize| (self - 0.5 * j as f64).lgamma();
        let sum = (1..p).fold(of(0), |sum, j| sum + of(j));
        sum + 0.25 * (p * (p - 1)) as f64 * std::f64::consts::PI.ln()
    }

    /// x limited to `low..=high`; the derivative is 1 inside and on the limits, 0 outside.
    ///
    /// # Panics
    /// If `low > high` or either is NaN.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([-2.0f64, 0.5, 9.0]).clamp(-1.0, 1.0).value().to_vec(), [-1.0, 0.5, 1.0]);
    /// ```
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Var<T> {
        assert!(low <= high, "clamp: the lower limit {low} is not below the upper limit {high}");
        self.apply(Clamp { low, high })
    }
}

/// The methods of variables in formulas.
macro_rules! recorded {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => { $(
        fn $name(&self) -> Self {
            Var::$name(self)
        }
    )* };
}

/// Formulas on variables are the methods above, recorded; an unused gradient path costs nothing.
impl<T: Float> Real for Var<T> {
    fn constant(&self, c: f64) -> Self {
        // Without axes: it broadcasts to whatever it meets, at no cost in memory.
        Var::scalar(T::from_f64(c))
    }
    for_each_function!(recorded);

    fn powi(&self, n: i32) -> Self {
        Var::powi(self, n)
    }
    fn powf(&self, y: f64) -> Self {
        Var::powf(self, y)
    }
    fn polygamma(&self, n: u32) -> Self {
        self.apply(Polygamma(n))
    }
    fn sinc_derivative(&self, n: u32) -> Self {
        self.apply(SincDerivative(n))
    }
    fn bessel_i(&self, n: u32, scaled: bool) -> Self {
        self.apply(BesselI { order: n, scaled })
    }
    fn erfcx_derivative(&self, n: u32) -> Self {
        self.apply(ErfcxDerivative(n))
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
