//! Dual numbers: a formula of one element together with its derivative.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::algebra::Real;
use crate::class::Elementwise;
use crate::ops;

/// `value + tangent·ε` with ε² = 0. A formula applied to `x + ε` gives its value and its derivative at x.
#[derive(Clone)]
pub(crate) struct Dual<A> {
    value: A,
    tangent: A,
}

/// The derivative df(z) of a function whose derivative reads one argument, and df′(z).
// Not of any closure: one that is not inlined would be compiled for the baseline, whatever loop it is in.
#[inline(always)]
pub(crate) fn slope_and_curvature<A: Real, E: Elementwise>(function: &E, z: A) -> (A, A) {
    let one = z.constant(1.0);
    let z = Dual { value: z, tangent: one };
    let Dual { value, tangent } = function.df(z.clone(), z);
    (value, tangent)
}

impl<A: Real> Dual<A> {
    /// The chain rule.
    #[inline(always)]
    fn through<E: Elementwise>(&self, function: &E) -> Self {
        let value = function.f(self.value.clone());
        let slope = function.df(self.value.clone(), value.clone());
        Dual { value, tangent: self.tangent.clone() * slope }
    }
}

impl<A: Real> Add for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<A: Real> Sub for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<A: Real> Mul for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent = self.tangent * other.value.clone() + self.value.clone() * other.tangent;
        Dual { value: self.value * other.value, tangent }
    }
}

impl<A: Real> Div for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value.clone();
        let tangent = (self.tangent - value.clone() * other.tangent) / other.value;
        Dual { value, tangent }
    }
}

impl<A: Real> Neg for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}

impl<A: Real> Add<f64> for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn add(self, number: f64) -> Self {
        Dual { value: self.value + number, tangent: self.tangent }
    }
}

impl<A: Real> Sub<f64> for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, number: f64) -> Self {
        Dual { value: self.value - number, tangent: self.tangent }
    }
}

impl<A: Real> Mul<f64> for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, number: f64) -> Self {
        Dual { value: self.value * number, tangent: self.tangent * number }
    }
}

impl<A: Real> Div<f64> for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn div(self, number: f64) -> Self {
        Dual { value: self.value / number, tangent: self.tangent / number }
    }
}

/// Methods by the chain rule, from the value and the slope that the function has as an operation.
macro_rules! functions {
    ($($name:ident: $Function:ident),*) => { $(
        #[inline(always)]
        fn $name(&self) -> Self {
            self.through(&ops::$Function)
        }
    )* };
}

impl<A: Real> Real for Dual<A> {
    functions!(exp: Exp, exp_m1: ExpM1, ln: Ln, ln_1p: Ln1p, sqrt: Sqrt, rsqrt: Rsqrt, recip: Recip, abs: Abs);
    functions!(sign: Sign, sin: Sin, cos: Cos, tan: Tan, sinh: Sinh, cosh: Cosh, tanh: Tanh);
    functions!(asin: Asin, acos: Acos, atan: Atan, sigmoid: Sigmoid, erf: Erf, erfc: Erfc);
    functions!(softplus: Softplus, gelu: Gelu);

    #[inline(always)]
    fn constant(&self, c: f64) -> Self {
        Dual { value: self.value.constant(c), tangent: self.value.constant(0.0) }
    }
    #[inline(always)]
    fn powi(&self, n: i32) -> Self {
        self.through(&ops::Powi(n))
    }
    #[inline(always)]
    fn powf(&self, y: f64) -> Self {
        self.through(&ops::Powf(y))
    }
    #[inline(always)]
    fn select_positive(&self, yes: Self, no: Self) -> Self {
        Dual {
            value: self.value.select_positive(yes.value, no.value),
            tangent: self.value.select_positive(yes.tangent, no.tangent),
        }
    }
}
