//! Cumulative sums and products, and linear recurrences, of rows.

use smallvec::SmallVec;

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::RowMap;
use crate::loops::rows::{map_slices, row_of};
use crate::machine::simd::Isa;
use crate::math::Transcendental;

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

/// Of each factor aᵢ of a recurrence the slope rᵢ·sᵢ₋₁, where r is the recurrence of the row backwards, rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁,
/// and s that of c forwards: all in `f64`.
struct FactorSlopes<'a, T> {
    added: &'a [T],
    factors: &'a [T],
}

impl<T: Float> RowMap<T, T> for FactorSlopes<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, v: &[T], out: &mut [T]) {
        let (c, a) = (row_of(self.added, index, v.len()), row_of(self.factors, index, v.len()));
        let mut backwards: SmallVec<[f64; 64]> = SmallVec::from_elem(0.0, v.len());
        let mut state = -0.0;
        for i in (0..v.len()).rev() {
            state = v[i].to_f64() + a.get(i + 1).map_or(-0.0, |a| a.to_f64() * state);
            backwards[i] = state;
        }
        // Nothing comes before the first.
        let mut before = None;
        for (i, o) in out.iter_mut().enumerate() {
            *o = before.map_or(T::ZERO, |s: f64| T::from_f64(backwards[i] * s));
            before = Some(c[i].to_f64() + before.map_or(-0.0, |s| a[i].to_f64() * s));
        }
    }
}

/// ln Σeˣ of each element and all before it, in `f64`: the largest so far, and the sum relative to it.
struct LogSums;

impl<T: Float> RowMap<T, T> for LogSums {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let (mut largest, mut sum) = (f64::NEG_INFINITY, 0.0f64);
        for (o, &x) in out.iter_mut().zip(x) {
            let x = x.to_f64();
            // Equal infinities have no difference.
            if x == largest {
                sum += 1.0;
            } else if x > largest {
                sum = sum * Transcendental::exp::<I>(largest - x) + 1.0;
                largest = x;
            } else {
                sum += Transcendental::exp::<I>(x - largest);
            }
            *o = T::from_f64(if largest.is_infinite() && !sum.is_nan() {
                largest
            } else {
                largest + Transcendental::ln::<I>(sum)
            });
        }
    }
}

compiled_here! {
    /// The logarithms of the sums of the exponentials of each element and all before it in every row.
    pub(crate) fn log_sums<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &LogSums);
    }
}

compiled_here! {
    /// The slopes of the factors of recurrences, of `v`, of what is added and of the factors.
    pub(crate) fn recurrence_slopes<T: Float>(
        v: &[T],
        added: &[T],
        factors: &[T],
        length: usize,
        out: &mut [T],
    ) {
        map_slices(v, length, out, &FactorSlopes { added, factors });
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
