//! Dual numbers: a formula of one element together with its derivative.

#![allow(clippy::manual_map, reason = "a closure that is not inlined would be compiled for the baseline")]

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::algebra::{Real, for_each_function};
use crate::class::Elementwise;
use crate::ops;

/// `value + tangent·ε` with ε² = 0. A formula applied to `x + ε` gives its value and its derivative at x.
///
/// What does not depend on x has no tangent, which is less than a tangent of 0: a product with one that is infinite
/// or NaN would be NaN. In a vectorised loop it is known when compiling, and costs nothing.
#[derive(Clone)]
pub(crate) struct Dual<A> {
    value: A,
    tangent: Option<A>,
}

/// `v · df(z)` of a function whose derivative reads one argument, for v and z that move: its tangent
/// `v̇ · df(z) + v · df′(z)` for ż = 1, in which both have their common part once.
// Not of any closure: one that is not inlined would be compiled for the baseline, whatever loop it is in.
#[inline(always)]
pub(crate) fn tangent_of_slope<A: Real, E: Elementwise>(function: &E, v: A, t_v: Option<A>, z: A) -> A {
    let one = z.constant(1.0);
    let zero = z.constant(0.0);
    let z = Dual { value: z, tangent: Some(one) };
    match function.times_df(Dual { value: v, tangent: t_v }, z.clone(), z).tangent {
        Some(tangent) => tangent,
        None => zero,
    }
}

impl<A: Real> Dual<A> {
    /// The chain rule.
    #[inline(always)]
    fn through<E: Elementwise>(&self, function: &E) -> Self {
        let value = function.f(self.value.clone());
        let tangent = match &self.tangent {
            Some(t) if !E::FLAT => Some(function.times_df(t.clone(), self.value.clone(), value.clone())),
            _ => None,
        };
        Dual { value, tangent }
    }

    /// One of two, the same for value and tangent.
    #[inline(always)]
    fn either(yes: Self, no: Self, select: impl Selection<A>) -> Self {
        let tangent = match (yes.tangent, no.tangent) {
            (None, None) => None,
            (Some(a), Some(b)) => Some(select.of(a, b)),
            (Some(a), None) => {
                let zero = a.constant(0.0);
                Some(select.of(a, zero))
            }
            (None, Some(b)) => {
                let zero = b.constant(0.0);
                Some(select.of(zero, b))
            }
        };
        Dual { value: select.of(yes.value, no.value), tangent }
    }
}

/// A choice by a number.
trait Selection<A> {
    fn of(&self, yes: A, no: A) -> A;
}

struct Positive<A>(A);
struct Zero<A>(A);

impl<A: Real> Selection<A> for Positive<A> {
    #[inline(always)]
    fn of(&self, yes: A, no: A) -> A {
        self.0.select_positive(yes, no)
    }
}

impl<A: Real> Selection<A> for Zero<A> {
    #[inline(always)]
    fn of(&self, yes: A, no: A) -> A {
        self.0.select_zero(yes, no)
    }
}

/// a + b of tangents.
#[inline(always)]
fn sum<A: Real>(a: Option<A>, b: Option<A>) -> Option<A> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (Some(a), None) => Some(a),
        (None, b) => b,
    }
}

/// t · c.
#[inline(always)]
fn scaled<A: Real>(t: Option<A>, c: A) -> Option<A> {
    match t {
        Some(t) => Some(t * c),
        None => None,
    }
}

#[inline(always)]
fn negated<A: Real>(t: Option<A>) -> Option<A> {
    match t {
        Some(t) => Some(-t),
        None => None,
    }
}

impl<A: Real> Add for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, tangent: sum(self.tangent, other.tangent) }
    }
}

impl<A: Real> Sub for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, tangent: sum(self.tangent, negated(other.tangent)) }
    }
}

impl<A: Real> Mul for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let tangent =
            sum(scaled(self.tangent, other.value.clone()), scaled(other.tangent, self.value.clone()));
        Dual { value: self.value * other.value, tangent }
    }
}

impl<A: Real> Div for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value.clone();
        let change = sum(self.tangent, negated(scaled(other.tangent, value.clone())));
        let tangent = match change {
            Some(change) => Some(change / other.value),
            None => None,
        };
        Dual { value, tangent }
    }
}

impl<A: Real> Neg for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: negated(self.tangent) }
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
        let tangent = match self.tangent {
            Some(t) => Some(t * number),
            None => None,
        };
        Dual { value: self.value * number, tangent }
    }
}

impl<A: Real> Div<f64> for Dual<A> {
    type Output = Self;
    #[inline(always)]
    fn div(self, number: f64) -> Self {
        let tangent = match self.tangent {
            Some(t) => Some(t / number),
            None => None,
        };
        Dual { value: self.value / number, tangent }
    }
}

/// Methods by the chain rule, from the value and the slope that the function has as an operation.
macro_rules! chained {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => { $(
        #[inline(always)]
        fn $name(&self) -> Self {
            self.through(&ops::$Function)
        }
    )* };
}

impl<A: Real> Real for Dual<A> {
    for_each_function!(chained);

    #[inline(always)]
    fn constant(&self, c: f64) -> Self {
        Dual { value: self.value.constant(c), tangent: None }
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
    fn polygamma(&self, n: u32) -> Self {
        self.through(&ops::Polygamma(n))
    }
    #[inline(always)]
    fn sinc_derivative(&self, n: u32) -> Self {
        self.through(&ops::SincDerivative(n))
    }
    #[inline(always)]
    fn bessel_i(&self, n: u32, scaled: bool) -> Self {
        self.through(&ops::BesselI { order: n, scaled })
    }
    #[inline(always)]
    fn erfcx_derivative(&self, n: u32) -> Self {
        self.through(&ops::ErfcxDerivative(n))
    }
    #[inline(always)]
    fn select_positive(&self, yes: Self, no: Self) -> Self {
        Self::either(yes, no, Positive(self.value.clone()))
    }
    #[inline(always)]
    fn select_zero(&self, yes: Self, no: Self) -> Self {
        Self::either(yes, no, Zero(self.value.clone()))
    }
}
