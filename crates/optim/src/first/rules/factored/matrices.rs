//! A tensor seen as matrices, and the pieces in which threads take them.

use wengert_tensor::parallel::{CHUNK, PARALLEL_THRESHOLD};

use crate::first::layout::Segment;

/// Elements of a matrix whose squares are summed over rows and columns together. Each such block has partial sums of its
/// own, which are added in order.
const BLOCK: usize = 1 << 18;

/// A tensor seen as matrices over its last two dimensions.
#[derive(Clone, Copy)]
pub(crate) struct Matrices {
    pub(super) count: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Matrices {
    /// `None` for a vector.
    pub(crate) fn of(segment: &Segment) -> Option<Self> {
        match *segment.shape.as_slice() {
            [.., rows, columns] if !segment.range.is_empty() => {
                Some(Matrices { count: segment.range.len() / (rows * columns), rows, columns })
            }
            _ => None,
        }
    }

    /// The rows of all matrices.
    pub(crate) fn all_rows(self) -> usize {
        self.count * self.rows
    }

    /// The columns of all matrices.
    pub(crate) fn all_columns(self) -> usize {
        self.count * self.columns
    }

    /// Rows of a block; the last of a matrix may have fewer.
    pub(super) fn block_rows(self) -> usize {
        (BLOCK / self.columns).clamp(1, self.rows)
    }

    /// Blocks of a matrix.
    pub(super) fn blocks(self) -> usize {
        self.rows.div_ceil(self.block_rows())
    }

    /// The partial sums of a block: over its rows, then over its columns.
    pub(super) fn block_sums(self) -> usize {
        self.block_rows() + self.columns
    }

    /// Matrices that one thread takes at a time.
    pub(super) fn group(self) -> usize {
        (CHUNK / (self.rows * self.columns)).max(1)
    }

    /// Rows that one thread takes at a time, of one matrix or of several.
    pub(super) fn row_group(self) -> usize {
        (CHUNK / self.columns).max(1)
    }

    pub(super) fn threaded(self) -> bool {
        self.all_rows() * self.columns >= PARALLEL_THRESHOLD
    }

    /// Elements of working space: the roots of every row and column, and the partial sums.
    pub(crate) fn workspace(self) -> usize {
        let sums = self.count * self.blocks() * self.block_sums();
        self.all_rows() + self.all_columns() + sums.max(self.all_rows().div_ceil(self.row_group()))
    }
}
