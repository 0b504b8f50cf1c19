//! The rows of a batch, one for each example.

use wengert_tensor::Shape;
use wengert_tensor::parallel::{PARALLEL_THRESHOLD, for_each_chunk};

/// Rows that are written by one piece of parallel work.
const ROWS: usize = 32;

/// The shape of so many examples.
pub(crate) fn shape(count: usize, example: &[usize]) -> Shape {
    [count].iter().chain(example).copied().collect()
}

/// Calls `write(position, row)` for every row of `out`, each of `width` elements, with the position that belongs to it.
pub(crate) fn fill<T: Send>(
    out: &mut [T],
    width: usize,
    positions: &[u32],
    write: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    if width == 0 {
        return;
    }
    let parallel = out.len() > PARALLEL_THRESHOLD;
    for_each_chunk(out, ROWS * width, parallel, |start, chunk| {
        let positions = &positions[start / width..];
        for (row, &position) in chunk.chunks_exact_mut(width).zip(positions) {
            write(position as usize, row);
        }
    });
}
