//! A product cut into blocks of C, terms of the sums and tasks for threads: see [`blocks`](super::blocks) for what is done with
//! each.

use std::ops::Range;

use super::kernel::{Kernels, MAX_COLUMNS, MAX_ROWS};
use super::portable;
use super::source::Source;
use crate::array::element::Float;
use crate::machine::parallel;
use crate::machine::simd::Level;

/// About how many bytes of a row of A are added up in one pass over C: so many that C is read and written seldom, and so few that
/// packed blocks stay in their caches. Passes are visible in the last bits, unlike the other block sizes, so they
/// depend on k and the type alone.
const DEPTH_BYTES: usize = 3072;
/// Columns of a packed block of B, which stays in the L3 cache.
const BLOCK_COLUMNS: usize = 2048;
/// Multiply-adds below which a product stays on the calling thread.
pub(crate) const PARALLEL_WORK: usize = 1 << 18;
/// Multiply-adds that make a task worth its own packing, when there are more tasks than threads.
const TASK_WORK: usize = 1 << 24;

/// Where C goes: element (i, j) at `start + i · row + j · column`.
#[derive(Clone, Copy)]
pub(crate) struct Output<T> {
    pub(crate) start: *mut T,
    pub(crate) row: isize,
    pub(crate) column: isize,
}

// SAFETY: threads write disjoint blocks of the output, which whoever made it has borrowed mutably.
unsafe impl<T: Float> Sync for Output<T> {}
// SAFETY: as above.
unsafe impl<T: Float> Send for Output<T> {}

impl<T> Output<T> {
    /// The output that starts `by` elements later.
    #[inline(always)]
    pub(crate) fn shifted(self, by: isize) -> Self {
        Self { start: self.start.wrapping_offset(by), ..self }
    }

    /// The pointer to element (i, j).
    ///
    /// # Safety
    /// The element must exist.
    #[inline(always)]
    pub(super) unsafe fn at(&self, i: usize, j: usize) -> *mut T {
        // SAFETY: as the caller guarantees.
        unsafe { self.start.offset(i as isize * self.row + j as isize * self.column) }
    }
}

/// `C = alpha · A · B + beta · C` with A `m × k` and B `k × n`.
///
/// C is not read if `beta` is 0; A and B are not read if `alpha` is 0.
pub(crate) struct Product<'a, T, A, B> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) alpha: T,
    pub(crate) a: &'a A,
    pub(crate) b: &'a B,
    pub(crate) beta: T,
    pub(crate) c: Output<T>,
}

impl<T: Float, A: Source<T>, B: Source<T>> Product<'_, T, A, B> {
    /// Computes the product, on several threads if it is worth it.
    ///
    /// # Safety
    /// The CPU must have `level`; `a`, `b` and `c` must have all the elements of their shapes; no two elements
    /// of C share an address, and none is an element of A or B.
    pub(crate) unsafe fn run(&self, level: Level) {
        // SAFETY: passed on.
        unsafe { self.run_in_tasks(Kernels::of(level, self.n)) }
    }

    /// Computes the product of matrices of numbers, or of [pairs](super::bf16) if the CPU has kernels for them, on several threads if
    /// `threaded` and it is worth it.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    pub(super) unsafe fn run_in(&self, level: Level, pairs: bool, threaded: bool) {
        let kernels = if pairs { Kernels::of_pairs() } else { Kernels::of(level, self.n) };
        // SAFETY: passed on.
        unsafe {
            if threaded { self.run_in_tasks(kernels) } else { self.block(kernels, 0..self.m, 0..self.n) }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run).
    unsafe fn run_in_tasks(&self, kernels: Option<&'static Kernels<T>>) {
        let work = self.m.saturating_mul(self.n).saturating_mul(self.k);
        let threads = if work < PARALLEL_WORK { 1 } else { parallel::threads() };
        if threads == 1 {
            // SAFETY: passed on.
            return unsafe { self.block(kernels, 0..self.m, 0..self.n) };
        }
        let rounds = work / (threads * TASK_WORK);
        if let Some(kernels) = kernels
            && rounds > 1
            && self.packs_together()
            && self.alpha != T::ZERO
        {
            // SAFETY: passed on; where there is work there are terms.
            return unsafe { self.run_together(kernels, threads) };
        }
        // More tasks than threads even out cores of unequal speed, at the price of packing more often.
        let tasks = threads * rounds.clamp(1, 4);
        let (down, across) = grid(self.m, self.n, tasks);
        parallel::for_each(down * across, true, |task| {
            let rows = part(self.m, down, MAX_ROWS, task / across);
            let columns = part(self.n, across, MAX_COLUMNS, task % across);
            // SAFETY: passed on; the tasks' blocks of C are disjoint.
            unsafe { self.block(kernels, rows, columns) }
        });
    }

    /// Computes the product on the calling thread.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    #[inline]
    pub(crate) unsafe fn run_here(&self, level: Level) {
        // SAFETY: passed on.
        unsafe { self.block(Kernels::of(level, self.n), 0..self.m, 0..self.n) }
    }

    /// Computes a block of C.
    ///
    /// # Safety
    /// As for [`run`](Self::run), and the block must lie within C.
    unsafe fn block(&self, kernels: Option<&'static Kernels<T>>, rows: Range<usize>, columns: Range<usize>) {
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        if self.k == 0 || self.alpha == T::ZERO {
            // SAFETY: the block lies within C.
            return unsafe { scale(self.beta, &self.c, rows, columns) };
        }
        let Some(kernels) = kernels else {
            // SAFETY: passed on.
            return unsafe { portable::block(self, rows, columns) };
        };
        self.for_each_pass(columns, |columns, terms| {
            // SAFETY: passed on; all ranges are parts of the operands'.
            unsafe { self.pass(kernels, rows.clone(), columns, terms) };
        });
    }

    /// Calls `pass` for one block of these columns after the other, and for each with the terms of its passes.
    #[inline(always)]
    pub(super) fn for_each_pass(
        &self,
        columns: Range<usize>,
        mut pass: impl FnMut(Range<usize>, Range<usize>),
    ) {
        for first in columns.clone().step_by(BLOCK_COLUMNS) {
            for terms in passes::<T>(self.k) {
                pass(first..columns.end.min(first + BLOCK_COLUMNS), terms);
            }
        }
    }
}

/// `C = beta · C` on a block.
///
/// # Safety
/// The block must lie within C.
unsafe fn scale<T: Float>(beta: T, c: &Output<T>, rows: Range<usize>, columns: Range<usize>) {
    for i in rows {
        for j in columns.clone() {
            // SAFETY: the element is in C.
            unsafe {
                let c = c.at(i, j);
                *c = if beta == T::ZERO { T::ZERO } else { beta * *c };
            }
        }
    }
}

/// `0..k` in equal parts of between 3/4 and 3/2 of [`DEPTH_BYTES`]; less only if k is less.
fn passes<T>(k: usize) -> impl Iterator<Item = Range<usize>> {
    let count = pass_count::<T>(k);
    (0..count).map(move |i| edge(k, count, i)..edge(k, count, i + 1))
}

/// How many passes there are.
fn pass_count<T>(k: usize) -> usize {
    let depth = DEPTH_BYTES / size_of::<T>();
    (k / depth + usize::from(k % depth >= depth / 2)).max(1)
}

/// ⌊i · k / count⌋, for sums of any length: strides of 0 make them without memory.
fn edge(k: usize, count: usize, i: usize) -> usize {
    let (each, rest) = (k / count, k % count);
    match i.checked_mul(rest) {
        Some(part) => i * each + part / count,
        None => i * each + (i as u128 * rest as u128 / count as u128) as usize,
    }
}

/// `tasks` or fewer blocks of C, down and across, as square as its shape allows.
fn grid(m: usize, n: usize, tasks: usize) -> (usize, usize) {
    let (most_down, most_across) = (m.div_ceil(MAX_ROWS), n.div_ceil(MAX_COLUMNS));
    let mut best = (1, 1);
    let mut least = usize::MAX;
    for down in 1..=tasks.min(most_down) {
        let across = (tasks / down).clamp(1, most_across);
        // What has to be packed, once the largest block is as small as this many tasks make it.
        let size = m.div_ceil(down) * n.div_ceil(across);
        let packed = m * across + n * down;
        let cost = size.saturating_mul(1024).saturating_add(packed);
        if cost < least {
            (least, best) = (cost, (down, across));
        }
    }
    best
}

/// The range of part `index` when `size` is cut into `parts` parts at multiples of `unit`.
pub(super) fn part(size: usize, parts: usize, unit: usize, index: usize) -> Range<usize> {
    let units = size.div_ceil(unit);
    let edge = |i: usize| (i * units / parts * unit).min(size);
    edge(index)..edge(index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_cover_sums_of_any_length() {
        for k in (1..3000).step_by(7) {
            let cut: Vec<_> = passes::<f32>(k).collect();
            let count = cut.len();
            assert!(cut.iter().enumerate().all(|(i, p)| *p == (i * k / count..(i + 1) * k / count)), "{k}");
        }
        for k in [1 << 42, isize::MAX as usize, (1 << 61) + 12_345] {
            let count = pass_count::<f64>(k);
            for i in [1, count / 3, count - 1] {
                let exact = (i as u128 * k as u128 / count as u128) as usize;
                assert_eq!(edge(k, count, i), exact);
            }
            assert_eq!((edge(k, count, 0), edge(k, count, count)), (0, k));
        }
    }
}
