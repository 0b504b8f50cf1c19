//! Cutting what is written into pieces that threads write independently.

use std::ops::Range;

use smallvec::SmallVec;

use super::geometry::AttentionGeometry;
use super::tile::ranges;
use crate::array::element::Float;
use crate::kernels::gemm::PARALLEL_WORK;
use crate::machine::parallel;

/// Some consecutive positions of one problem of the batch, with what two results have there: rows of all heads, one
/// position after the other.
pub(super) struct Piece<'a, T> {
    pub(super) batch: usize,
    pub(super) positions: Range<usize>,
    pub(super) first: &'a mut [T],
    pub(super) second: &'a mut [T],
}

/// Calls `work` for pieces of `size` positions of two results of shapes `[batch, length, heads, width]`, of which each may
/// have no elements, on several threads if the problem is large.
pub(super) fn for_each_piece<T: Float>(
    geometry: &AttentionGeometry,
    [length, heads]: [usize; 2],
    size: usize,
    results: [(&mut [T], usize); 2],
    work: &(dyn Fn(Piece<'_, T>) + Sync),
) {
    let [(mut first, first_width), (mut second, second_width)] = results;
    let mut pieces: SmallVec<[Option<Piece<'_, T>>; 64]> = SmallVec::new();
    for batch in 0..geometry.batch {
        for positions in ranges(length, size) {
            let rows = positions.len() * heads;
            let piece = Piece {
                batch,
                positions,
                first: split_off(&mut first, rows * first_width),
                second: split_off(&mut second, rows * second_width),
            };
            pieces.push(Some(piece));
        }
    }
    parallel::for_each_chunk(&mut pieces, 1, is_large(geometry), |_, piece| {
        work(piece[0].take().expect("each piece is worked on once"));
    });
}

/// The first elements, taken out.
fn split_off<'a, T>(rest: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let (taken, left) = std::mem::take(rest).split_at_mut(count);
    *rest = left;
    taken
}

/// Whether the work on all scores is worth several threads.
fn is_large(geometry: &AttentionGeometry) -> bool {
    let AttentionGeometry { batch, heads, queries, keys, width, value_width, .. } = *geometry;
    [batch, heads, queries, keys, width + value_width].into_iter().fold(1, usize::saturating_mul)
        >= PARALLEL_WORK
}

/// The rows of one head, `width` elements each, in what a piece has of all `heads`.
pub(super) fn copy_head<T: Float>(rows: &[T], [head, heads, width]: [usize; 3], out: &mut [T]) {
    if width > 0 {
        for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact_mut(heads * width)) {
            out[head * width..][..width].copy_from_slice(row);
        }
    }
}
