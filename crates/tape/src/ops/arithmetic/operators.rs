//! The operators `+ - * /` in every mix of variables, tensors and numbers, by value and by reference, and what is made of
//! them: `+= -= *= /=` and sums over iterators.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use wengert_tensor::{Float, Tensor};

use super::{Divided, Negation, Over, Plus, Product, Quotient, Scaled, Shifted};
use crate::cotangent::accumulate;
use crate::op::apply;
use crate::var::Var;

/// What may stand on the right of an operator whose left side is a [`Var<T>`]: a variable or a tensor of the same element
/// type, by value or by reference, or a number (`f64`, `f32` or `i32`).
///
/// One implementation of each operator takes them all, so that the compiler knows the type of `(x * 2.0).sum()` whatever
/// the literal becomes. On the left of a variable, a number is `f64` or `i32`: with `f32` too, the type of `(2.0 * x).sum()`
/// would be open, so a number `s` of that type stands on the right, or is written `f64::from(s)`.
///
/// ```
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let x: Var = Var::from([1.0, 2.0]);
/// let (s, offset) = (0.5f32, Tensor::from([10.0, 20.0]));
/// let y = 2 * (&x * s + &offset) - 1.0;
/// assert_eq!(y.value().to_vec(), [20.0, 41.0]);
/// ```
#[diagnostic::on_unimplemented(
    message = "a `Var<{T}>` and a `{Self}` have no common operator",
    label = "neither a variable or tensor of elements `{T}`, nor a number of type `f64`, `f32` or `i32`",
    note = "convert a number with `f64::from(n)` or `n as f64`; element types do not mix",
    note = "a mask or an index becomes numbers by `cast`: `x * mask.cast::<f32>()`"
)]
pub trait Operand<T: Float> {
    /// Which of these it is.
    #[doc(hidden)]
    fn side(&self) -> Side<'_, T>;
}

/// The right side of an operator.
#[doc(hidden)]
pub enum Side<'a, T: Float> {
    /// A variable.
    Variable(&'a Var<T>),
    /// A tensor, which is a constant.
    Constant(Var<T>),
    /// A number.
    Number(f64),
}

macro_rules! operand {
    (<T> $Operand:ty, |$x:ident| $side:expr) => {
        impl<T: Float> Operand<T> for $Operand {
            #[inline]
            fn side(&self) -> Side<'_, T> {
                let $x = self;
                $side
            }
        }
    };
}
operand!(<T> Var<T>, |x| Side::Variable(x));
operand!(<T> &Var<T>, |x| Side::Variable(x));
operand!(<T> Tensor<T>, |x| Side::Constant(Var::constant(x.clone())));
operand!(<T> &Tensor<T>, |x| Side::Constant(Var::constant((*x).clone())));
operand!(<T> f64, |x| Side::Number(*x));
operand!(<T> f32, |x| Side::Number(f64::from(*x)));
operand!(<T> i32, |x| Side::Number(f64::from(*x)));

/// The operator with something else than a variable on the left.
macro_rules! on_the_left {
    ($Trait:ident, $method:ident, $Left:ty, |$left:ident| $as_known:expr) => {
        impl<T: Float> $Trait<&Var<T>> for $Left {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, other: &Var<T>) -> Var<T> {
                let $left = self;
                $Trait::$method($as_known, other)
            }
        }
        impl<T: Float> $Trait<Var<T>> for $Left {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, other: Var<T>) -> Var<T> {
                $Trait::$method(self, &other)
            }
        }
    };
}

/// An operator, from what it is for two variables, for a number on the right and for a number on the left.
macro_rules! operator {
    ($Trait:ident, $method:ident, $Assign:ident, $assign:ident, |$a:ident, $b:ident| $two:expr, |$x:ident, $c:ident| $right:expr, |$d:ident, $y:ident| $left:expr) => {
        impl<T: Float, R: Operand<T>> $Trait<R> for &Var<T> {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, other: R) -> Var<T> {
                let side = other.side();
                let ($a, $b) = match &side {
                    Side::Number(number) => {
                        let ($x, $c) = (self, *number);
                        return $right;
                    }
                    Side::Variable(other) => (self, *other),
                    Side::Constant(other) => (self, other),
                };
                $two
            }
        }
        impl<T: Float, R: Operand<T>> $Trait<R> for Var<T> {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, other: R) -> Var<T> {
                $Trait::$method(&self, other)
            }
        }
        impl<T: Float, R: Operand<T>> $Assign<R> for Var<T> {
            #[track_caller]
            fn $assign(&mut self, other: R) {
                *self = $Trait::$method(&*self, other);
            }
        }
        impl<T: Float> $Trait<&Var<T>> for f64 {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, other: &Var<T>) -> Var<T> {
                let ($d, $y) = (self, other);
                $left
            }
        }
        impl<T: Float> $Trait<Var<T>> for f64 {
            type Output = Var<T>;
            #[track_caller]
            fn $method(self, other: Var<T>) -> Var<T> {
                $Trait::$method(self, &other)
            }
        }
        on_the_left!($Trait, $method, i32, |number| f64::from(number));
        on_the_left!($Trait, $method, Tensor<T>, |tensor| Var::constant(tensor));
        on_the_left!($Trait, $method, &Tensor<T>, |tensor| Var::constant(tensor.clone()));
    };
}

operator!(
    Add,
    add,
    AddAssign,
    add_assign,
    |a, b| apply(Plus::Add, &[a, b]),
    |x, c| apply(Shifted(c), &[x]),
    |c, x| apply(Shifted(c), &[x])
);
operator!(
    Sub,
    sub,
    SubAssign,
    sub_assign,
    |a, b| apply(Plus::Sub, &[a, b]),
    |x, c| apply(Shifted(-c), &[x]),
    |c, x| -x + c
);
operator!(
    Mul,
    mul,
    MulAssign,
    mul_assign,
    |a, b| a.bilinear(Product, b),
    |x, c| x.linear(Scaled(c)),
    |c, x| x.linear(Scaled(c))
);
operator!(
    Div,
    div,
    DivAssign,
    div_assign,
    |a, b| apply(Quotient, &[a, b]),
    |x, c| x.linear(Divided(c)),
    |c, x| x.apply(Over(c))
);

impl<T: Float> Neg for &Var<T> {
    type Output = Var<T>;
    #[track_caller]
    fn neg(self) -> Var<T> {
        self.linear(Negation)
    }
}

impl<T: Float> Neg for Var<T> {
    type Output = Var<T>;
    #[track_caller]
    fn neg(self) -> Var<T> {
        -&self
    }
}

/// From left to right; the number 0, without axes, if there is nothing to add.
///
/// ```
/// use wengert_tape::Var;
/// let losses = [Var::scalar(1.0f64), Var::scalar(2.5)];
/// assert_eq!(losses.iter().sum::<Var<f64>>().item(), 3.5);
/// ```
impl<T: Float> Sum for Var<T> {
    fn sum<I: Iterator<Item = Var<T>>>(terms: I) -> Self {
        terms.reduce(accumulate).unwrap_or_else(|| Var::scalar(T::ZERO))
    }
}

impl<'a, T: Float> Sum<&'a Var<T>> for Var<T> {
    fn sum<I: Iterator<Item = &'a Var<T>>>(terms: I) -> Self {
        terms.cloned().sum()
    }
}
