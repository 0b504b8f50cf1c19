//! Two-dimensional pooling of images in NCHW layout: maxima and means of windows, and their gradients.
//!
//! Planes are independent of each other, so results have the same bits for any number of threads.

mod average;
mod geometry;
mod max;
#[cfg(test)]
mod tests;

pub use average::{Divisor, avg_pool2d, avg_pool2d_gradient};
pub use geometry::Pool2dGeometry;
pub use max::{max_pool2d, pool_gather, pool_scatter};

use crate::array::element::Float;
use crate::machine::parallel;

/// How many planes of `pixels` pixels make a task.
fn planes_at_once(pixels: usize) -> usize {
    parallel::CHUNK.div_ceil(pixels.max(1))
}

/// Calls `work(i, plane)` for every plane of `size` elements of `out`, in parallel where there are many. Planes of the
/// larger side of the pooling have `pixels`.
fn for_each_plane<T: Float>(
    out: &mut [T],
    size: usize,
    pixels: usize,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    if out.is_empty() {
        return;
    }
    let at_once = planes_at_once(pixels);
    let parallel = out.len() / size * pixels >= parallel::PARALLEL_THRESHOLD;
    parallel::for_each_chunk(out, at_once * size, parallel, |start, planes| {
        for (i, plane) in planes.chunks_exact_mut(size).enumerate() {
            work(start / size + i, plane);
        }
    });
}
