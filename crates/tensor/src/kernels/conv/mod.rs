//! Convolution of images in NCHW and of volumes in NCDHW layout, forward and both gradients.
//!
//! As in all of deep learning, "convolution" is the cross-correlation: the kernel is not flipped.
//! Each direction is a matrix product of [`gemm`](crate::gemm) with the patches of the image, a matrix that never
//! exists: its rows are read from the image where they lie, or copied straight into the packing buffers. Of one channel with few
//! taps it is so many sums. Results have the same bits for any number of threads.

mod forward;
mod frame;
mod geometry;
mod input;
mod patches;
mod pieces;
mod single;
mod taps;
#[cfg(test)]
mod tests;
mod volume;
mod weight;
mod wide;

pub use forward::conv2d;
pub use geometry::{Conv1dOptions, Conv2dGeometry, Conv2dOptions, Conv3dOptions, ConvError, ConvOptions};
pub(crate) use geometry::{check_sizes, positions};
pub use input::conv2d_input_gradient;
pub use volume::{Conv3dGeometry, conv3d, conv3d_input_gradient, conv3d_weight_gradient};
pub use weight::conv2d_weight_gradient;

use crate::kernels::gemm::PARALLEL_WORK;
use crate::machine::parallel;

/// Calls `work(image, group, threaded)` for every image and group with a product of `[m, n, k]` each: one after the
/// other, each threaded, if they are fewer than the threads; else several at once on a thread each.
fn for_each_group(g: &Conv2dGeometry, product: [usize; 3], work: impl Fn(usize, usize, bool) + Sync + Send) {
    if product[..2].contains(&0) {
        return;
    }
    // With channels in each group, there are no more groups than channels.
    let groups = g.options().groups;
    let count = g.input_shape()[0] * groups;
    let total = product.iter().fold(count, |total, &n| total.saturating_mul(n));
    let at_once = count >= parallel::threads() && total >= PARALLEL_WORK;
    parallel::for_each(count, at_once, |i| work(i / groups, i % groups, !at_once));
}

/// Panics if a slice has another length than its shape.
#[track_caller]
pub(crate) fn check_len<const R: usize>(what: &str, len: usize, shape: [usize; R]) {
    assert!(len == shape.iter().product::<usize>(), "{what} has {len} elements, its shape is {shape:?}");
}
