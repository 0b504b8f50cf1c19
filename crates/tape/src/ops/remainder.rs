//! Division with a remainder.

use wengert_tensor::shape::{broadcast, broadcast_or_panic};
use wengert_tensor::{ElementKind, Float, Shape, Tensor, compiled_here};

use crate::class::{Pairwise, Piecewise, pairwise, piecewise};
use crate::op::{Point, rules_compiled_here};
use crate::ops::round::truncated;
use crate::var::Var;

/// How the quotient is rounded to an integer.
#[derive(Clone, Copy, PartialEq)]
enum Toward {
    /// Towards 0: the remainder has the sign of the dividend.
    Zero,
    /// Down: the remainder has the sign of the divisor.
    Below,
}

/// a − b·q for the rounded quotient q of a and b, exactly.
#[inline(always)]
fn remainder<T: Float>(toward: Toward, a: T, b: T) -> T {
    // Exact for either type, since the remainder of two f32 in double precision is one.
    let (a, b) = (a.to_f64(), b.to_f64());
    let rest = a % b;
    let other_side = toward == Toward::Below && rest != 0.0 && (rest < 0.0) != (b < 0.0);
    T::from_f64(if other_side { rest + b } else { rest })
}

/// The rounded quotient and the remainder of numbers in single precision, straight-line, so that a loop over them vectorises;
/// NaN where the quotient is too large for that, or there is none.
#[inline(always)]
fn divided(toward: Toward, a: f64, b: f64) -> (f64, f64) {
    let ratio = a / b;
    // Below 2²⁸ the product has 52 bits, so it and what it lacks to a are exact.
    let quotient = truncated(ratio);
    let rest = a - quotient * b;
    let valid = (ratio.abs() < 268_435_456.0) & !rest.is_nan();
    // A ratio that was rounded up to an integer is one too far.
    let one = 1f64.copysign(ratio);
    let beyond = rest * a < 0.0;
    let (quotient, rest) =
        if beyond { ((quotient - one).copysign(ratio), rest + one * b) } else { (quotient, rest) };
    let other_side = (toward == Toward::Below) & (rest * b < 0.0);
    let (quotient, rest) =
        if other_side { (quotient - 1.0, rest + b) } else { (quotient, rest.abs().copysign(a)) };
    if valid { (quotient, rest) } else { (f64::NAN, f64::NAN) }
}

/// `quick` of two tensors if these are in single precision and there is no NaN in it, else `thorough`.
#[track_caller]
fn single_or<T: Float>(quick: impl FnOnce() -> Tensor<T>, thorough: impl FnOnce() -> Tensor<T>) -> Tensor<T> {
    compiled_here! {
        fn complete<T: Float>(x: &Tensor<T>) -> bool {
            x.as_slice().is_some_and(|x| x.iter().fold(true, |complete, x| complete & !x.is_nan()))
        }
    }
    if T::KIND == ElementKind::F32 {
        let found = quick();
        if complete(&found) {
            return found;
        }
    }
    thorough()
}

/// The rounded quotient.
#[inline(always)]
fn quotient<T: Float>(toward: Toward, a: T, b: T) -> T {
    if b == T::ZERO || !a.is_finite() || b.is_nan() {
        let quotient = a / b;
        return if toward == Toward::Below { quotient.floor() } else { truncated(quotient) };
    }
    // The quotient of what is left after the remainder is an integer but for rounding.
    let (double_a, double_b) = (a.to_f64(), b.to_f64());
    let mut whole = (double_a - double_a % double_b) / double_b;
    let rest = double_a % double_b;
    if toward == Toward::Below && rest != 0.0 && (rest < 0.0) != (double_b < 0.0) {
        whole -= 1.0;
    }
    let rounded = whole.round_ties_even();
    T::from_f64(if rounded == 0.0 { 0f64.copysign((a / b).to_f64()) } else { rounded })
}

#[derive(Clone)]
struct Remainder(Toward);

impl<T: Float> Pairwise<T> for Remainder {
    fn name(&self) -> &str {
        match self.0 {
            Toward::Zero => "fmod",
            Toward::Below => "remainder",
        }
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn remainders<T: Float>(toward: Toward, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("remainder", b, move |a: T, b: T| remainder(toward, a, b))
            }
        }
        compiled_here! {
            fn quick<T: Float>(toward: Toward, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("remainder", b, move |a: T, b: T| T::from_f64(divided(toward, a.to_f64(), b.to_f64()).1))
            }
        }
        broadcast_or_panic(Pairwise::<T>::name(self), a.shape(), b.shape());
        single_or(|| quick(self.0, a, b), || remainders(self.0, a, b))
    }
    fn along_first(&self, _: &Point<T>, v: &Var<T>) -> Var<T> {
        v.clone()
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        -(v * piecewise(Quotient(self.0), &[at.input(0), at.input(1)]))
    }
    rules_compiled_here!(Remainder in PairwiseOp);
}

#[derive(Clone)]
struct Quotient(Toward);

impl<T: Float> Piecewise<T> for Quotient {
    fn name(&self) -> &str {
        match self.0 {
            Toward::Zero => "trunc_divide",
            Toward::Below => "floor_divide",
        }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn quotients<T: Float>(toward: Toward, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("floor_divide", b, move |a: T, b: T| quotient(toward, a, b))
            }
        }
        compiled_here! {
            fn quick<T: Float>(toward: Toward, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("floor_divide", b, move |a: T, b: T| T::from_f64(divided(toward, a.to_f64(), b.to_f64()).0))
            }
        }
        single_or(|| quick(self.0, x[0], x[1]), || quotients(self.0, x[0], x[1]))
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }
    rules_compiled_here!(Quotient in PiecewiseOp);
}

impl<T: Float> Var<T> {
    /// The remainder a − b·trunc(a/b), exactly: it has the sign of a, as Rust's `%` of numbers. The derivatives are 1 and
    /// −trunc(a/b).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn fmod(&self, other: &Var<T>) -> Var<T> {
        pairwise(Remainder(Toward::Zero), self, other)
    }

    /// The remainder a − b·⌊a/b⌋, which has the sign of b, as Python's `%`. The derivatives are 1 and −⌊a/b⌋.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::from([-7.0f64]), Var::from([3.0]));
    /// assert_eq!((a.fmod(&b).item(), a.remainder(&b).item(), a.floor_divide(&b).item()), (-1.0, 2.0, -3.0));
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn remainder(&self, other: &Var<T>) -> Var<T> {
        pairwise(Remainder(Toward::Below), self, other)
    }

    /// ⌊a/b⌋ of the exact quotient; the derivatives are 0 everywhere.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn floor_divide(&self, other: &Var<T>) -> Var<T> {
        broadcast_or_panic("floor_divide", self.shape(), other.shape());
        piecewise(Quotient(Toward::Below), &[self, other])
    }
}
