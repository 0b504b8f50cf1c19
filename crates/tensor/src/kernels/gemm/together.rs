//! Large products, whose right operand the threads pack together, once for all of them.
//!
//! Blocks of C that are computed apart each pack what they read, so that eight of them pack one operand four times and the other
//! twice. Here a pass over C packs the right operand first, each thread some panels of it, and all rows of the left one meet them.

use std::ops::Range;

use super::blocks::{BLOCK_ROWS, PackedB, pack_panels};
use super::driver::{Product, part};
use super::kernel::{Kernels, MAX_ROWS};
use super::source::Source;
use crate::array::element::Float;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::parallel;

/// Tasks for each thread, so that cores of unequal speed end at about the same time.
const TASKS_PER_THREAD: usize = 8;

/// Panels of the right operand that are being packed, or read, by several threads.
struct Buffer<T>(*mut T);

// SAFETY: threads write panels of their own, and all only read when those are written.
unsafe impl<T: Float> Sync for Buffer<T> {}

impl<T> Buffer<T> {
    /// Where element `i` is.
    ///
    /// # Safety
    /// There must be one.
    unsafe fn at(&self, i: usize) -> *mut T {
        // SAFETY: as the caller guarantees.
        unsafe { self.0.add(i) }
    }
}

impl<T: Float, A: Source<T>, B: Source<T>> Product<'_, T, A, B> {
    /// Whether each pass packs the right operand, and blocks of C would do so several times as they are not wide.
    pub(super) fn packs_together(&self) -> bool {
        let packs = self.b.panels().is_none() && self.b.rows_in_memory().is_none();
        packs && self.m >= 2 * BLOCK_ROWS && self.m >= self.n / 2
    }

    /// Computes the product on several threads.
    ///
    /// # Safety
    /// As for [`run`](Self::run), and there are terms.
    pub(super) unsafe fn run_together(&self, kernels: &Kernels<T>, threads: usize) {
        self.for_each_pass(0..self.n, |columns, terms| {
            // SAFETY: passed on; the ranges are parts of the operands'.
            unsafe { self.pass_together(kernels, threads, columns, terms) };
        });
    }

    /// Adds some terms of the sums to these columns of C.
    ///
    /// # Safety
    /// As for [`run_together`](Self::run_together); the ranges must lie within the operands.
    unsafe fn pass_together(
        &self,
        kernels: &Kernels<T>,
        threads: usize,
        columns: Range<usize>,
        terms: Range<usize>,
    ) {
        let width = kernels.columns();
        let depth = terms.len();
        let panels = columns.len().div_ceil(width);
        let tasks = threads * TASKS_PER_THREAD;
        let within = |across: usize, index: usize| {
            let own = part(columns.len(), across, width, index);
            (own.start * depth, columns.start + own.start..columns.start + own.end)
        };
        with_scratch(Slot::Right, panels * width * depth, |buffer: *mut T| {
            let buffer = &Buffer(buffer);
            let packing = tasks.min(panels);
            parallel::for_each(packing, true, |task| {
                let (at, own) = within(packing, task);
                // SAFETY: the buffer has `width · depth` elements for each panel; the tasks' panels are disjoint.
                unsafe { pack_panels(self.b, terms.clone(), own, buffer.at(at), width) };
            });
            let down = self.m.div_ceil(BLOCK_ROWS).next_multiple_of(threads);
            let across = (tasks / down).clamp(1, panels);
            parallel::for_each(down * across, true, |task| {
                let (at, own) = within(across, task % across);
                // SAFETY: the part begins within the buffer.
                let start = unsafe { buffer.at(at).cast_const() };
                let b = PackedB::panels(start, width, depth);
                let rows = part(self.m, down, MAX_ROWS, task / across);
                if !rows.is_empty() {
                    // SAFETY: passed on; the panels were just filled, and the tasks' blocks of C are disjoint.
                    unsafe { self.row_blocks(kernels, rows, own, terms.clone(), &b) };
                }
            });
        });
    }
}
