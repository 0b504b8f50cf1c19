//! The code that comes of an elementwise function's formulas.

use std::rc::Rc;

use wengert_tensor::loops::{Map1, Map2, MapN};
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor};

use crate::algebra::{Lane, Real, tangent_of_slope};
use crate::class::elementwise::ElementwiseOp;
use crate::class::slope::Slope;
use crate::class::{Elementwise, Reads};
use crate::describe::Attributes;
use crate::op::Op;
use crate::var::Var;

/// A loop over the elements of three tensors, in which the first is a tangent or a cotangent.
type OfThree<E, T> = fn(&E, Moves, &Tensor<T>, &Tensor<T>, &Tensor<T>) -> Tensor<T>;

/// The loops over elements of one type and the operations on variables that use them, as pointers: they are compiled
/// where the pointers are made.
#[doc(hidden)]
pub struct Code<E, T: Float> {
    /// The function as an operation.
    pub(super) operation: fn(Rc<E>) -> Rc<dyn Op<T>>,
    /// The product with its derivative as an operation.
    pub(super) slope: fn(Slope<E>) -> Rc<dyn Op<T>>,
    /// `f(x)`.
    pub(super) value: fn(&E, &Tensor<T>) -> Tensor<T>,
    /// `v · df(z)`, of a derivative that reads one argument.
    pub(super) times_slope: fn(&E, Moves, &Tensor<T>, &Tensor<T>) -> Tensor<T>,
    /// `v · df(x, y)`, of a derivative that reads both.
    pub(super) times_slope_of_both: OfThree<E, T>,
    /// `u · v · df′(z)`, of a derivative that reads one argument.
    pub(super) times_curvature: OfThree<E, T>,
    /// `v̇ · df(z) + v · ż · df′(z)` of v̇, ż, v and z, of a derivative that reads one argument.
    pub(super) slope_tangent: fn(&E, [&Tensor<T>; 4]) -> Tensor<T>,
}

impl<E: Elementwise, T: Float> Code<E, T> {
    const READS_BOTH: bool = matches!(E::READS, Reads::Both);

    /// The code that comes of the formulas.
    pub fn of_formulas() -> Self {
        let operation = |f| Rc::new(ElementwiseOp(f)) as Rc<dyn Op<T>>;
        let slope = |slope| Rc::new(slope) as Rc<dyn Op<T>>;
        let value = |f: &E, x: &Tensor<T>| x.map(Value(f));
        // What a function does not need is not compiled: these conditions are constants.
        if Self::READS_BOTH {
            Code {
                operation,
                slope,
                value,
                times_slope: |_, _, _, _| unreachable!("the derivative reads both"),
                times_slope_of_both: |f, m, v, x, y| Tensor::zip_many(E::NAME, [v, x, y], TimesSlope(f, m)),
                times_curvature: |_, _, _, _, _| unreachable!("the derivative reads both"),
                slope_tangent: |_, _| unreachable!("the derivative reads both"),
            }
        } else {
            Code {
                operation,
                slope,
                value,
                times_slope: |f, m, v, z| v.zip_map(E::NAME, z, TimesSlope(f, m)),
                times_slope_of_both: |_, _, _, _, _| unreachable!("the derivative reads one"),
                times_curvature: |f, m, u, v, z| Tensor::zip_many(E::NAME, [u, v, z], TimesCurvature(f, m)),
                slope_tangent: |f, operands| Tensor::zip_many(E::NAME, operands, Tangent(f)),
            }
        }
    }
}

/// In the `impl` of [`Elementwise`] for a type: its code is compiled in this crate, for `f32` and for `f64`, and not
/// again by each program that uses the function. Without it a function works just as well.
#[doc(hidden)]
#[macro_export]
macro_rules! code_compiled_here {
    ($Function:ident) => {
        fn code<T: $crate::__tensor::Float>() -> $crate::Code<Self, T> {
            $crate::__tensor::compiled_here! {
                fn code<T: Float>() -> $crate::Code<$Function, T> {
                    $crate::Code::of_formulas()
                }
            }
            code()
        }
    };
}

struct Value<'a, E>(&'a E);

impl<T: Float, E: Elementwise> Map1<T, T> for Value<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        self.0.f(Lane::<T, I>::new(x)).0
    }
}

/// What moves when a slope is multiplied.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Moves {
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

    /// Whether `product`, of `v` and a slope, is to be 0, as `v` is, though the slope is not a number. Elsewhere the product
    /// stays, also where `v` is 0: it depends on `v` as everywhere else.
    #[inline(always)]
    fn nothing<T: Float, E: Elementwise>(self, v: T, product: T) -> bool {
        let may_be_infinite = !E::BOUNDED_SLOPE && !E::PIECEWISE_LINEAR;
        may_be_infinite && self == Moves::Input && v == T::ZERO && product.is_nan()
    }

    /// `product`, but 0 where nothing moves: the same for variables.
    pub(super) fn select<T: Float, E: Elementwise>(self, v: &Var<T>, product: Var<T>) -> Var<T> {
        let may_be_infinite = !E::BOUNDED_SLOPE && !E::PIECEWISE_LINEAR;
        if may_be_infinite && self == Moves::Input {
            let number = Var::select_where(product.equal(&product), &product, &Var::scalar(T::ZERO));
            v.select_zero(number, product)
        } else {
            product
        }
    }
}

struct TimesSlope<'a, E>(&'a E, Moves);

impl<T: Float, E: Elementwise> Map2<T, T, T> for TimesSlope<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, v: T, z: T) -> T {
        let product = self.0.times_df(Lane::<T, I>::new(v), Lane::new(z), Lane::new(z)).0;
        if self.1.nothing::<T, E>(v, product) { T::ZERO } else { product }
    }
}

impl<T: Float, E: Elementwise> MapN<T, T, 3> for TimesSlope<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, [v, x, y]: [T; 3]) -> T {
        let product = self.0.times_df(Lane::<T, I>::new(v), Lane::new(x), Lane::new(y)).0;
        if self.1.nothing::<T, E>(v, product) { T::ZERO } else { product }
    }
}

struct TimesCurvature<'a, E>(&'a E, Moves);

impl<T: Float, E: Elementwise> MapN<T, T, 3> for TimesCurvature<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, [u, v, z]: [T; 3]) -> T {
        let product = tangent_of_slope(self.0, Lane::<T, I>::new(u * v), None, Lane::new(z)).0;
        if self.1.nothing::<T, E>(u, product) { T::ZERO } else { product }
    }
}

/// v̇ · df(z) + v · ż · df′(z): one loop, in which both slopes share what they have in common.
struct Tangent<'a, E>(&'a E);

impl<T: Float, E: Elementwise> MapN<T, T, 4> for Tangent<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, [t_v, t_z, v, z]: [T; 4]) -> T {
        let sum = tangent_of_slope(self.0, Lane::<T, I>::new(v * t_z), Some(Lane::new(t_v)), Lane::new(z)).0;
        let moves = Moves::Input;
        if moves.nothing::<T, E>(t_v, sum) && moves.nothing::<T, E>(t_z, sum) { T::ZERO } else { sum }
    }
}
