//! An operand packed once for many products.

use std::marker::PhantomData;
use std::ops::Range;

use super::blocks::pack_panels;
use super::kernel::{Kernels, MAX_COLUMNS};
use super::source::{Source, Strided};
use crate::array::element::Float;
use crate::kernels::scratch::{Slot, with_scratch};
use crate::machine::simd::Level;

/// A right operand in panels as the kernels read them: the columns of a tile, row by row, one panel behind the other.
pub(crate) struct Panels<'a, T> {
    pub(super) start: *const T,
    /// Columns of a panel; of the last one some may be missing.
    pub(super) width: usize,
    /// Rows.
    pub(super) depth: usize,
    buffer: PhantomData<&'a T>,
}

// SAFETY: the elements are only read, and are `Sync` for every `T` that this is used with.
unsafe impl<T: Float> Sync for Panels<'_, T> {}

impl<T: Float> Panels<'_, T> {
    /// Calls `work` with a matrix of `[rows, columns]`, packed for products at this level. The buffer is the thread's own of
    /// [`Slot::Operation`].
    ///
    /// # Safety
    /// The matrix must have all elements of its shape.
    pub(crate) unsafe fn with<R>(
        level: Level,
        matrix: Strided<T>,
        [rows, columns]: [usize; 2],
        work: impl FnOnce(&Panels<'_, T>) -> R,
    ) -> R {
        let width = Kernels::<T>::of(level, columns).map_or(MAX_COLUMNS, Kernels::columns);
        let size = columns.next_multiple_of(width) * rows;
        with_scratch(Slot::Operation, size, |buffer: *mut T| {
            // SAFETY: the buffer has `width · rows` elements for each panel; the matrix is as the caller says.
            unsafe { pack_panels(&matrix, 0..rows, 0..columns, buffer, width) };
            work(&Panels { start: buffer, width, depth: rows, buffer: PhantomData })
        })
    }

    /// Where the panel that begins with a column begins with a row.
    #[inline(always)]
    pub(super) fn at(&self, row: usize, column: usize) -> *const T {
        debug_assert!(column.is_multiple_of(self.width));
        self.start.wrapping_add(column * self.depth + row * self.width)
    }
}

// SAFETY: every element of the block is written.
unsafe impl<T: Float> Source<T> for Panels<'_, T> {
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        for (r, row) in rows.enumerate() {
            for (c, column) in columns.clone().enumerate() {
                let within = column % self.width;
                // SAFETY: the caller guarantees the block within the operand and within `to`.
                unsafe {
                    *to.add(r * stride + c) = *self.at(row, column - within).add(within);
                }
            }
        }
    }

    #[inline(always)]
    fn panels(&self) -> Option<&Panels<'_, T>> {
        Some(self)
    }
}
