//! The formulas of reductions that several operations share.

use crate::array::element::Float;
use crate::loops::reduce::fold_slice;
use crate::loops::{Fold, Map1, RowFold};
use crate::machine::simd::Isa;

/// The sum of a formula of every element.
pub(crate) struct SumOf<F>(pub(crate) F);

impl<T: Float, F: Map1<T, T>> Fold<T> for SumOf<F> {
    type Partial = T;
    type Output = T;
    fn identity(&self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: T, x: T) -> T {
        partial + self.0.call::<I>(x)
    }
    #[inline(always)]
    fn merge(&self, a: T, b: T) -> T {
        a + b
    }
    fn finish(&self, partial: T, _: usize) -> T {
        partial
    }
}

/// The largest element, or the smallest; NaN if there is one.
pub(crate) struct Extreme<const LARGEST: bool>;

impl<const LARGEST: bool> Extreme<LARGEST> {
    #[inline(always)]
    fn of<T: Float>(a: T, b: T) -> T {
        if LARGEST { a.maximum(b) } else { a.minimum(b) }
    }
}

impl<T: Float, const LARGEST: bool> Fold<T> for Extreme<LARGEST> {
    type Partial = T;
    type Output = T;
    fn identity(&self) -> T {
        if LARGEST { T::NEG_INFINITY } else { T::INFINITY }
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: T, x: T) -> T {
        Self::of(partial, x)
    }
    #[inline(always)]
    fn merge(&self, a: T, b: T) -> T {
        Self::of(a, b)
    }
    fn finish(&self, partial: T, _: usize) -> T {
        partial
    }
}

/// The position of the first extreme element of a row: found first, then looked for, so that both passes vectorise.
impl<T: Float, const LARGEST: bool> RowFold<T, u32> for Extreme<LARGEST> {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T]) -> u32 {
        let extreme = fold_slice(x, self);
        let found = if extreme.is_nan() {
            x.iter().position(|v| v.is_nan())
        } else {
            x.iter().position(|&v| v == extreme)
        };
        found.expect("the extreme of a row is in it") as u32
    }
}

/// The largest |x|, 0 for no elements.
pub(crate) struct LargestAbs;

impl<T: Float> Fold<T> for LargestAbs {
    type Partial = T;
    type Output = T;
    fn identity(&self) -> T {
        T::ZERO
    }
    #[inline(always)]
    fn step<I: Isa>(&self, partial: T, x: T) -> T {
        partial.maximum(x.abs())
    }
    #[inline(always)]
    fn merge(&self, a: T, b: T) -> T {
        a.maximum(b)
    }
    fn finish(&self, partial: T, _: usize) -> T {
        partial
    }
}
