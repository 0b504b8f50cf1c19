//! Loops that fill a tensor block by block: joining, indexing, scattering, triangles.

use crate::array::element::Element;
use crate::array::shape::Shape;
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};

impl Shape {
    /// The numbers of elements before, along and after axis `axis`: a contiguous tensor seen as
    /// `[outer, length, inner]`.
    pub(crate) fn around(&self, axis: usize) -> (usize, usize, usize) {
        (self[..axis].iter().product(), self[axis], self[axis + 1..].iter().product())
    }
}

/// Calls `write(i, block)` for each of the consecutive blocks of `size` elements of `out`, in parallel where large.
pub(crate) fn for_each_block<R: Element>(
    out: &mut [R],
    size: usize,
    write: impl Fn(usize, &mut [R]) + Sync + Send,
) {
    for_each_run_of_blocks(out, size, |first, run| {
        for (i, block) in run.chunks_exact_mut(size).enumerate() {
            write(first + i, block);
        }
    });
}

/// The same for runs of blocks: `write(i, run)` writes those from number `i` on.
pub(crate) fn for_each_run_of_blocks<R: Element>(
    out: &mut [R],
    size: usize,
    write: impl Fn(usize, &mut [R]) + Sync + Send,
) {
    if out.is_empty() {
        return;
    }
    let (blocks, parallel) = ((CHUNK / size).max(1), out.len() >= PARALLEL_THRESHOLD);
    parallel::for_each_chunk(out, blocks * size, parallel, |start, run| write(start / size, run));
}

/// A run of neighbouring rows of a target seen as `[outer, length, inner]`, all with the same outer index.
pub(crate) struct Band<'a, T> {
    /// The outer index.
    pub(crate) outer: usize,
    /// The first row.
    pub(crate) first: usize,
    /// The rows, of `inner` elements each.
    pub(crate) rows: &'a mut [T],
}

impl<T> Band<'_, T> {
    /// The elements from element `offset` of row `row` on, if the band has that row.
    #[inline(always)]
    pub(crate) fn at(&mut self, row: u32, inner: usize, offset: usize) -> Option<&mut [T]> {
        let from = (row as usize).checked_sub(self.first)? * inner + offset;
        self.rows.get_mut(from..)
    }
}

/// Cuts `target`, seen as `[outer, length, inner]`, into bands for scattering `sources` elements, and calls `work`
/// on each. Every band takes what falls into it in the order of the source, so the cut does not change the result.
pub(crate) fn for_each_band<T: Element>(
    target: &mut [T],
    (outer, length, inner): (usize, usize, usize),
    sources: usize,
    work: impl Fn(Band<'_, T>) + Sync + Send,
) {
    if target.is_empty() {
        return;
    }
    let parallel = sources >= PARALLEL_THRESHOLD;
    // Each band reads all indices of its outer position, so there are no more bands than threads.
    let bands = if parallel && outer == 1 { parallel::threads() } else { 1 };
    parallel::for_each_chunk(target, length.div_ceil(bands) * inner, parallel, |start, rows| {
        let (outer, first) = (start / (length * inner), start % (length * inner) / inner);
        work(Band { outer, first, rows });
    });
}
