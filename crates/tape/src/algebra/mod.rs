//! The algebra in which formulas of one element are written once, for numbers and for variables.

mod dual;
mod functions;
mod term;

pub(crate) use dual::tangent_of_slope;
pub(crate) use functions::for_each_function;
pub(crate) use term::{Term, evaluate};

use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

/// The methods of the algebra, from the list of functions.
macro_rules! declared {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => { $(
        $(#[$doc])*
        fn $name(&self) -> Self;
    )* };
}

/// What a formula of one element computes with: a number inside a vectorised loop, or a whole [`Var`](crate::Var)
/// when the formula itself is being differentiated.
///
/// Functions that are not smooth everywhere take these values where they have no derivative: `abs` and `sign`
/// have slope 0 at 0, the selections the slope of the branch they take.
///
/// ```
/// use wengert_tape::{Elementwise, Real, Var, grad};
/// /// ln(1 + x²), whose derivatives of every order come of the two formulas.
/// #[derive(Clone)]
/// struct LogLorentz;
/// impl Elementwise for LogLorentz {
///     fn f<A: Real>(&self, x: A) -> A { (x.clone() * x + 1.0).ln() }
///     fn df<A: Real>(&self, x: A, _y: A) -> A { x.clone() * 2.0 / (x.clone() * x + 1.0) }
/// }
/// let slope = |x: &Var<f64>| grad(|x: &Var<f64>| x.apply(LogLorentz).sum(), x);
/// assert_eq!(slope(&Var::from([1.0])).item(), 1.0);
/// assert_eq!(grad(|x: &Var<f64>| slope(x).sum(), &Var::from([0.0])).item(), 2.0);
/// ```
pub trait Real:
    Clone
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The number `c`, wherever `self` has an element.
    fn constant(&self, c: f64) -> Self;
    for_each_function!(declared);

    /// xⁿ.
    fn powi(&self, n: i32) -> Self;
    /// xʸ for a number y.
    fn powf(&self, y: f64) -> Self;
    /// ψ⁽ⁿ⁾(x), the n-th derivative of the digamma function.
    fn polygamma(&self, n: u32) -> Self;
    /// The n-th derivative of sin πx/(πx).
    fn sinc_derivative(&self, n: u32) -> Self;
    /// The modified Bessel function Iₙ(x), or exp(−|x|) Iₙ(x) if `scaled`.
    fn bessel_i(&self, n: u32, scaled: bool) -> Self;
    /// The n-th derivative of erfcx x = exp(x²) erfc x.
    fn erfcx_derivative(&self, n: u32) -> Self;
    /// `yes` where x > 0, else `no`. What is not taken does not matter, not even if it is NaN.
    fn select_positive(&self, yes: Self, no: Self) -> Self;
    /// `yes` where x is 0, else `no`, also where x is NaN. What is not taken does not matter.
    fn select_zero(&self, yes: Self, no: Self) -> Self;
    /// x limited to `low..=high`, NaN for NaN; the slope is 1 inside and on the limits, 0 outside.
    #[inline(always)]
    fn clamp(&self, low: f64, high: f64) -> Self {
        // The tests are written so that a NaN fails both and stays.
        let above = (self.clone() - high).select_positive(self.constant(high), self.clone());
        (-self.clone() + low).select_positive(self.constant(low), above)
    }
}

/// A number inside a loop that is compiled for the instruction set `I`.
///
/// ```
/// use wengert_tape::{Lane, Real};
/// use wengert_tensor::simd::Baseline;
/// fn logistic<A: Real>(x: A) -> A { x.constant(1.0) / ((-x).exp() + 1.0) }
/// // A formula of variables computes on numbers too.
/// assert_eq!(logistic(Lane::<f64, Baseline>::new(0.0)).0, 0.5);
/// ```
#[derive(Debug)]
pub struct Lane<T, I>(pub T, PhantomData<I>);

impl<T, I> Lane<T, I> {
    /// Wraps a number.
    #[inline(always)]
    pub fn new(x: T) -> Self {
        Lane(x, PhantomData)
    }
}

impl<T: Copy, I> Clone for Lane<T, I> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy, I> Copy for Lane<T, I> {}

macro_rules! operator {
    ($Trait:ident, $method:ident, $op:tt) => {
        impl<T: Float, I> $Trait for Lane<T, I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Lane::new(self.0 $op other.0)
            }
        }
        impl<T: Float, I> $Trait<f64> for Lane<T, I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, number: f64) -> Self {
                Lane::new(self.0 $op T::from_f64(number))
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<T: Float, I> Neg for Lane<T, I> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lane::new(-self.0)
    }
}

/// The methods of numbers, from the list of functions.
macro_rules! computed {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => { $(
        #[inline(always)]
        fn $name(&self) -> Self {
            let $n = self.0;
            Lane::new($number)
        }
    )* };
}

impl<T: Float, I: Isa> Real for Lane<T, I> {
    for_each_function!(computed);

    #[inline(always)]
    fn constant(&self, c: f64) -> Self {
        Lane::new(T::from_f64(c))
    }
    #[inline(always)]
    fn powi(&self, n: i32) -> Self {
        Lane::new(wengert_tensor::integer_power(self.0, n))
    }
    #[inline(always)]
    fn powf(&self, y: f64) -> Self {
        Lane::new(self.0.powf::<I>(T::from_f64(y)))
    }
    #[inline(always)]
    fn polygamma(&self, n: u32) -> Self {
        Lane::new(self.0.polygamma::<I>(n))
    }
    #[inline(always)]
    fn sinc_derivative(&self, n: u32) -> Self {
        Lane::new(self.0.sinc_derivative::<I>(n))
    }
    #[inline(always)]
    fn bessel_i(&self, n: u32, scaled: bool) -> Self {
        Lane::new(self.0.bessel_i::<I>(n, scaled))
    }
    #[inline(always)]
    fn erfcx_derivative(&self, n: u32) -> Self {
        Lane::new(self.0.erfcx_derivative::<I>(n))
    }
    #[inline(always)]
    fn select_positive(&self, yes: Self, no: Self) -> Self {
        if self.0 > T::ZERO { yes } else { no }
    }
    #[inline(always)]
    fn select_zero(&self, yes: Self, no: Self) -> Self {
        if self.0 == T::ZERO { yes } else { no }
    }
}
