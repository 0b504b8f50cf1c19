//! Powers with exponents that are variables, their products with what their derivatives are multiplied by, and numbers put
//! together of a significand and an exponent.

use wengert_tensor::loops::{Map2, MapN};
use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor, compiled_here};

use crate::class::{Pairwise, pairwise};
use crate::cotangent;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
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
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        along_base(v, at.input(0), at.input(1))
    }
    /// aᵇ ln a, of which 0ᵇ = 0 is the limit.
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        with_logarithm(at.input(0), at.input(1), |base| v * at.output() * base.ln())
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Pow in PairwiseOp);
}

/// v·b·aᵇ⁻¹, which is 0 for b = 0 also where a is, or where it is no finite number: there aᵇ is 1 for every a.
fn along_base<T: Float>(v: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    let (zero, one) = (Var::scalar(T::ZERO), Var::scalar(T::ONE));
    let exponent = Var::select_where(Corner::ZeroAndZero.of(a, b), &zero, &(b - 1.0));
    let flat = Corner::NotFiniteAndZero.of(a, b);
    let base = Var::select_where(&flat, &one, a);
    Var::select_where(flat, &zero, &times_power(&(v * b), &base, &exponent))
}

/// c·aᵇ of c, a and b, also where aᵇ alone is out of range: of a far from 1 the second derivative b·(b − 1)·aᵇ⁻² may be in range
/// only as a whole.
struct TimesPower;

fn times_power<T: Float>(c: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(TimesPower, &[c, a, b])
}

impl<T: Float> MapN<T, T, 3> for TimesPower {
    #[inline(always)]
    fn call<I: Isa>(&self, [c, a, b]: [T; 3]) -> T {
        c.times_powf::<I>(a, b)
    }
}

impl<T: Float> Op<T> for TimesPower {
    fn name(&self) -> &str {
        "times_power"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn times_power<T: Float>(x: [&Tensor<T>; 3]) -> Tensor<T> {
                Tensor::zip_many("pow", x, TimesPower)
            }
        }
        times_power([x[0], x[1], x[2]])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (c, a, b) = (at.input(0), at.input(1), at.input(2));
        into.add(0, || times_power(cotangent, a, b));
        into.add(1, || along_base(&(cotangent * c), a, b));
        into.add(2, || along_exponent(&(cotangent * c), a, b));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let (c, a, b) = (at.input(0), at.input(1), at.input(2));
        let whole = |t: Var<T>| t.broadcast_to(at.output().shape());
        let of_c = tangents[0].as_ref().map(|t| whole(times_power(t, a, b)));
        let of_a = tangents[1].as_ref().map(|t| whole(along_base(&(t * c), a, b)));
        let of_b = tangents[2].as_ref().map(|t| whole(along_exponent(&(t * c), a, b)));
        cotangent::sum(cotangent::sum(of_c, of_a), of_b)
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(TimesPower);
}

/// v·aᵇ ln a, of which 0ᵇ = 0 is the limit.
fn along_exponent<T: Float>(v: &Var<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    with_logarithm(a, b, |base| times_power(&(v * base.ln()), base, b))
}

/// What the rule makes of a and its logarithm, or the limit 0 where a is 0 and b no negative number.
fn with_logarithm<T: Float>(a: &Var<T>, b: &Var<T>, rule: impl FnOnce(&Var<T>) -> Var<T>) -> Var<T> {
    let flat = Corner::ZeroAndNonNegative.of(a, b);
    let base = Var::select_where(&flat, &Var::scalar(T::ONE), a);
    Var::select_where(flat, &Var::scalar(T::ZERO), &rule(&base))
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
