//! Cumulative sums and products, and linear recurrences, of rows.

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::loops::rows::{map_slices, row_of};
use crate::machine::simd::Isa;

/// Every element combined with all before it, in `f64`.
struct Scan<F> {
    start: f64,
    combine: F,
}

impl<T: Float, F: Fn(f64, f64) -> f64 + Sync> RowMap<T, T> for Scan<F> {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let mut total = self.start;
        for (o, &x) in out.iter_mut().zip(x) {
            total = (self.combine)(total, x.to_f64());
            *o = T::from_f64(total);
        }
    }
}

/// sᵢ = cᵢ + aᵢ·sᵢ₋₁ with these a, in `f64`.
struct Recurrence<'a, T>(&'a [T]);

impl<T: Float> RowMap<T, T> for Recurrence<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, c: &[T], out: &mut [T]) {
        // −0 is what changes no number when added, not even −0.
        let mut state = -0.0;
        for ((o, &c), &a) in out.iter_mut().zip(c).zip(row_of(self.0, index, c.len())) {
            state = c.to_f64() + a.to_f64() * state;
            *o = T::from_f64(state);
        }
    }
}

compiled_here! {
    /// The solution of sᵢ = cᵢ + aᵢ·sᵢ₋₁ of every row of `length` elements.
    pub(crate) fn recurrence<T: Float>(c: &[T], a: &[T], length: usize, out: &mut [T]) {
        map_slices(c, length, out, &Recurrence(a));
    }
}

compiled_here! {
    /// The sums of each element and all before it in every row.
    pub(crate) fn sums<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &Scan { start: 0.0, combine: |a: f64, b: f64| a + b });
    }
}

compiled_here! {
    /// The products of each element and all before it in every row.
    pub(crate) fn products<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &Scan { start: 1.0, combine: |a: f64, b: f64| a * b });
    }
}
