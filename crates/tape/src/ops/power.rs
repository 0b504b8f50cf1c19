//! Powers with exponents that are variables, and numbers put together of a significand and an exponent.

use wengert_tensor::loops::Map2;
use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor, compiled_here};

use crate::class::{Pairwise, pairwise};
use crate::op::{Point, Saves, rules_compiled_here};
use crate::ops::arithmetic::{Operand, Side};
use crate::ops::corner::Corner;
use crate::var::Var;

/// aᵇ.
#[derive(Clone)]
struct Pow;

struct PowerOf;

impl<T: Float> Map2<T, T, T> for PowerOf {
    #[inline(always)]
    fn call<I: Isa>(&self, a: T, b: T) -> T {
        a.powf::<I>(b)
    }
}

impl<T: Float> Pairwise<T> for Pow {
    fn name(&self) -> &str {
        "pow"
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn pow<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("pow", b, PowerOf)
            }
        }
        broadcast_or_panic("pow", a.shape(), b.shape());
        pow(a, b)
    }
    /// b·aᵇ⁻¹, which is 0 for b = 0 also where a is, or where it is no finite number: there aᵇ is 1 for every a.
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (a, b) = (at.input(0), at.input(1));
        let (zero, one) = (Var::scalar(T::ZERO), Var::scalar(T::ONE));
        let exponent = Var::select_where(Corner::ZeroAndZero.of(a, b), &zero, &(b - 1.0));
        let flat = Corner::NotFiniteAndZero.of(a, b);
        let base = Var::select_where(&flat, &one, a);
        Var::select_where(flat, &zero, &(v * b * base.pow(&exponent)))
    }
    /// aᵇ ln a, of which 0ᵇ = 0 is the limit.
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (a, b) = (at.input(0), at.input(1));
        let flat = Corner::ZeroAndNonNegative.of(a, b);
        let base = Var::select_where(&flat, &Var::scalar(T::ONE), a);
        Var::select_where(flat, &Var::scalar(T::ZERO), &(v * at.output() * base.ln()))
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Pow in PairwiseOp);
}

/// x·2ⁿ.
#[derive(Clone)]
struct Ldexp;

struct TimesPowerOfTwo;

impl<T: Float> Map2<T, T, T> for TimesPowerOfTwo {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T, n: T) -> T {
        // In two halves, either of which is in range wherever the product is. Of an infinite exponent the first is all of it.
        let half = (n * T::from_f64(0.5)).floor();
        let rest = if half == n { T::ZERO } else { n - half };
        x * half.exp2::<I>() * rest.exp2::<I>()
    }
}

impl<T: Float> Pairwise<T> for Ldexp {
    fn name(&self) -> &str {
        "ldexp"
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, n: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn ldexp<T: Float>(x: &Tensor<T>, n: &Tensor<T>) -> Tensor<T> {
                x.zip_map("ldexp", n, TimesPowerOfTwo)
            }
        }
        broadcast_or_panic("ldexp", x.shape(), n.shape());
        ldexp(x, n)
    }
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        v.ldexp(at.input(1))
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        v * at.output() * std::f64::consts::LN_2
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Ldexp in PairwiseOp);
}

impl<T: Float> Var<T> {
    /// aᵇ, for an exponent that is a variable, a tensor or a number; of a variable, NaN for negative a unless b is an
    /// integer. The derivative with respect to b is 0 where a is 0 and b is not negative, and NaN for negative a.
    /// A number to the power of a variable is `Var::scalar(2.0).pow(&x)`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::from([2.0f64, 9.0]), Var::from([10.0, 0.5]));
    /// assert_eq!(a.pow(&b).value().to_vec(), [1024.0, 3.0]);
    /// assert_eq!(a.pow(2).value().to_vec(), [4.0, 81.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "float_power")]
    #[track_caller]
    pub fn pow(&self, exponent: impl Operand<T>) -> Var<T> {
        match exponent.side() {
            Side::Number(2.0) => self.square(),
            Side::Number(y) => self.powf(y),
            Side::Variable(exponent) => pairwise(Pow, self, exponent),
            Side::Constant(exponent) => pairwise(Pow, self, &exponent),
        }
    }

    /// x·2ⁿ, without leaving the range of numbers on the way.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn ldexp(&self, exponent: &Var<T>) -> Var<T> {
        pairwise(Ldexp, self, exponent)
    }
}
