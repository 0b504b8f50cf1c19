//! The code that comes of an elementwise function's formulas.

use std::sync::Arc;

use wengert_tensor::loops::{Map1, MapN};
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor};

use crate::algebra::{Lane, Real, Term, tangent_of_slope};
use crate::class::{Elementwise, Reads};
use crate::describe::Attributes;
use crate::var::Var;

/// An elementwise function with all that is compiled of its formulas, as a pointer: it is compiled where the pointer is made,
/// and the rules, which know no more of the function, once for all.
#[doc(hidden)]
pub struct Code<T: Float>(pub(super) Arc<dyn Function<T>>);

impl<T: Float> Code<T> {
    /// The code of a function.
    pub fn of_formulas<E: Elementwise>(function: E) -> Self {
        Code(Arc::new(Formulas(function)))
    }
}

/// What the rules need of a function.
pub(crate) trait Function<T: Float>: Send + Sync {
    fn facts(&self) -> &'static Facts;
    fn describe(&self, attributes: &mut Attributes);
    /// `f(x)`.
    #[track_caller]
    fn value(&self, x: &Tensor<T>) -> Tensor<T>;
    /// `v · df(z)`, of a derivative that reads one argument.
    #[track_caller]
    fn times_slope(&self, moves: Moves, v: &Tensor<T>, z: &Tensor<T>) -> Tensor<T>;
    /// `v · df(x, y)`, of a derivative that reads both.
    #[track_caller]
    fn times_slope_of_both(&self, moves: Moves, of: [&Tensor<T>; 3]) -> Tensor<T>;
    /// `u · v · df′(z)`, of a derivative that reads one argument.
    #[track_caller]
    fn times_curvature(&self, moves: Moves, of: [&Tensor<T>; 3]) -> Tensor<T>;
    /// `v̇ · df(z) + v · ż · df′(z)` of v̇, ż, v and z, of a derivative that reads one argument.
    #[track_caller]
    fn slope_tangent(&self, of: [&Tensor<T>; 4]) -> Tensor<T>;
    /// `v · df(x, y)` as a formula.
    fn slope_formula<'t>(&self, of: [Term<'t>; 3]) -> Term<'t>;
    /// `v · df′(z)` as a formula, of a derivative that reads one argument.
    fn curvature_formula<'t>(&self, of: [Term<'t>; 2]) -> Term<'t>;
}

/// A function's constants.
pub(crate) struct Facts {
    pub(super) name: &'static str,
    pub(super) reads: Reads,
    pub(super) piecewise_linear: bool,
    may_be_infinite: bool,
    /// [`FLAT`](Elementwise::FLAT).
    pub(super) flat: bool,
}

struct Formulas<E>(E);

impl<E: Elementwise> Formulas<E> {
    const FACTS: Facts = Facts {
        name: E::NAME,
        reads: E::READS,
        piecewise_linear: E::PIECEWISE_LINEAR,
        may_be_infinite: !E::BOUNDED_SLOPE && !E::PIECEWISE_LINEAR,
        flat: E::FLAT,
    };
    const READS_BOTH: bool = matches!(E::READS, Reads::Both);
}

// What a function does not need is not compiled: the conditions are constants.
impl<T: Float, E: Elementwise> Function<T> for Formulas<E> {
    fn facts(&self) -> &'static Facts {
        &Self::FACTS
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    fn value(&self, x: &Tensor<T>) -> Tensor<T> {
        self.0.value(x)
    }

    fn times_slope(&self, moves: Moves, v: &Tensor<T>, z: &Tensor<T>) -> Tensor<T> {
        if Self::READS_BOTH {
            unreachable!("the derivative reads both")
        }
        Tensor::zip_many(E::NAME, [v, z], TimesSlope(self.0.clone(), moves.nothing()))
    }

    fn times_slope_of_both(&self, moves: Moves, of: [&Tensor<T>; 3]) -> Tensor<T> {
        if !Self::READS_BOTH {
            unreachable!("the derivative reads one")
        }
        Tensor::zip_many(E::NAME, of, TimesSlope(self.0.clone(), moves.nothing()))
    }

    fn times_curvature(&self, moves: Moves, of: [&Tensor<T>; 3]) -> Tensor<T> {
        if Self::READS_BOTH {
            unreachable!("the derivative reads both")
        }
        Tensor::zip_many(E::NAME, of, TimesCurvature(self.0.clone(), moves.nothing()))
    }

    fn slope_tangent(&self, of: [&Tensor<T>; 4]) -> Tensor<T> {
        if Self::READS_BOTH {
            unreachable!("the derivative reads both")
        }
        Tensor::zip_many(E::NAME, of, Tangent(self.0.clone()))
    }

    fn slope_formula<'t>(&self, of: [Term<'t>; 3]) -> Term<'t> {
        slope_formula(&self.0, of)
    }

    fn curvature_formula<'t>(&self, of: [Term<'t>; 2]) -> Term<'t> {
        if Self::READS_BOTH {
            unreachable!("the derivative reads both")
        }
        curvature_formula(&self.0, of)
    }
}

// Compiled once for all types of elements.
#[inline(never)]
fn slope_formula<'t, E: Elementwise>(function: &E, [v, x, y]: [Term<'t>; 3]) -> Term<'t> {
    function.times_df(v, x, y)
}

#[inline(never)]
fn curvature_formula<'t, E: Elementwise>(function: &E, [v, z]: [Term<'t>; 2]) -> Term<'t> {
    tangent_of_slope(function, v, None, z)
}

/// In the `impl` of [`Elementwise`] for a type: its code is compiled in this crate, for `f32` and for `f64`, and not
/// again by each program that uses the function. Without it a function works just as well.
#[doc(hidden)]
#[macro_export]
macro_rules! code_compiled_here {
    ($Function:ident) => {
        fn code<T: $crate::__tensor::Float>(self) -> $crate::Code<T> {
            $crate::__tensor::compiled_here! {
                fn code<T: Float>(function: $Function) -> $crate::Code<T> {
                    $crate::Code::of_formulas(function)
                }
            }
            code(self)
        }
    };
}

/// `f` of every element.
#[track_caller]
#[inline]
pub(crate) fn by_formula<T: Float, E: Elementwise>(function: &E, x: &Tensor<T>) -> Tensor<T> {
    x.map(Value(function.clone()))
}

// The functions themselves and not references: what a loop reads by one reference after another it reads for each element, and computes
// one element at a time.

struct Value<E>(E);

impl<T: Float, E: Elementwise> Map1<T, T> for Value<E> {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        self.0.f(Lane::<T, I>::new(x)).0
    }
}

/// What moves when a slope is multiplied.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Moves {
    /// The output, by a cotangent.
    Output,
    /// The input, by a tangent. Where that is 0 nothing moves, however steep the function: 0 · ∞ is 0.
    Input,
}

impl Moves {
    /// A tangent of 0 meets an infinite slope otherwise than a cotangent of 0 does.
    pub(super) fn describe(self, attributes: &mut Attributes) {
        attributes.set("moves", if self == Moves::Input { "input" } else { "output" });
    }

    /// The number `v` whose product with an infinite slope is 0 and not NaN: 0 if the input moves, and none, which is NaN, if
    /// the output does. Elsewhere the product stays, also where `v` is 0: it depends on `v` as everywhere else.
    #[inline(always)]
    fn nothing<T: Float>(self) -> T {
        if self == Moves::Input { T::ZERO } else { T::NAN }
    }

    /// `product`, but 0 where nothing moves: the same for variables.
    pub(super) fn select<T: Float>(self, function: &Facts, v: &Var<T>, product: Var<T>) -> Var<T> {
        if function.may_be_infinite && self == Moves::Input {
            let number = Var::select_where(product.equal(&product), &product, &Var::scalar(T::ZERO));
            v.select_zero(number, product)
        } else {
            product
        }
    }
}

/// `product`, but 0 where `v` is the number of which nothing comes, though the slope is not a number.
#[inline(always)]
fn moved<T: Float, E: Elementwise>(nothing: T, v: T, product: T) -> T {
    if Formulas::<E>::FACTS.may_be_infinite && ((v == nothing) & product.is_nan()) {
        T::ZERO
    } else {
        product
    }
}

/// A product of two numbers, times the square of `part`, a power of two below 1 where the product itself is beyond the range:
/// multiplied by a curvature of 0, or a small one, it may have a result, which is to be multiplied by `whole` twice.
struct InRange<T> {
    product: T,
    part: T,
    whole: T,
}

impl<T: Float> InRange<T> {
    #[inline(always)]
    fn of(u: T, v: T) -> Self {
        // The square root of the range: 2⁵¹² or 2⁶⁴.
        let exponent = if T::MAX.to_f64() > f64::from(f32::MAX) { 512 } else { 64 };
        let power = |exponent: u64| T::from_f64(f64::from_bits((1023 + exponent) << 52));
        let product = u * v;
        if product.abs() > T::MAX {
            let whole = power(exponent);
            let part = T::ONE / whole;
            InRange { product: (u * part) * (v * part), part, whole }
        } else {
            InRange { product, part: T::ONE, whole: T::ONE }
        }
    }
}

struct TimesSlope<E, T>(E, T);

impl<T: Float, E: Elementwise> MapN<T, T, 2> for TimesSlope<E, T> {
    #[inline(always)]
    fn call<I: Isa>(&self, [v, z]: [T; 2]) -> T {
        let product = self.0.times_df(Lane::<T, I>::new(v), Lane::new(z), Lane::new(z)).0;
        moved::<T, E>(self.1, v, product)
    }
}

impl<T: Float, E: Elementwise> MapN<T, T, 3> for TimesSlope<E, T> {
    #[inline(always)]
    fn call<I: Isa>(&self, [v, x, y]: [T; 3]) -> T {
        let product = self.0.times_df(Lane::<T, I>::new(v), Lane::new(x), Lane::new(y)).0;
        moved::<T, E>(self.1, v, product)
    }
}

struct TimesCurvature<E, T>(E, T);

impl<T: Float, E: Elementwise> MapN<T, T, 3> for TimesCurvature<E, T> {
    #[inline(always)]
    fn call<I: Isa>(&self, [u, v, z]: [T; 3]) -> T {
        let InRange { product, whole, .. } = InRange::of(u, v);
        let product = tangent_of_slope(&self.0, Lane::<T, I>::new(product), None, Lane::new(z)).0;
        moved::<T, E>(self.1, u, product * whole * whole)
    }
}

/// v̇ · df(z) + v · ż · df′(z): one loop, in which both slopes share what they have in common.
struct Tangent<E>(E);

impl<T: Float, E: Elementwise> MapN<T, T, 4> for Tangent<E> {
    #[inline(always)]
    fn call<I: Isa>(&self, [t_v, t_z, v, z]: [T; 4]) -> T {
        // No division: it would be made for each element, and the part is exact.
        let InRange { product, part, whole } = InRange::of(v, t_z);
        let t_slope = Lane::new(t_v * part * part);
        let sum = tangent_of_slope(&self.0, Lane::<T, I>::new(product), Some(t_slope), Lane::new(z)).0;
        let sum = sum * whole * whole;
        if t_v == T::ZERO { moved::<T, E>(T::ZERO, t_z, sum) } else { sum }
    }
}
