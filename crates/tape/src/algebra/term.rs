//! Variables in formulas, as numbers in a list: a formula is compiled once, and not for each type of elements.
//!
//! A formula of [`Var`]s would be long code, since each of its operations makes a variable that has to be dropped. A [`Term`]
//! is a number that can be copied, and what computes with it is behind a pointer.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

use wengert_tensor::{Float, compiled_here};

use crate::algebra::{Real, for_each_function};
use crate::var::Var;

/// A variable that a formula has computed.
#[derive(Clone, Copy)]
pub(crate) struct Term<'a> {
    number: usize,
    terms: &'a dyn Terms,
}

/// A formula that was given a name for each of its variables.
pub(crate) type Formula<'f, const N: usize> = dyn for<'a> Fn([Term<'a>; N]) -> Term<'a> + 'f;

/// The formula of these variables, recorded where they are.
#[inline(never)]
pub(crate) fn evaluate<T: Float, const N: usize>(inputs: [Var<T>; N], formula: &Formula<'_, N>) -> Var<T> {
    let terms = RefCell::new(Vec::from(inputs));
    let Term { number, .. } = formula(std::array::from_fn(|number| Term { number, terms: &terms }));
    terms.into_inner().swap_remove(number)
}

/// The variables of a formula, in the order in which they are computed.
trait Terms {
    /// Computes one more, of variable `x`, and gives its number.
    fn step(&self, x: usize, step: Step) -> usize;
}

/// What is computed of a variable; further variables by their numbers.
#[derive(Clone, Copy)]
enum Step {
    Constant(f64),
    Neg,
    Add(usize),
    Sub(usize),
    Mul(usize),
    Div(usize),
    AddNumber(f64),
    SubNumber(f64),
    MulNumber(f64),
    DivNumber(f64),
    Function(Function),
    Powi(i32),
    Powf(f64),
    Polygamma(u32),
    SincDerivative(u32),
    BesselI(u32, bool),
    ErfcxDerivative(u32),
    SelectPositive(usize, usize),
    SelectZero(usize, usize),
    Clamp(f64, f64),
}

/// The functions by name, from the list of them.
macro_rules! named {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => {
        #[derive(Clone, Copy)]
        enum Function { $($Function,)* }

        fn call<T: Float>(function: Function, x: &Var<T>) -> Var<T> {
            match function { $(Function::$Function => x.$name(),)* }
        }
    };
}
for_each_function!(named);

impl<T: Float> Terms for RefCell<Vec<Var<T>>> {
    fn step(&self, x: usize, step: Step) -> usize {
        let computed = computed(&self.borrow(), x, step);
        let mut terms = self.borrow_mut();
        terms.push(computed);
        terms.len() - 1
    }
}

compiled_here! {
    fn computed<T: Float>(terms: &[Var<T>], x: usize, step: Step) -> Var<T> {
        let x = &terms[x];
        match step {
            Step::Constant(c) => x.constant(c),
            Step::Neg => -x,
            Step::Add(y) => x + &terms[y],
            Step::Sub(y) => x - &terms[y],
            Step::Mul(y) => x * &terms[y],
            Step::Div(y) => x / &terms[y],
            Step::AddNumber(c) => x + c,
            Step::SubNumber(c) => x - c,
            Step::MulNumber(c) => x * c,
            Step::DivNumber(c) => x / c,
            Step::Function(function) => call(function, x),
            Step::Powi(n) => Real::powi(x, n),
            Step::Powf(y) => Real::powf(x, y),
            Step::Polygamma(n) => Real::polygamma(x, n),
            Step::SincDerivative(n) => Real::sinc_derivative(x, n),
            Step::BesselI(n, scaled) => Real::bessel_i(x, n, scaled),
            Step::ErfcxDerivative(n) => Real::erfcx_derivative(x, n),
            Step::SelectPositive(yes, no) => x.select_positive(terms[yes].clone(), terms[no].clone()),
            Step::SelectZero(yes, no) => x.select_zero(terms[yes].clone(), terms[no].clone()),
            Step::Clamp(low, high) => Real::clamp(x, low, high),
        }
    }
}

impl Term<'_> {
    #[inline(never)]
    fn step(self, step: Step) -> Self {
        Term { number: self.terms.step(self.number, step), terms: self.terms }
    }
}

macro_rules! operator {
    ($Trait:ident, $method:ident, $OfNumber:ident) => {
        impl $Trait for Term<'_> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.step(Step::$Trait(other.number))
            }
        }
        impl $Trait<f64> for Term<'_> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, number: f64) -> Self {
                self.step(Step::$OfNumber(number))
            }
        }
    };
}
operator!(Add, add, AddNumber);
operator!(Sub, sub, SubNumber);
operator!(Mul, mul, MulNumber);
operator!(Div, div, DivNumber);

impl Neg for Term<'_> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.step(Step::Neg)
    }
}

/// The methods of the algebra, from the list of functions.
macro_rules! steps {
    ($( $(#[$doc:meta])* $name:ident, $Function:ident, |$n:ident| $number:expr, $reads:ident $(+ $property:ident)?, |$x:ident, $y:ident| $df:expr $(, |$v:ident, $tx:ident, $ty:ident| $times:expr)?; )*) => { $(
        #[inline(always)]
        fn $name(&self) -> Self {
            self.step(Step::Function(Function::$Function))
        }
    )* };
}

impl Real for Term<'_> {
    for_each_function!(steps);

    #[inline(always)]
    fn constant(&self, c: f64) -> Self {
        self.step(Step::Constant(c))
    }
    #[inline(always)]
    fn powi(&self, n: i32) -> Self {
        self.step(Step::Powi(n))
    }
    #[inline(always)]
    fn powf(&self, y: f64) -> Self {
        self.step(Step::Powf(y))
    }
    #[inline(always)]
    fn polygamma(&self, n: u32) -> Self {
        self.step(Step::Polygamma(n))
    }
    #[inline(always)]
    fn sinc_derivative(&self, n: u32) -> Self {
        self.step(Step::SincDerivative(n))
    }
    #[inline(always)]
    fn bessel_i(&self, n: u32, scaled: bool) -> Self {
        self.step(Step::BesselI(n, scaled))
    }
    #[inline(always)]
    fn erfcx_derivative(&self, n: u32) -> Self {
        self.step(Step::ErfcxDerivative(n))
    }
    #[inline(always)]
    fn select_positive(&self, yes: Self, no: Self) -> Self {
        self.step(Step::SelectPositive(yes.number, no.number))
    }
    #[inline(always)]
    fn select_zero(&self, yes: Self, no: Self) -> Self {
        self.step(Step::SelectZero(yes.number, no.number))
    }
    #[inline(always)]
    fn clamp(&self, low: f64, high: f64) -> Self {
        self.step(Step::Clamp(low, high))
    }
}
