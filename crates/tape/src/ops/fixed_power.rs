//! Powers whose exponent is a number.

use wengert_tensor::Float;

use crate::algebra::Real;
use crate::class::{Elementwise, Reads};
use crate::code_compiled_here;
use crate::describe::Attributes;
use crate::var::Var;

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
}
