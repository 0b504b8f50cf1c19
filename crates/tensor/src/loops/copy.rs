//! Copying strided elements into consecutive memory.

use std::ops::Range;

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::tensor::Tensor;
use crate::compiled_here;
use crate::loops::nest::Nest;
use crate::loops::transpose::copy_squares;
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
        if stride.unsigned_abs() > 1 && nest.rows > 1 && nest.row_start(1)[0].wrapping_sub(nest.row_start(0)[0]) == 1 {
            return parallel::for_each_chunk(out, TILE * length, parallel, |start, chunk| {
                transpose_rows(source, &nest, start / length, chunk);
            });
        }
        if stride == 0 {
            return parallel::for_each_chunk(out, (CHUNK / length).max(1) * length, parallel, |start, chunk| {
                repeat_elements(source, &nest, start / length, chunk);
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
                    -1 => {
                        let backwards = source[from + 1 - length..=from].iter().rev();
                        target.iter_mut().zip(backwards).for_each(|(x, &y)| *x = y);
                    }
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
            [1, t] if t > 0 => {
                let targets = out[to..].iter_mut().step_by(t as usize);
                for (x, &y) in targets.zip(&source[from..from + length]) {
                    *x = y;
                }
            }
            [s, t] => {
                for i in 0..length as isize {
                    out[to.wrapping_add_signed(i * t)] = source[from.wrapping_add_signed(i * s)];
                }
            }
        });
    }
}

/// Fills the rows of `chunk`, from row `first`, with one element each.
fn repeat_elements<T: Element>(source: &[T], nest: &Nest<2>, first: usize, chunk: &mut [T]) {
    let length = nest.row_length;
    nest.for_runs(first..first + chunk.len() / length, |row, count, [from, _], [step, _]| {
        let rows = &mut chunk[(row - first) * length..][..count * length];
        let element = |i: usize| source[from.wrapping_add_signed(i as isize * step)];
        match length {
            2 => fill_rows::<T, 2>(rows, element),
            3 => fill_rows::<T, 3>(rows, element),
            4 => fill_rows::<T, 4>(rows, element),
            _ => rows.chunks_exact_mut(length).enumerate().for_each(|(i, row)| row.fill(element(i))),
        }
    });
}

/// Rows whose length the compiler knows.
#[inline(always)]
fn fill_rows<T: Element, const LENGTH: usize>(rows: &mut [T], element: impl Fn(usize) -> T) {
    for (i, row) in rows.as_chunks_mut::<LENGTH>().0.iter_mut().enumerate() {
        *row = [element(i); LENGTH];
    }
}

/// Copies the rows that fill `chunk`, from row `first`, in squares as far as they go.
fn transpose_rows<T: Element>(source: &[T], nest: &Nest<2>, first: usize, chunk: &mut [T]) {
    let (length, stride) = (nest.row_length, nest.row_strides[0]);
    nest.for_runs(first..first + chunk.len() / length, |row, count, [from, _], [step, _]| {
        let out = &mut chunk[(row - first) * length..][..count * length];
        let whole = if step == 1 {
            copy_squares(source, (from, stride), out, length, (count, length))
        } else {
            (0, length)
        };
        let mut one_by_one = |rows: Range<usize>, columns: Range<usize>| {
            for tile in columns.clone().step_by(TILE) {
                let tile = tile..columns.end.min(tile + TILE);
                for r in rows.clone() {
                    let from = from.wrapping_add_signed(r as isize * step);
                    for (c, x) in tile.clone().zip(&mut out[r * length..][tile.clone()]) {
                        *x = source[from.wrapping_add_signed(c as isize * stride)];
                    }
                }
            }
        };
        one_by_one(whole.0..count, 0..length);
        one_by_one(0..whole.0, whole.1..length);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths around the sides of squares and tiles, rows that lie together in blocks and apart, forwards and backwards.
    #[test]
    fn copies_of_views_have_the_elements_of_their_positions() {
        for shape in [[3, 8, 8], [2, 33, 40], [9, 7, 17], [40, 31, 9], [1, 64, 65], [5, 1, 12], [16, 16, 2]] {
            let count = shape.iter().product::<usize>();
            let single = Tensor::vector(&(0..count).map(|i| i as f32).collect::<Vec<_>>()).reshape(shape);
            for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let view = single.permute(axes);
                for view in [view.clone(), view.flip(0), view.flip(1), view.flip(2), view.flip(0).flip(2)] {
                    let expected: Vec<f32> = positions(&view.shape()[..]).map(|at| view.at(at)).collect();
                    assert_eq!(view.copied().to_vec(), expected, "{shape:?} by {axes:?}");
                    let bytes = view.map(|x: f32| x as u32 as u8);
                    assert_eq!(bytes.to_vec(), expected.iter().map(|&x| x as u32 as u8).collect::<Vec<_>>());
                }
            }
        }
        // One element for many: rows of all lengths, of more chunks than one, forwards and backwards.
        for (rows, count) in [
            ([3, 4], 2),
            ([3, 4], 3),
            ([5, 3], 4),
            ([2, 7], 5),
            ([1, 3], 40),
            ([1000, 37], 2),
            ([999, 13], 4),
        ] {
            let x = Tensor::from_fn(rows, |i| (i[0] * 31 + i[1]) as u8);
            for x in [x.clone(), x.flip(0), x.flip(1), x.t()] {
                let repeated = x.unsqueeze(2).broadcast_to([x.dim(0), x.dim(1), count]).copied();
                let expected: Vec<u8> =
                    x.to_vec().into_iter().flat_map(|x| std::iter::repeat_n(x, count)).collect();
                assert!(repeated.to_vec() == expected, "{rows:?} × {count}");
            }
        }
        // Rows of one element each, and short ones.
        let x = Tensor::from([[1u32, 2, 3], [4, 5, 6]]);
        assert_eq!(x.repeat_interleave(2, 1).to_vec(), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
        assert_eq!(x.t().repeat_interleave(2, 0).to_vec(), [1, 4, 1, 4, 2, 5, 2, 5, 3, 6, 3, 6]);
    }

    fn positions(shape: &[usize]) -> impl Iterator<Item = [usize; 3]> {
        let [a, b, c] = [shape[0], shape[1], shape[2]];
        (0..a * b * c).map(move |i| [i / (b * c), i / c % b, i % c])
    }
}
