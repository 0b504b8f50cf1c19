//! Softmax of rows and its logarithms, stable for elements of any size.

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::folds::{Extreme, SumOf};
use crate::loops::reduce::fold_slice;
use crate::loops::rows::{fold_slices, map_slices, row_of};
use crate::loops::{Map1, RowFold, RowMap};
use crate::machine::simd::Isa;

/// e^(x − shift).
pub(crate) struct ShiftedExp<T>(pub(crate) T);

impl<T: Float> Map1<T, T> for ShiftedExp<T> {
    #[inline(always)]
    fn call<I: Isa>(&self, x: T) -> T {
        (x - self.0).exp::<I>()
    }
}

/// The longest rows that are short: one after the other they would leave most lanes of a register empty.
pub(crate) const SHORT: usize = 32;
/// Short rows that are computed at once.
pub(crate) const SHORT_ROWS: usize = 16;

/// exp(x − largest) of each of some short rows, and their largest elements: one loop over the elements of all rows.
#[inline(always)]
pub(crate) fn shifted_exps<T: Float, I: Isa>(x: &[T], length: usize, exps: &mut [T]) -> [T; SHORT_ROWS] {
    let mut largest = [T::NEG_INFINITY; SHORT_ROWS];
    for ((x, exps), largest) in x.chunks_exact(length).zip(exps.chunks_exact_mut(length)).zip(&mut largest) {
        *largest = x.iter().fold(T::NEG_INFINITY, |largest, &x| largest.maximum(x));
        for (e, &x) in exps.iter_mut().zip(x) {
            *e = x - *largest;
        }
    }
    for e in exps.iter_mut() {
        *e = e.exp::<I>();
    }
    largest
}

/// exp(x − largest) of the elements of a row.
#[inline(always)]
pub(crate) fn exps_of_row<T: Float, I: Isa>(x: &[T], out: &mut [T]) {
    let exp = ShiftedExp(fold_slice(x, &Extreme::<true>));
    for (o, &x) in out.iter_mut().zip(x) {
        *o = exp.call::<I>(x);
    }
}

struct Softmax;

impl<T: Float> RowMap<T, T> for Softmax {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        exps_of_row::<T, I>(x, out);
        let total = fold_slice(out, &SumOf(|e: T| e));
        for o in out {
            *o /= total;
        }
    }
}

/// y·(v − Σ y·v), with these v.
struct Gradient<'a, T>(&'a [T]);

impl<T: Float> RowMap<T, T> for Gradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, y: &[T], out: &mut [T]) {
        let v = row_of(self.0, index, y.len());
        let mean = sum_of_products(y, v, out);
        for ((o, &y), &v) in out.iter_mut().zip(y).zip(v) {
            *o = y * (v - mean);
        }
    }
}

/// ẏ·(v − Σ y·v) + y·(v̇ − Σ(ẏ·v + y·v̇)), with these v, ẏ and v̇.
struct GradientTangent<'a, T> {
    v: &'a [T],
    along: [&'a [T]; 2],
}

impl<T: Float> RowMap<T, T> for GradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, y: &[T], out: &mut [T]) {
        let [t_y, t_v] = self.along;
        let [v, t_y, t_v] = [self.v, t_y, t_v].map(|rows| row_of(rows, index, y.len()));
        let mean = sum_of_products(y, v, out);
        for ((((o, &y), &v), &t_y), &t_v) in out.iter_mut().zip(y).zip(v).zip(t_y).zip(t_v) {
            *o = t_y * v + y * t_v;
        }
        let change = fold_slice(out, &SumOf(|e: T| e));
        for ((((o, &y), &v), &t_y), &t_v) in out.iter_mut().zip(y).zip(v).zip(t_y).zip(t_v) {
            *o = t_y * (v - mean) + y * (t_v - change);
        }
    }
}

/// Σ a·b, with the products written to `scratch`.
#[inline(always)]
fn sum_of_products<T: Float>(a: &[T], b: &[T], scratch: &mut [T]) -> T {
    for ((o, &a), &b) in scratch.iter_mut().zip(a).zip(b) {
        *o = a * b;
    }
    fold_slice(scratch, &SumOf(|e: T| e))
}

struct LogSoftmax;

impl<T: Float> RowMap<T, T> for LogSoftmax {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T], out: &mut [T]) {
        let largest = fold_slice(x, &Extreme::<true>);
        let total = fold_slice(x, &SumOf(ShiftedExp(largest))).ln::<I>();
        for (o, &x) in out.iter_mut().zip(x) {
            *o = x - largest - total;
        }
    }
}

struct LogSumExp;

impl<T: Float> RowFold<T, T> for LogSumExp {
    #[inline(always)]
    fn row<I: Isa>(&self, _: usize, x: &[T]) -> T {
        let largest = fold_slice(x, &Extreme::<true>);
        // An infinite or NaN maximum, also that of no elements, is the result; shifted by it, infinities give NaN.
        if !largest.is_finite() {
            return largest;
        }
        largest + fold_slice(x, &SumOf(ShiftedExp(largest))).ln::<I>()
    }
}

compiled_here! {
    /// eˣ / Σeˣ of every row of `length` elements.
    pub(crate) fn softmax<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &Softmax);
    }
}

compiled_here! {
    /// y·(v − Σ y·v) of every row.
    pub(crate) fn gradient<T: Float>(y: &[T], v: &[T], length: usize, out: &mut [T]) {
        map_slices(y, length, out, &Gradient(v));
    }
}

compiled_here! {
    /// ẏ·(v − Σ y·v) + y·(v̇ − Σ(ẏ·v + y·v̇)) of every row, along ẏ and v̇.
    pub(crate) fn gradient_tangent<T: Float>(y: &[T], v: &[T], along: [&[T]; 2], length: usize, out: &mut [T]) {
        map_slices(y, length, out, &GradientTangent { v, along });
    }
}

compiled_here! {
    /// x − ln Σeˣ of every row.
    pub(crate) fn log_softmax<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        map_slices(x, length, out, &LogSoftmax);
    }
}

compiled_here! {
    /// ln Σeˣ of every row.
    pub(crate) fn logsumexp<T: Float>(x: &[T], length: usize, out: &mut [T]) {
        fold_slices(x, length, out, &LogSumExp);
    }
}
