//! The loops over an elementwise function's formulas.

use wengert_tensor::loops::{Map1, Map2, Map3};
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor};

use crate::algebra::{Lane, derivative};
use crate::class::{Elementwise, Reads};

/// A function's loops over elements of one type, as pointers: where they are made is where they are compiled.
#[doc(hidden)]
pub struct Loops<E, T: Float> {
    /// `f(x)`.
    pub(super) value: fn(&E, &Tensor<T>) -> Tensor<T>,
    /// `v · df(z)`, of a derivative that reads one argument.
    pub(super) times_slope: fn(&E, &Tensor<T>, &Tensor<T>) -> Tensor<T>,
    /// `v · df(x, y)`, of a derivative that reads both.
    pub(super) times_slope_of_both: fn(&E, &Tensor<T>, &Tensor<T>, &Tensor<T>) -> Tensor<T>,
    /// `u · v · df′(z)`, of a derivative that reads one argument.
    pub(super) times_curvature: fn(&E, &Tensor<T>, &Tensor<T>, &Tensor<T>) -> Tensor<T>,
}

impl<E: Elementwise, T: Float> Loops<E, T> {
    const READS_BOTH: bool = matches!(E::READS, Reads::Both);

    /// The loops that the formulas give.
    pub fn of_formulas() -> Self {
        let value = |f: &E, x: &Tensor<T>| x.map(Value(f));
        // What a function does not need is not compiled: these conditions are constants.
        if Self::READS_BOTH {
            Loops {
                value,
                times_slope: |_, _, _| unreachable!("the derivative reads both"),
                times_slope_of_both: |f, v, x, y| v.zip_map3(E::NAME, x, y, TimesSlope(f)),
                times_curvature: |_, _, _, _| unreachable!("the derivative reads both"),
            }
        } else {
            Loops {
                value,
                times_slope: |f, v, z| v.zip_map(E::NAME, z, TimesSlope(f)),
                times_slope_of_both: |_, _, _, _| unreachable!("the derivative reads one"),
                times_curvature: |f, u, v, z| u.zip_map3(E::NAME, v, z, TimesCurvature(f)),
            }
        }
    }
}

/// In the `impl` of an [`Elementwise`] whose type is named: its loops are compiled in this crate, for `f32` and for
/// `f64`, and not again by each program that uses the function. Without it a function works just as well.
#[doc(hidden)]
#[macro_export]
macro_rules! compiled_loops {
    ($Function:ident) => {
        fn loops<T: $crate::__tensor::Float>() -> $crate::Loops<Self, T> {
            $crate::__tensor::compiled_here! {
                fn loops<T: Float>() -> $crate::Loops<$Function, T> {
                    $crate::Loops::of_formulas()
                }
            }
            loops()
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
        v * self.0.df(Lane::<T, I>::new(z), Lane::new(z)).0
    }
}

impl<T: Float, E: Elementwise> Map3<T, T, T, T> for TimesSlope<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, v: T, x: T, y: T) -> T {
        v * self.0.df(Lane::<T, I>::new(x), Lane::new(y)).0
    }
}

struct TimesCurvature<'a, E>(&'a E);

impl<T: Float, E: Elementwise> Map3<T, T, T, T> for TimesCurvature<'_, E> {
    #[inline(always)]
    fn call<I: Isa>(&self, u: T, v: T, z: T) -> T {
        u * v * derivative(Lane::<T, I>::new(z), |z| self.0.df(z.clone(), z)).0
    }
}
