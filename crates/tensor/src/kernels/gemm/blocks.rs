//! The loops round the micro-kernels: operands read in place or packed, panels of them, and tiles of C.

use std::ops::Range;

use super::driver::{Output, Product};
use super::kernel::{Kernels, MAX_COLUMNS, MAX_ROWS, Tile};
use super::source::{Source, Strided};
use crate::array::element::Float;
use crate::kernels::scratch::{Slot, with_scratch};

/// Rows of a packed block of A, which stays in the L2 cache.
pub(super) const BLOCK_ROWS: usize = 96;
/// How large a panel of B may be that stays in the L1 cache beside what is read of A; of larger ones, rows are asked for this many
/// ahead, by tiles of enough rows to have the time for it.
const PANEL_IN_L1: usize = 20 << 10;
const ROWS_AHEAD: isize = 24;
const PREFETCHING_ROWS: usize = 6;
/// How large a block of rows may be that lie one behind the other and are read there, as a packed block would be.
const GAPLESS_BYTES: usize = 1 << 18;
/// How large a matrix by columns may be that is read where it lies.
const IN_PLACE_BYTES: usize = 1 << 22;
/// Rows of a matrix that are packed together, each from one panel to the next as it lies: with all rows of a panel at once, memory
/// would be read in short pieces far apart, which no prefetcher foresees.
const GROUP: usize = 8;

impl<T: Float, A: Source<T>, B: Source<T>> Product<'_, T, A, B> {
    /// Adds some terms of the sums to a block of C.
    ///
    /// # Safety
    /// As for [`block`](Self::block).
    pub(super) unsafe fn pass(
        &self,
        kernels: &Kernels<T>,
        rows: Range<usize>,
        columns: Range<usize>,
        terms: Range<usize>,
    ) {
        let width = kernels.columns();
        let panels = rows.len().div_ceil(kernels.rows);
        if let Some(b) = self.b.in_memory().filter(|b| b.column == 1 && panels <= 8) {
            let start = b.at(terms.start, columns.start);
            let b = PackedB { start, panel: width as isize, k: b.row, list: std::ptr::null() };
            // SAFETY: passed on; B's panels are the columns of B itself.
            return unsafe { self.row_blocks(kernels, rows, columns, terms, &b) };
        }
        if let Some(packed) = self.b.panels() {
            debug_assert_eq!(packed.width, width, "packed for other kernels");
            let b = PackedB::panels(packed.at(terms.start, columns.start), width, packed.depth);
            // SAFETY: passed on; B's panels were packed before, for these kernels.
            return unsafe { self.row_blocks(kernels, rows, columns, terms, &b) };
        }
        if let Some(b) = self.b.rows_in_memory() {
            let start = b.start.wrapping_add(columns.start);
            let b = PackedB { start, panel: width as isize, k: 0, list: b.list[terms.clone()].as_ptr() };
            // SAFETY: passed on; B's panels are the columns of B itself.
            return unsafe { self.row_blocks(kernels, rows, columns, terms, &b) };
        }
        let size = columns.len().next_multiple_of(width) * terms.len();
        with_scratch(Slot::Right, size, |buffer: *mut T| {
            // SAFETY: the buffer has `width · terms` elements for each panel.
            unsafe { pack_panels(self.b, terms.clone(), columns.clone(), buffer, width) };
            let b = PackedB::panels(buffer, width, terms.len());
            // SAFETY: passed on; the panels were just filled.
            unsafe { self.row_blocks(kernels, rows, columns, terms, &b) }
        });
    }

    /// Multiplies all of a block's rows of A with packed columns of B.
    ///
    /// # Safety
    /// As for [`block`](Self::block), and `b` holds the panels of `columns` and `terms`.
    pub(super) unsafe fn row_blocks(
        &self,
        kernels: &Kernels<T>,
        rows: Range<usize>,
        columns: Range<usize>,
        terms: Range<usize>,
        b: &PackedB<T>,
    ) {
        let panels = columns.len().div_ceil(kernels.columns());
        let shape = [rows.len().min(BLOCK_ROWS), self.k];
        let in_place = self.a.in_memory().filter(|a| reads_in_place(a, panels, shape));
        for first in rows.clone().step_by(BLOCK_ROWS) {
            let block = RowBlock {
                kernels,
                rows: first..rows.end.min(first + BLOCK_ROWS),
                columns: columns.clone(),
                terms: terms.clone(),
            };
            if let Some(a) = in_place {
                let start = a.at(block.rows.start, terms.start);
                let a = PackedA { start, row: a.row, k: a.column, panel: None };
                // SAFETY: passed on; A's panels are the rows of A itself.
                unsafe { self.tiles(&block, &a, b) };
            } else {
                // SAFETY: passed on.
                unsafe { self.packed_rows(&block, b) };
            }
        }
    }

    /// Packs the rows of A of a block and computes its tiles.
    ///
    /// # Safety
    /// As for [`row_blocks`](Self::row_blocks).
    unsafe fn packed_rows(&self, block: &RowBlock<'_, T>, b: &PackedB<T>) {
        let (height, depth) = (block.kernels.rows, block.terms.len());
        // An odd number of cache lines from row to row, so that the rows of a panel fall into different sets.
        let line = 64 / size_of::<T>();
        let stride = depth.next_multiple_of(2 * line) + line;
        with_scratch(Slot::Left, block.rows.len().next_multiple_of(height) * stride, |buffer: *mut T| {
            let a = if let Some(a) = self.a.in_memory().filter(|a| a.row == 1) {
                let panels = block.row_panels();
                // SAFETY: a panel is at most `height` rows of `depth` terms, less than `height · stride`; there are
                // as many panels as the buffer was made for.
                unsafe { pack_each(&a.transposed(), block.terms.clone(), panels, buffer, height) };
                PackedA {
                    start: buffer.cast_const(),
                    row: 1,
                    k: height as isize,
                    panel: Some(height * depth),
                }
            } else {
                // SAFETY: the buffer has `stride` elements for each row.
                unsafe { self.a.copy(block.rows.clone(), block.terms.clone(), buffer, stride) };
                PackedA { start: buffer.cast_const(), row: stride as isize, k: 1, panel: None }
            };
            // SAFETY: passed on; the panels were just filled.
            unsafe { self.tiles(block, &a, b) };
        });
    }

    /// The tiles of a block of C.
    ///
    /// # Safety
    /// As for [`block`](Self::block), and `a` and `b` hold the panels of the block.
    unsafe fn tiles(&self, block: &RowBlock<'_, T>, a: &PackedA<T>, b: &PackedB<T>) {
        let RowBlock { kernels, rows, columns, terms } = block;
        let beta = if terms.start == 0 { self.beta } else { T::ONE };
        let width = kernels.columns();
        for (panel, first) in columns.clone().step_by(width).enumerate() {
            let width = width.min(columns.end - first);
            for (p, part) in block.row_panels().enumerate() {
                let height = part.len();
                let start = match a.panel {
                    Some(size) => a.start.wrapping_add(p * size),
                    None => a.start.wrapping_offset((part.start - rows.start) as isize * a.row),
                };
                let mut tile = Tile {
                    k: terms.len(),
                    alpha: self.alpha,
                    a: start,
                    a_row: a.row,
                    a_k: a.k,
                    b: b.start.wrapping_offset(panel as isize * b.panel),
                    b_k: b.k,
                    b_list: b.list,
                    b_ahead: b.ahead(kernels.columns(), terms.len(), height),
                    tail: 0,
                    beta,
                    // SAFETY: the tile's first element is in C.
                    c: unsafe { self.c.at(part.start, first) },
                    c_row: self.c.row,
                };
                // SAFETY: the caller guarantees the operands and C; `height` and `width` are at most the kernels'.
                unsafe {
                    if self.c.column == 1 {
                        kernels.run(height, width, &mut tile);
                    } else {
                        run_scattered(kernels, height, width, &mut tile, &self.c);
                    }
                }
            }
        }
    }
}

/// Packs rows of an operand in panels of `width` columns, the last of which may be narrower.
///
/// # Safety
/// The ranges must lie within the operand, and the buffer must have `width` times the rows for each panel.
pub(super) unsafe fn pack_panels<T: Float>(
    source: &impl Source<T>,
    rows: Range<usize>,
    columns: Range<usize>,
    buffer: *mut T,
    width: usize,
) {
    let panels = columns.clone().step_by(width).map(|first| first..columns.end.min(first + width));
    // SAFETY: passed on.
    unsafe { pack_each(source, rows, panels, buffer, width) }
}

/// Packs the panels of these columns, of at most `width` each.
///
/// # Safety
/// As for [`pack_panels`].
unsafe fn pack_each<T: Float>(
    source: &impl Source<T>,
    rows: Range<usize>,
    panels: impl Iterator<Item = Range<usize>> + Clone,
    buffer: *mut T,
    width: usize,
) {
    let adjacent = source.in_memory().is_some_and(|matrix| matrix.column == 1);
    let group = if adjacent { GROUP } else { rows.len().max(1) };
    for first in rows.clone().step_by(group) {
        let part = first..rows.end.min(first + group);
        for (panel, columns) in panels.clone().enumerate() {
            let to = (panel * rows.len() + first - rows.start) * width;
            // SAFETY: as the caller guarantees; the parts of rows lie one behind the other in each panel.
            unsafe { source.copy(part.clone(), columns, buffer.add(to), width) };
        }
    }
}

/// A block of C, some terms of whose sums are computed at once.
struct RowBlock<'a, T: 'static> {
    kernels: &'a Kernels<T>,
    rows: Range<usize>,
    columns: Range<usize>,
    terms: Range<usize>,
}

impl<T: Float> RowBlock<'_, T> {
    /// The rows cut into as few panels as possible, as equal as possible: a last panel of one row would take
    /// as long as one of four, having too few independent sums.
    #[inline(always)]
    fn row_panels(&self) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
        let (start, count) = (self.rows.start, self.rows.len());
        let panels = count.div_ceil(self.kernels.rows);
        (0..panels).map(move |p| start + p * count / panels..start + (p + 1) * count / panels)
    }
}

/// Panels of A: element (row, p) of the block at `start + row · row_stride + p · k`, where each panel starts
/// anew at its own place if `panel` is given.
struct PackedA<T> {
    start: *const T,
    row: isize,
    k: isize,
    panel: Option<usize>,
}

/// Panels of B, each starting `panel` elements after the one before, with rows `k` elements apart, or at the
/// places of `list` unless that is null.
pub(super) struct PackedB<T> {
    start: *const T,
    panel: isize,
    k: isize,
    list: *const isize,
}

impl<T> PackedB<T> {
    /// Panels of `width` columns and `depth` rows, one behind the other.
    pub(super) fn panels(start: *const T, width: usize, depth: usize) -> Self {
        Self { start, panel: (width * depth) as isize, k: width as isize, list: std::ptr::null() }
    }

    /// What a tile of so many rows asks for ahead, in panels of `width` columns and `terms` rows.
    fn ahead(&self, width: usize, terms: usize, rows: usize) -> isize {
        let bytes = width * terms * size_of::<T>();
        if self.k > 4 * width as isize {
            // The next tile's part of rows that are far apart, which no prefetcher of the CPU foresees.
            width as isize
        } else if bytes > PANEL_IN_L1 && rows >= PREFETCHING_ROWS {
            ROWS_AHEAD * self.k
        } else {
            0
        }
    }
}

/// A tile for an output whose columns are not adjacent, by way of one whose columns are.
///
/// # Safety
/// As for [`Kernels::run`], with `c`'s column stride for the columns of the output.
unsafe fn run_scattered<T: Float>(
    k: &Kernels<T>,
    rows: usize,
    columns: usize,
    tile: &mut Tile<T>,
    c: &Output<T>,
) {
    let mut dense = [T::ZERO; MAX_ROWS * MAX_COLUMNS];
    let (out, beta) = (tile.c, tile.beta);
    (tile.c, tile.c_row, tile.beta) = (dense.as_mut_ptr(), MAX_COLUMNS as isize, T::ZERO);
    // SAFETY: `dense` has room for the largest tile; the operands are the caller's.
    unsafe { k.run(rows, columns, tile) };
    for (i, row) in dense.chunks_exact(MAX_COLUMNS).take(rows).enumerate() {
        for (j, &x) in row.iter().take(columns).enumerate() {
            // SAFETY: (i, j) is in the caller's tile of C.
            unsafe {
                let c = out.offset(i as isize * c.row + j as isize * c.column);
                *c = if beta == T::ZERO { x } else { beta.mul_add(*c, x) };
            }
        }
    }
}

/// Whether A is better read where it lies than packed, when each of its panels is used `panels` times; a block of it has so many rows
/// and columns.
fn reads_in_place<T: Float>(a: &Strided<T>, panels: usize, [rows, columns]: [usize; 2]) -> bool {
    let bytes = |count: usize, each: isize| each.unsigned_abs().saturating_mul(count * size_of::<T>());
    if a.column == 1 {
        // Rows that far apart share the few sets of the L1 cache, unless nothing lies between them.
        let collides = a.row.unsigned_abs().is_multiple_of(2048 / size_of::<T>());
        let gapless = a.row == columns as isize && bytes(rows, a.row) <= GAPLESS_BYTES;
        return panels == 1 || gapless || panels <= 4 && !collides;
    }
    // Each term is a short piece far from the next one, which no prefetcher foresees: so only what the caches may hold already.
    panels <= 4 && bytes(columns, a.column) <= IN_PLACE_BYTES
}
