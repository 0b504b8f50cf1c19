//! The patches of an image as a matrix that exists only block by block in packing buffers.

use std::ops::Range;

use crate::array::element::Float;
use crate::kernels::gemm::{Source, copy_run};

/// The matrix whose rows are the taps and whose columns are the positions (y, x) of the kernel, with the pixel that the
/// tap meets.
pub(super) struct Patches<'a, T> {
    /// The framed image.
    pub(super) image: *const T,
    /// The distance of each tap from the position.
    pub(super) distances: &'a [isize],
    /// Positions in a row of them.
    pub(super) width: usize,
    /// From one row of positions to the next in the frame.
    pub(super) row: usize,
}

// SAFETY: the pixels are only read, and `Frame::with_image` keeps the image borrowed.
unsafe impl<T: Float> Sync for Patches<'_, T> {}

// SAFETY: the runs cover the columns once, and each is filled for every row.
unsafe impl<T: Float> Source<T> for Patches<'_, T> {
    unsafe fn copy(&self, rows: Range<usize>, columns: Range<usize>, to: *mut T, stride: usize) {
        let (mut y, mut x) = (columns.start / self.width, columns.start % self.width);
        let mut done = 0;
        // The columns in runs that stay in one row of positions.
        while done < columns.len() {
            let len = (self.width - x).min(columns.len() - done);
            let position = self.image.wrapping_add(y * self.row + x);
            for (r, &distance) in self.distances[rows.clone()].iter().enumerate() {
                // SAFETY: the row of the block is the caller's; by the choice of the frame, whose size was checked when it
                // was made, every tap meets a pixel of it at every position.
                unsafe { copy_run(position.wrapping_offset(distance), to.add(r * stride + done), len) };
            }
            done += len;
            (y, x) = (y + 1, 0);
        }
    }
}
