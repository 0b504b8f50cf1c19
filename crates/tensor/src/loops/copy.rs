//! Copying strided elements into consecutive memory.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::nest::Nest;
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};

/// Side of the square that a transposing copy moves at once: its two sides' cache lines fit in L1.
const TILE: usize = 32;

impl<T: Element> Tensor<T> {
    /// A contiguous copy in fresh storage.
    #[track_caller]
    pub fn copied(&self) -> Tensor<T> {
        self.copied_for("copied")
    }

    /// [`copied`](Tensor::copied) for an operation of that name.
    #[track_caller]
    pub(crate) fn copied_for(&self, operation: &str) -> Tensor<T> {
        let source = self.storage.as_slice();
        Tensor::filled_by(operation, self.shape().clone(), |out| copy_to(source, &self.layout, out))
    }
}

compiled_here! {
    /// Writes the elements of `layout` over `source` to `out` in row-major order.
    pub(crate) fn copy_to<T: Element>(source: &[T], layout: &Layout, out: &mut [T]) {
        if out.is_empty() {
            return;
        }
        let nest = Nest::new([layout, &Layout::contiguous(layout.shape.clone())]);
        let (length, stride) = (nest.row_length, nest.row_strides[0]);
        let parallel = out.len() >= PARALLEL_THRESHOLD;
        // Rows that lie across memory, next to each other: tiles of several rows use each cache line whole.
        if stride.unsigned_abs() > 1
            && nest.rows > 1
            && nest.row_start(1)[0].wrapping_sub(nest.row_start(0)[0]) == 1
        {
            return parallel::for_each_chunk(out, TILE * length, parallel, |start, chunk| {
                transpose_rows(source, &nest, start / length, chunk);
            });
        }
        let rows_per_chunk = (CHUNK / length).max(1);
        parallel::for_each_chunk(out, rows_per_chunk * length, parallel, |start, chunk| {
            let rows = start / length..(start + chunk.len()) / length;
            let first = rows.start;
            nest.for_rows(rows, |row, [from, _]| {
                let target = &mut chunk[(row - first) * length..][..length];
                match stride {
                    1 => target.copy_from_slice(&source[from..from + length]),
                    0 => target.fill(source[from]),
                    _ => {
                        for (i, x) in target.iter_mut().enumerate() {
                            *x = source[from.wrapping_add_signed(i as isize * stride)];
                        }
                    }
                }
            });
        });
    }
}

compiled_here! {
    /// Writes the elements of `layout` over `source` to the places of `target` in `out`, a layout of the same shape.
    pub(crate) fn copy_into<T: Element>(source: &[T], layout: &Layout, out: &mut [T], target: &Layout) {
        if layout.shape.contains(&0) {
            return;
        }
        let nest = Nest::new([layout, target]);
        let length = nest.row_length;
        nest.for_rows(0..nest.rows, |_, [from, to]| match nest.row_strides {
            [1, 1] => out[to..to + length].copy_from_slice(&source[from..from + length]),
            [0, 1] => out[to..to + length].fill(source[from]),
            [s, t] => {
                for i in 0..length as isize {
                    out[to.wrapping_add_signed(i * t)] = source[from.wrapping_add_signed(i * s)];
                }
            }
        });
    }
}

/// Copies the rows that fill `chunk`, from row `first`, a tile of columns at a time.
fn transpose_rows<T: Element>(source: &[T], nest: &Nest<2>, first: usize, chunk: &mut [T]) {
    let (length, stride) = (nest.row_length, nest.row_strides[0]);
    for column in (0..length).step_by(TILE) {
        let columns = TILE.min(length - column);
        nest.for_rows(first..first + chunk.len() / length, |row, [from, _]| {
            let target = &mut chunk[(row - first) * length + column..][..columns];
            for (i, x) in target.iter_mut().enumerate() {
                *x = source[from.wrapping_add_signed((column + i) as isize * stride)];
            }
        });
    }
}
