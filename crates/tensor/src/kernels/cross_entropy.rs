//! Softmax cross-entropy of rows against class labels, fused: the logits are read once forward and once backward.

use crate::array::element::Float;
use crate::compiled_here;
use crate::kernels::softmax::{SHORT, SHORT_ROWS, ShiftedExp, exps_of_row, shifted_exps};
use crate::loops::folds::{Extreme, SumOf};
use crate::loops::reduce::fold_slice;
use crate::loops::rows::{fold_slices, map_slices, maps_one_by_one, row_and_next, row_of};
use crate::loops::sums::sum;
use crate::loops::{RowFold, RowMap};
use crate::machine::prefetch::prefetch;
use crate::machine::simd::Isa;

/// ln Σ eˣ − x[label] of each row, with a share `smoothing` of the label spread over all classes.
struct Loss<'a, T> {
    labels: &'a [u32],
    smoothing: T,
}

impl<T: Float> RowFold<T, T> for Loss<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T]) -> T {
        self.before_next::<I>(index, x, &[])
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        if !(1..=SHORT).contains(&length) {
            for (i, out) in out.iter_mut().enumerate() {
                let [row, next] = row_and_next(x, i, length);
                *out = self.before_next::<I>(first + i, row, next);
            }
            return;
        }
        let mut exps = [T::ZERO; SHORT * SHORT_ROWS];
        let blocks = x.chunks(SHORT_ROWS * length).zip(out.chunks_mut(SHORT_ROWS));
        for (block, (x, out)) in blocks.enumerate() {
            let exps = &mut exps[..x.len()];
            let largest = shifted_exps::<T, I>(x, length, exps);
            for (out, exps) in out.iter_mut().zip(exps.chunks_exact(length)) {
                *out = exps.iter().copied().sum();
            }
            for out in out.iter_mut() {
                *out = out.ln::<I>();
            }
            for (i, out) in out.iter_mut().enumerate() {
                *out -= self.target(first + block * SHORT_ROWS + i, row_of(x, i, length), largest[i]);
            }
        }
    }
}

impl<T: Float> Loss<'_, T> {
    /// The loss of a row, while the next one is fetched.
    #[inline(always)]
    fn before_next<I: Isa>(&self, index: usize, x: &[T], next: &[T]) -> T {
        // Differences to the largest logit: nothing overflows, and a large common part cancels exactly.
        prefetch(next, 0, 2);
        let largest = fold_slice(x, &Extreme::<true>);
        prefetch(next, 1, 2);
        let total = fold_slice(x, &SumOf(ShiftedExp(largest))).ln::<I>();
        total - self.target(index, x, largest)
    }

    /// x[label] − largest, smoothed.
    #[inline(always)]
    fn target(&self, index: usize, x: &[T], largest: T) -> T {
        let target = x[self.labels[index] as usize] - largest;
        if self.smoothing > T::ZERO {
            let mean = fold_slice(x, &SumOf(|x: T| x - largest)) / T::from_usize(x.len());
            return target + self.smoothing * (mean - target);
        }
        target
    }
}

/// Puts exp(x − its row's largest element) into `out`, for rows that are short, and hands each row of it to `finish` with
/// its number.
#[inline(always)]
fn exps_of_short_rows<T: Float, I: Isa>(
    x: &[T],
    length: usize,
    out: &mut [T],
    finish: impl Fn(usize, &mut [T]),
) {
    let block = SHORT_ROWS * length;
    for (b, (x, out)) in x.chunks(block).zip(out.chunks_mut(block)).enumerate() {
        shifted_exps::<T, I>(x, length, out);
        for (i, exps) in out.chunks_exact_mut(length).enumerate() {
            finish(b * SHORT_ROWS + i, exps);
        }
    }
}

/// g · (softmax(x) − target) of each row.
struct Gradient<'a, T> {
    labels: &'a [u32],
    smoothing: T,
    scale: &'a [T],
}

impl<T: Float> RowMap<T, T> for Gradient<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        self.before_next::<I>(index, x, out, |_| ());
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        if !(1..=SHORT).contains(&length) {
            let mut rest = out;
            for i in 0..rest.len() / length {
                let [row, next] = row_and_next(x, i, length);
                let (out, behind) = rest.split_at_mut(length);
                self.before_next::<I>(first + i, row, out, |pass| {
                    prefetch(next, pass, 3);
                    prefetch(&behind[..length.min(behind.len())], pass, 3);
                });
                rest = behind;
            }
            return;
        }
        exps_of_short_rows::<T, I>(x, length, out, |i, exps| {
            let total = exps.iter().copied().sum();
            self.finish(first + i, total, exps);
        });
    }
}

impl<T: Float> Gradient<'_, T> {
    /// The gradient of a row; `fetch` asks for a part of the next before each of three passes.
    #[inline(always)]
    fn before_next<I: Isa>(&self, index: usize, x: &[T], out: &mut [T], fetch: impl Fn(usize)) {
        fetch(0);
        exps_of_row::<T, I>(x, out);
        fetch(1);
        let total = fold_slice(out, &SumOf(|e: T| e));
        fetch(2);
        self.finish(index, total, out);
    }

    /// Makes of the exponentials of a row, and their total, its part of the gradient.
    #[inline(always)]
    fn finish(&self, index: usize, total: T, out: &mut [T]) {
        let g = self.scale[index];
        let factor = g / total;
        let share = self.smoothing / T::from_usize(out.len());
        let label = self.labels[index] as usize;
        // The label's target at once, so that the only class, whose target is 1, has no gradient.
        let of_label = out[label] * factor - g * (T::ONE - self.smoothing + share);
        let spread = g * share;
        for o in out.iter_mut() {
            *o = *o * factor - spread;
        }
        out[label] = of_label;
    }
}

/// scale · y·(t − Σ y·t) of each row, with y = softmax(x).
struct GradientTangent<'a, T> {
    t: &'a [T],
    scale: &'a [T],
}

impl<T: Float> RowMap<T, T> for GradientTangent<'_, T> {
    #[inline(always)]
    fn row<I: Isa>(&self, index: usize, x: &[T], out: &mut [T]) {
        let t = row_of(self.t, index, x.len());
        exps_of_row::<T, I>(x, out);
        let sums = [sum([out], |[e]| e), sum([out, t], |[e, t]| e * t)];
        self.finish(index, sums, t, out);
    }

    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[T], out: &mut [T]) {
        if !(1..=SHORT).contains(&length) {
            return maps_one_by_one::<I, T, T>(self, first, length, x, out);
        }
        exps_of_short_rows::<T, I>(x, length, out, |i, exps| {
            let t = row_of(self.t, first + i, length);
            let total = exps.iter().copied().sum();
            let with_t = exps.iter().zip(t).map(|(&e, &t)| e * t).sum();
            self.finish(first + i, [total, with_t], t, exps);
        });
    }
}

impl<T: Float> GradientTangent<'_, T> {
    /// Makes of the exponentials of a row, their total and their sum with t, its part of the tangent.
    #[inline(always)]
    fn finish(&self, index: usize, [total, with_t]: [T; 2], t: &[T], out: &mut [T]) {
        let (mean, factor) = (with_t / total, self.scale[index] / total);
        for (o, &t) in out.iter_mut().zip(t) {
            *o = *o * factor * (t - mean);
        }
    }
}

compiled_here! {
    /// The losses of rows of `length` logits.
    pub(crate) fn losses<T: Float>(logits: &[T], labels: &[u32], smoothing: T, length: usize, out: &mut [T]) {
        fold_slices(logits, length, out, &Loss { labels, smoothing });
    }
}

compiled_here! {
    /// Their gradients, times the `scale` of each row.
    pub(crate) fn gradient<T: Float>(
        logits: &[T],
        labels: &[u32],
        smoothing: T,
        scale: &[T],
        length: usize,
        out: &mut [T],
    ) {
        map_slices(logits, length, out, &Gradient { labels, smoothing, scale });
    }
}

compiled_here! {
    /// The tangents of the gradients along tangents `t` of the logits.
    pub(crate) fn gradient_tangent<T: Float>(logits: &[T], t: &[T], scale: &[T], length: usize, out: &mut [T]) {
        map_slices(logits, length, out, &GradientTangent { t, scale });
    }
}
