//! Elementwise functions of one variable.

use std::f64::consts::{LN_2, LOG2_E, LOG10_E};

use wengert_tensor::{Float, Tensor};

use super::orders::{BesselI, ErfcxDerivative, Polygamma, SincDerivative};
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
