//! Softmax along an axis that is not the last, of consecutive columns side by side: to turn them to rows and back would take as long
//! as the rest.

use super::softmax::ShiftedExp;
use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::Map1;
use crate::loops::spare::Partials;
use crate::machine::parallel::{self, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// The fewest columns that are worth it.
pub(crate) const FEWEST: usize = 16;
/// Elements of a strip of columns, which is read several times and should stay in the L2 cache.
const STRIP: usize = 1 << 15;
/// Rows that are added up one after the other before pairs of sums are formed.
const BLOCK: usize = 32;

/// What is computed of a strip of columns.
trait Columns<T: Float>: Sync {
    /// The terms of the sums of a row, which begins at `place` of the inputs, written to `out`. `extremes` are the largest elements.
    fn terms<I: Isa>(&self, x: &[T], place: usize, extremes: &[T], out: &mut [T]);
    /// What is made of the sums, once for all rows.
    fn sums<I: Isa>(&self, sums: &mut [T]);
    /// A row of the result.
    fn finish<I: Isa>(&self, x: &[T], place: usize, extremes: &[T], sums: &[T], out: &mut [T]);
    /// Whether the largest elements are wanted.
    const SHIFTED: bool;
}

struct Softmax;

impl<T: Float> Columns<T> for Softmax {
    const SHIFTED: bool = true;
    #[inline(always)]
    fn terms<I: Isa>(&self, x: &[T], _: usize, extremes: &[T], out: &mut [T]) {
        for ((o, &x), &largest) in out.iter_mut().zip(x).zip(extremes) {
            *o = ShiftedExp(largest).call::<I>(x);
        }
    }
    #[inline(always)]
    fn sums<I: Isa>(&self, _: &mut [T]) {}
    #[inline(always)]
    fn finish<I: Isa>(&self, _: &[T], _: usize, _: &[T], sums: &[T], out: &mut [T]) {
        for (o, &sum) in out.iter_mut().zip(sums) {
            *o /= sum;
        }
    }
}

struct LogSoftmax;

impl<T: Float> Columns<T> for LogSoftmax {
    const SHIFTED: bool = true;
    #[inline(always)]
    fn terms<I: Isa>(&self, x: &[T], place: usize, extremes: &[T], out: &mut [T]) {
        Softmax.terms::<I>(x, place, extremes, out);
    }
    #[inline(always)]
    fn sums<I: Isa>(&self, sums: &mut [T]) {
        for sum in sums {
            *sum = sum.ln::<I>();
        }
    }
    #[inline(always)]
    fn finish<I: Isa>(&self, x: &[T], _: usize, extremes: &[T], sums: &[T], out: &mut [T]) {
        for (((o, &x), &largest), &sum) in out.iter_mut().zip(x).zip(extremes).zip(sums) {
            *o = x - largest - sum;
        }
    }
}

/// y·(v − Σ y·v), with these v.
struct Gradient<'a, T>(&'a [T]);

impl<T: Float> Columns<T> for Gradient<'_, T> {
    const SHIFTED: bool = false;
    #[inline(always)]
    fn terms<I: Isa>(&self, y: &[T], place: usize, _: &[T], out: &mut [T]) {
        for ((o, &y), &v) in out.iter_mut().zip(y).zip(&self.0[place..]) {
            *o = y * v;
        }
    }
    #[inline(always)]
    fn sums<I: Isa>(&self, _: &mut [T]) {}
    #[inline(always)]
    fn finish<I: Isa>(&self, y: &[T], place: usize, _: &[T], sums: &[T], out: &mut [T]) {
        for (((o, &y), &v), &mean) in out.iter_mut().zip(y).zip(&self.0[place..]).zip(sums) {
            *o = y * (v - mean);
        }
    }
}

/// A strip: where its rows begin in the inputs, and those of the result.
struct Strip<'a, 'out, T, F> {
    x: &'a [T],
    first: usize,
    inner: usize,
    out: &'a mut [&'out mut [T]],
    f: &'a F,
}

impl<T: Float, F: Columns<T>> Kernel for Strip<'_, '_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.out[0].len();
        let row = |i: usize| &self.x[self.first + i * self.inner..][..width];
        let mut extremes = Partials::equal(T::NEG_INFINITY, width);
        if F::SHIFTED {
            for i in 0..self.out.len() {
                for (largest, &x) in extremes.iter_mut().zip(row(i)) {
                    *largest = largest.maximum(x);
                }
            }
        }
        // The sums of 2ⁿ blocks, for each n of which the number of blocks so far has a bit.
        let blocks = self.out.len().div_ceil(BLOCK);
        let mut levels = Partials::equal(T::ZERO, (blocks.ilog2() as usize + 1) * width);
        let mut sums = Partials::equal(T::ZERO, width);
        for (block, rows) in self.out.chunks_mut(BLOCK).enumerate() {
            sums.fill(T::ZERO);
            for (i, out) in (block * BLOCK..).zip(rows) {
                self.f.terms::<I>(row(i), self.first + i * self.inner, &extremes, out);
                for (sum, &term) in sums.iter_mut().zip(out.iter()) {
                    *sum += term;
                }
            }
            let carries = block.trailing_ones() as usize;
            for level in levels.chunks_exact(width).take(carries) {
                sums.iter_mut().zip(level).for_each(|(sum, &before)| *sum = before + *sum);
            }
            levels[carries * width..][..width].copy_from_slice(&sums);
        }
        // What is left, the smallest first.
        let mut total: Option<Partials<T>> = None;
        for (_, level) in levels.chunks_exact(width).enumerate().filter(|(n, _)| blocks >> n & 1 == 1) {
            let mut sum = Partials::equal(T::ZERO, width);
            sum.copy_from_slice(level);
            if let Some(smaller) = &total {
                sum.iter_mut().zip(&smaller[..]).for_each(|(sum, &smaller)| *sum += smaller);
            }
            total = Some(sum);
        }
        let mut total = total.expect("there are rows");
        self.f.sums::<I>(&mut total);
        for (i, out) in self.out.iter_mut().enumerate() {
            self.f.finish::<I>(row(i), self.first + i * self.inner, &extremes, &total, out);
        }
    }
}

/// `f` of all columns of `x`, seen as `[outer, length, inner]`.
fn columns<T: Float>(x: &[T], [length, inner]: [usize; 2], out: &mut [T], f: &impl Columns<T>) {
    if out.is_empty() {
        return;
    }
    let width = (STRIP / length / FEWEST * FEWEST).clamp(FEWEST, 256);
    for (outer, out) in out.chunks_exact_mut(length * inner).enumerate() {
        let mut strips: Vec<(usize, Vec<&mut [T]>)> =
            (0..inner).step_by(width).map(|first| (first, Vec::with_capacity(length))).collect();
        for row in out.chunks_exact_mut(inner) {
            strips.iter_mut().zip(row.chunks_mut(width)).for_each(|((_, rows), piece)| rows.push(piece));
        }
        let parallel = length * inner >= PARALLEL_THRESHOLD;
        parallel::for_each_chunk(&mut strips, 1, parallel, |_, strip| {
            let (first, rows) = &mut strip[0];
            dispatch(Strip { x, first: outer * length * inner + *first, inner, out: rows, f });
        });
    }
}

compiled_here! {
    /// eˣ / Σeˣ of every column, of `sizes` length and how many there are side by side.
    pub(crate) fn softmax<T: Float>(x: &[T], sizes: [usize; 2], out: &mut [T]) {
        columns(x, sizes, out, &Softmax);
    }
}

compiled_here! {
    /// x − ln Σeˣ of every column.
    pub(crate) fn log_softmax<T: Float>(x: &[T], sizes: [usize; 2], out: &mut [T]) {
        columns(x, sizes, out, &LogSoftmax);
    }
}

compiled_here! {
    /// y·(v − Σ y·v) of every column.
    pub(crate) fn gradient<T: Float>(y: &[T], v: &[T], sizes: [usize; 2], out: &mut [T]) {
        columns(y, sizes, out, &Gradient(v));
    }
}
