//! The code that comes of an elementwise function's formulas.

use std::rc::Rc;

use wengert_tensor::loops::{Map1, Map2, Map3, Map4};
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor};

use crate::algebra::{Lane, tangent_of_slope};
use crate::class::elementwise::ElementwiseOp;
use crate::class::slope::Slope;
use crate::class::{Elementwise, Reads};
use crate::op::Op;

/// A loop over the elements of three tensors.
type OfThree<E, T> = fn(&E, &Tensor<T>, &Tensor<T>, &Tensor<T>) -> Tensor<T>;

/// The loops over elements of one type and the operations on variables that use them, as pointers: they are compiled
/// where the pointers are made.
#[doc(hidden)]
pub struct Code<E, T: Float> {
    /// The function as an operation.
    pub(super) operation: fn(Rc<E>) -> Rc<dyn Op<T>>,
    /// The product with its derivative as an operation.
    pub(super) slope: fn(Rc<E>) -> Rc<dyn Op<T>>,
    /// `f(x)`.
    pub(super) value: fn(&E, &Tensor<T>) -> Tensor<T>,
    /// `v · df(z)`, of a derivative that reads one argument.
    pub(super) times_slope: fn(&E, &Tensor<T>, &Tensor<T>) -> Tensor<T>,
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
        let slope = |f| Rc::new(Slope(f)) as Rc<dyn Op<T>>;
        let value = |f: &E, x: &Tensor<T>| x.map(Value(f));
        // What a function does not need is not compiled: these conditions are constants.
        if Self::READS_BOTH {
            Code {
                operation,
                slope,
                value,
                times_slope: |_, _, _| unreachable!("the derivative reads both"),
                times_slope_of_both: |f, v, x, y| v.zip_map3(E::NAME, x, y, TimesSlope(f)),
                times_curvature: |_, _, _, _| unreachable!("the derivative reads both"),
                slope_tangent: |_, _| unreachable!("the derivative reads both"),
            }
        } else {
            Code {
                operation,
                slope,
                value,
                times_slope: |f, v, z| v.zip_map(E::NAME, z, TimesSlope(f)),
                times_slope_of_both: |_, _, _, _| unreachable!("the derivative reads one"),
                times_curvature: |f, u, v, z| u.zip_map3(E::NAME, v, z, TimesCurvature(f)),
                slope_tangent: |f, [t_v, t_z, v, z]| t_v.zip_map4(E::NAME, t_z, v, z, Tangent(f)),
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

struct TimesSlope<'a, E>(&'a E);

impl<T: Float, E: Elementwise> Map2<T, T, T> for TimesSlope<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, v: T, z: T) -> T {
        self.0.times_df(Lane::<T, I>::new(v), Lane::new(z), Lane::new(z)).0
    }
}

impl<T: Float, E: Elementwise> Map3<T, T, T, T> for TimesSlope<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, v: T, x: T, y: T) -> T {
        self.0.times_df(Lane::<T, I>::new(v), Lane::new(x), Lane::new(y)).0
    }
}

struct TimesCurvature<'a, E>(&'a E);

impl<T: Float, E: Elementwise> Map3<T, T, T, T> for TimesCurvature<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, u: T, v: T, z: T) -> T {
        tangent_of_slope(self.0, Lane::<T, I>::new(u * v), None, Lane::new(z)).0
    }
}

/// v̇ · df(z) + v · ż · df′(z): one loop, in which both slopes share what they have in common.
struct Tangent<'a, E>(&'a E);

impl<T: Float, E: Elementwise> Map4<T, T, T, T, T> for Tangent<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, t_v: T, t_z: T, v: T, z: T) -> T {
        tangent_of_slope(self.0, Lane::<T, I>::new(v * t_z), Some(Lane::new(t_v)), Lane::new(z)).0
    }
}
