//! Where the operands of a product come from.

use std::ops::Range;

use super::panels::Panels;
#[cfg(target_arch = "x86_64")]
use crate::array::element::ElementKind;
use crate::array::element::Float;
#[cfg(target_arch = "x86_64")]
use crate::loops::transpose;
#[cfg(target_arch = "x86_64")]
use crate::machine::simd::{self, Level};

/// An operand: anything that can copy a block of its elements row by row into a packing buffer.
///
/// A matrix in memory is one; the patches of an image, which exist as a matrix only block by block in those
/// buffers, are another.
///
/// # Safety
/// [`copy`](Source::copy) must write every element of the block and nothing else.
pub(crate) unsafe trait Source<T>: Sync {
    /// Writes element (row, column) to `to[(row − rows.start) · stride + (column − columns.start)]` for every
    /// row and column of the ranges.
    ///
    /// # Safety
    /// The ranges must lie within the operand, and all those elements of `to` must be writable.
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize);

    /// The operand as a matrix in memory, if it is one: then it may be read where it lies.
    #[inline(always)]
    fn in_memory(&self) -> Option<Strided<T>> {
        None
    }

    /// The operand as panels that were packed before, if it is that.
    #[inline(always)]
    fn panels(&self) -> Option<&Panels<'_, T>> {
        None
    }

    /// The operand as rows in memory, if it is that: then it may be read where it lies.
    #[inline(always)]
    fn rows_in_memory(&self) -> Option<Rows<'_, T>> {
        None
    }
}

/// Rows of adjacent elements in memory: element (i, j) is at `start + list[i] + j`. Rows may overlap.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) start: *const T,
    pub(crate) list: &'a [isize],
}

// SAFETY: the elements are only read, and are `Sync` for every `T` that this is used with; whoever makes
// `Rows` keeps them borrowed while it is in use.
unsafe impl<T: Float> Sync for Rows<'_, T> {}

// SAFETY: every row of the block is filled.
unsafe impl<T: Float> Source<T> for Rows<'_, T> {
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        for (r, &row) in self.list[rows].iter().enumerate() {
            // SAFETY: the caller guarantees the block within the operand and within `to`.
            unsafe {
                let from = self.start.offset(row).add(columns.start);
                copy_run(from, to.add(r * stride), columns.len());
            }
        }
    }

    #[inline(always)]
    fn rows_in_memory(&self) -> Option<Rows<'_, T>> {
        Some(*self)
    }
}

/// A matrix in memory: element (i, j) is at `start + i · row + j · column`.
#[derive(Clone, Copy)]
pub(crate) struct Strided<T> {
    pub(crate) start: *const T,
    pub(crate) row: isize,
    pub(crate) column: isize,
}

// SAFETY: the elements are only read, and are `Sync` for every `T` that this is used with; whoever makes a
// `Strided` keeps them borrowed while it is in use.
unsafe impl<T: Float> Sync for Strided<T> {}
// SAFETY: as above.
unsafe impl<T: Float> Send for Strided<T> {}

impl<T> Strided<T> {
    /// The pointer to element (i, j), which need not exist.
    #[inline(always)]
    pub(crate) fn at(&self, i: usize, j: usize) -> *const T {
        self.start.wrapping_offset(i as isize * self.row + j as isize * self.column)
    }

    /// The transposed matrix.
    #[inline(always)]
    pub(crate) fn transposed(self) -> Self {
        Self { start: self.start, row: self.column, column: self.row }
    }
}

impl<T: Float> Strided<T> {
    /// Copies what squares in registers can take, and returns how many rows and columns that are.
    ///
    /// # Safety
    /// As for [`Source::copy`], for a block that begins at the first element.
    unsafe fn copy_squares(&self, rows: usize, columns: usize, to: *mut T, stride: usize) -> (usize, usize) {
        #[cfg(target_arch = "x86_64")]
        if self.row == 1 && T::KIND == ElementKind::F32 && simd::level() != Level::Baseline {
            let (from, to) = (self.start.cast(), to.cast());
            // SAFETY: the level was found on this CPU; the caller guarantees the elements, whose type is `f32`.
            return unsafe { transpose::squares(from, self.column, to, stride, rows, columns) };
        }
        let _ = (rows, columns, to, stride);
        (0, columns)
    }

    /// Copies part of a block, [`STREAMS`] columns at a time.
    ///
    /// # Safety
    /// As for [`Source::copy`], for a block that begins at the first element.
    unsafe fn copy_one_by_one(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        for first in columns.clone().step_by(STREAMS) {
            let streams = STREAMS.min(columns.end - first);
            for r in rows.clone() {
                // SAFETY: row r and column `first` are in the block.
                let (from, to) = unsafe {
                    (
                        self.start.offset(r as isize * self.row + first as isize * self.column),
                        to.add(r * stride + first),
                    )
                };
                for c in 0..streams {
                    // SAFETY: so is column `first + c`.
                    unsafe { *to.add(c) = *from.offset(c as isize * self.column) };
                }
            }
        }
    }
}

/// Columns of a block of a transposing copy: as many input streams as the prefetchers follow, and a whole
/// number of output cache lines.
const STREAMS: usize = 16;

// SAFETY: each way visits every element of the block once.
unsafe impl<T: Float> Source<T> for Strided<T> {
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        let width = columns.len();
        if self.column == 1 {
            for (r, i) in rows.enumerate() {
                // SAFETY: the caller guarantees the block within the matrix and within `to`; they are apart.
                unsafe { copy_run(self.at(i, columns.start), to.add(r * stride), width) };
            }
            return;
        }
        let block = Strided { start: self.at(rows.start, columns.start), ..*self };
        // SAFETY: the caller guarantees the block; its parts do not overlap and make it up.
        unsafe {
            let whole = block.copy_squares(rows.len(), width, to, stride);
            block.copy_one_by_one(whole.0..rows.len(), 0..width, to, stride);
            block.copy_one_by_one(0..whole.0, whole.1..width, to, stride);
        }
    }

    #[inline(always)]
    fn in_memory(&self) -> Option<Strided<T>> {
        Some(*self)
    }
}

/// Copies `len` adjacent elements. Packing makes many short runs, for which a call of `memcpy` takes longer than
/// the copy.
///
/// # Safety
/// As for [`std::ptr::copy_nonoverlapping`].
#[inline(always)]
pub(crate) unsafe fn copy_run<T: Copy>(from: *const T, to: *mut T, len: usize) {
    // SAFETY: every piece lies within the first `len` elements; the last two may overlap.
    unsafe {
        if len > 128 {
            std::ptr::copy_nonoverlapping(from, to, len);
        } else if len >= 8 {
            for i in (0..len - 7).step_by(8) {
                copy_piece::<T, 8>(from.add(i), to.add(i));
            }
            copy_piece::<T, 8>(from.add(len - 8), to.add(len - 8));
        } else if len >= 4 {
            copy_piece::<T, 4>(from, to);
            copy_piece::<T, 4>(from.add(len - 4), to.add(len - 4));
        } else {
            for i in 0..len {
                to.add(i).write(from.add(i).read());
            }
        }
    }
}

/// Copies `N` elements.
///
/// # Safety
/// As for [`std::ptr::copy_nonoverlapping`].
#[inline(always)]
unsafe fn copy_piece<T: Copy, const N: usize>(from: *const T, to: *mut T) {
    // SAFETY: as the caller guarantees.
    unsafe { to.cast::<[T; N]>().write_unaligned(from.cast::<[T; N]>().read_unaligned()) }
}
