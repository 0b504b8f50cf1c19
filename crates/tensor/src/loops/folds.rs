//! The formulas of reductions that several operations share.

use crate::array::element::Float;
use crate::loops::reduce::{LANES, block_by_steps, fold_slice, merge_lanes};
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
    fn block<I: Isa>(&self, x: &[T]) -> T {
        let wins = |a: T, b: T| if LARGEST { a > b } else { a < b };
        let found = extreme_without_nan(x, Fold::<T>::identity(self), |x| x, wins);
        found.unwrap_or_else(|| block_by_steps::<I, T, Self>(self, x))
    }
    #[inline(always)]
    fn merge(&self, a: T, b: T) -> T {
        Self::of(a, b)
    }
    fn finish(&self, partial: T, _: usize) -> T {
        partial
    }
}

/// The extreme of `of` the elements, the last of those that are equal in its lane, as taking the steps of [`Float::maximum`] one
/// by one would find it; none if there is a NaN. Kept apart from the search for NaN, a comparison and a choice are one
/// instruction.
#[inline(always)]
fn extreme_without_nan<T: Float>(
    x: &[T],
    start: T,
    of: impl Fn(T) -> T,
    wins: impl Fn(T, T) -> bool,
) -> Option<T> {
    let further = |a: T, b: T| if wins(a, b) { a } else { b };
    let mut lanes = [start; LANES];
    let mut nan = false;
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = further(*lane, of(x));
        }
        nan |= chunk.iter().fold(false, |nan, x| nan | x.is_nan());
    }
    for (lane, &x) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane = further(*lane, of(x));
        nan |= x.is_nan();
    }
    (!nan).then(|| merge_lanes(lanes, further))
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
    fn block<I: Isa>(&self, x: &[T]) -> T {
        let found = extreme_without_nan(x, T::ZERO, T::abs, |a, b| a > b);
        found.unwrap_or_else(|| block_by_steps::<I, T, Self>(self, x))
    }
    #[inline(always)]
    fn merge(&self, a: T, b: T) -> T {
        a.maximum(b)
    }
    fn finish(&self, partial: T, _: usize) -> T {
        partial
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::simd::Baseline;

    /// The bits of both ways of folding, NaN and the sign of zero included.
    fn agree(fold: &impl Fold<f32, Partial = f32>, x: &[f32]) {
        let (fast, steps) = (fold.block::<Baseline>(x), block_by_steps::<Baseline, _, _>(fold, x));
        assert_eq!(fast.to_bits(), steps.to_bits(), "{fast} and {steps} of {} elements", x.len());
    }

    #[test]
    fn extremes_have_the_bits_of_single_steps() {
        let special = [0.0, -0.0, f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-40, -1e-40];
        for length in (0..=2 * LANES + 1).chain([1000]) {
            for (seed, &value) in special.iter().enumerate() {
                let mut x: Vec<f32> = (0..length).map(|i| ((i * 7 + seed) % 5) as f32 - 2.0).collect();
                for place in [0, length / 2, length.saturating_sub(1)] {
                    if let Some(x) = x.get_mut(place) {
                        *x = value;
                    }
                    let zeros: Vec<f32> = x.iter().map(|x| x * 0.0).collect();
                    for x in [&x, &zeros] {
                        agree(&Extreme::<true>, x);
                        agree(&Extreme::<false>, x);
                        agree(&LargestAbs, x);
                    }
                }
            }
        }
    }
}
