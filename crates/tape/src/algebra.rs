//! The algebra in which formulas of one element are written once, for numbers and for variables.

mod dual;

pub(crate) use dual::tangent_of_slope;

use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

use wengert_tensor::Float;
use wengert_tensor::simd::Isa;

/// What a formula of one element computes with: a number inside a vectorised loop, or a whole [`Var`](crate::Var)
/// when the formula itself is being differentiated.
///
/// Functions that are not smooth everywhere take these values where they have no derivative: `abs` and `sign`
/// have slope 0 at 0, the selections the slope of the branch they take.
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
    /// eˣ.
    fn exp(&self) -> Self;
    /// eˣ − 1.
    fn exp_m1(&self) -> Self;
    /// ln x.
    fn ln(&self) -> Self;
    /// ln(1 + x).
    fn ln_1p(&self) -> Self;
    /// √x.
    fn sqrt(&self) -> Self;
    /// 1/√x.
    fn rsqrt(&self) -> Self;
    /// 1/x.
    fn recip(&self) -> Self;
    /// xⁿ.
    fn powi(&self, n: i32) -> Self;
    /// xʸ for a number y.
    fn powf(&self, y: f64) -> Self;
    /// |x|.
    fn abs(&self) -> Self;
    /// −1, 0 or 1.
    fn sign(&self) -> Self;
    /// sin x.
    fn sin(&self) -> Self;
    /// cos x.
    fn cos(&self) -> Self;
    /// tan x.
    fn tan(&self) -> Self;
    /// sinh x.
    fn sinh(&self) -> Self;
    /// cosh x.
    fn cosh(&self) -> Self;
    /// tanh x.
    fn tanh(&self) -> Self;
    /// arcsin x.
    fn asin(&self) -> Self;
    /// arccos x.
    fn acos(&self) -> Self;
    /// arctan x.
    fn atan(&self) -> Self;
    /// 1 / (1 + e⁻ˣ).
    fn sigmoid(&self) -> Self;
    /// erf x.
    fn erf(&self) -> Self;
    /// 1 − erf x.
    fn erfc(&self) -> Self;
    /// ln(1 + eˣ).
    fn softplus(&self) -> Self;
    /// x · Φ(x).
    fn gelu(&self) -> Self;
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

macro_rules! functions {
    ($($name:ident),*) => { $(
        #[inline(always)]
        fn $name(&self) -> Self {
            Lane::new(self.0.$name::<I>())
        }
    )* };
}

impl<T: Float, I: Isa> Real for Lane<T, I> {
    functions!(exp, exp_m1, ln, ln_1p, rsqrt, sin, cos, tan, sinh, cosh, tanh, asin, acos, atan);
    functions!(sigmoid, erf, erfc, softplus, gelu);

    #[inline(always)]
    fn constant(&self, c: f64) -> Self {
        Lane::new(T::from_f64(c))
    }
    #[inline(always)]
    fn sqrt(&self) -> Self {
        Lane::new(self.0.sqrt())
    }
    #[inline(always)]
    fn recip(&self) -> Self {
        Lane::new(T::ONE / self.0)
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
    fn abs(&self) -> Self {
        Lane::new(self.0.abs())
    }
    #[inline(always)]
    fn sign(&self) -> Self {
        Lane::new(self.0.sign())
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
