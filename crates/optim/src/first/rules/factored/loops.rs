//! The loops over matrices: sums of squares over rows and columns, and the step.

use std::array;
use std::ops::Range;

use wengert_tensor::Float;
use wengert_tensor::parallel;
use wengert_tensor::simd::{Isa, Kernel, dispatch};

use super::Roots;
use super::matrices::Matrices;
use crate::first::loops::{Pass, ReadingUpdate, no_lanes};

/// The sums of g² over rows and columns, for each block.
pub(super) fn sum_squares<T: Float>(matrices: Matrices, grads: &[T], sums: &mut [T]) {
    let size = matrices.block_sums();
    // Matrices of several blocks are large; of the others a thread takes a group.
    let together = if matrices.blocks() == 1 { matrices.group() } else { 1 };
    parallel::for_each_chunk(sums, together * size, matrices.threaded(), |start, sums| {
        dispatch(Squares { matrices, grads, first: start / size, sums });
    });
}

/// The sum of u² over a tensor.
pub(super) fn squares_of_update<T: Float>(
    matrices: Matrices,
    grads: &[T],
    roots: Roots<'_, T>,
    work: &mut [T],
) -> f64 {
    let (group, all) = (matrices.row_group(), matrices.all_rows());
    let sums = &mut work[..all.div_ceil(group)];
    parallel::for_each_chunk(sums, 1, matrices.threaded(), |index, sum| {
        let rows = index * group..all.min((index + 1) * group);
        sum[0] = T::from_f64(dispatch(UpdateSquares { matrices, grads, rows, roots }));
    });
    sums.iter().map(|x| x.to_f64()).sum()
}

/// The sums of g² over the rows and columns of some blocks.
struct Squares<'a, T> {
    matrices: Matrices,
    /// Of the whole tensor.
    grads: &'a [T],
    /// The number of the first block.
    first: usize,
    sums: &'a mut [T],
}

impl<T: Float> Kernel for Squares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Matrices { rows: r, columns: c, .. } = self.matrices;
        let (height, blocks) = (self.matrices.block_rows(), self.matrices.blocks());
        for (i, sums) in self.sums.chunks_exact_mut(height + c).enumerate() {
            let (matrix, block) = ((self.first + i) / blocks, (self.first + i) % blocks);
            let (row_sums, column_sums) = sums.split_at_mut(height);
            column_sums.fill(T::ZERO);
            let rows = height.min(r - block * height);
            row_sums[rows..].fill(T::ZERO);
            let grads = &self.grads[(matrix * r + block * height) * c..][..rows * c];
            for (sums, grads) in row_sums[..rows].chunks_mut(ROWS).zip(grads.chunks(ROWS * c)) {
                if sums.len() == ROWS {
                    add_squares::<T, I, ROWS>(grads, column_sums, sums);
                } else {
                    for (sum, row) in sums.chunks_mut(1).zip(grads.chunks_exact(c)) {
                        add_squares::<T, I, 1>(row, column_sums, sum);
                    }
                }
            }
        }
    }
}

/// Rows that are read side by side, so that sums over columns are fetched once for all of them.
const ROWS: usize = 4;

/// Adds the squares of `R` rows to the sums over columns, and writes the sum over each row.
#[inline(always)]
fn add_squares<T: Float, I: Isa, const R: usize>(grads: &[T], columns: &mut [T], sums: &mut [T]) {
    let c = columns.len();
    let rows: [&[T]; R] = array::from_fn(|r| &grads[r * c..][..c]);
    let mut totals = [0.0; R];
    for (run, columns) in columns.chunks_mut(RUN).enumerate() {
        let rows = rows.map(|row| row[run * RUN..][..columns.len()].as_chunks::<LANES>());
        let mut lanes = [[T::ZERO; LANES]; R];
        let (columns, columns_tail) = columns.as_chunks_mut::<LANES>();
        for (b, columns) in columns.iter_mut().enumerate() {
            let mut sums = *columns;
            for r in 0..R {
                let g = rows[r].0[b];
                for i in 0..LANES {
                    sums[i] = I::mul_add(g[i], g[i], sums[i]);
                    lanes[r][i] = I::mul_add(g[i], g[i], lanes[r][i]);
                }
            }
            *columns = sums;
        }
        for (i, column) in columns_tail.iter_mut().enumerate() {
            for r in 0..R {
                let g = rows[r].1[i];
                *column = I::mul_add(g, g, *column);
                lanes[r][i] = I::mul_add(g, g, lanes[r][i]);
            }
        }
        for (total, lanes) in totals.iter_mut().zip(lanes) {
            *total += lanes.iter().map(|x| x.to_f64()).sum::<f64>();
        }
    }
    sums.iter_mut().zip(totals).for_each(|(sum, total)| *sum = T::from_f64(total));
}

/// The sum of u² over some rows.
struct UpdateSquares<'a, T> {
    matrices: Matrices,
    /// Of the whole tensor.
    grads: &'a [T],
    rows: Range<usize>,
    roots: Roots<'a, T>,
}

impl<T: Float> Kernel for UpdateSquares<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let (c, cap, mut sum) = (self.matrices.columns, self.roots.cap, 0.0);
        for row in self.rows {
            let (factor, columns) = self.roots.of_row(self.matrices, row);
            sum += sum_of_run(&self.grads[row * c..][..c], columns, |sum, g, column| {
                let u = g * (factor * column).minimum(cap);
                I::mul_add(u, u, sum)
            });
        }
        sum
    }
}

/// Elements that are summed in their own precision; such sums are added in f64.
const RUN: usize = 4096;

/// Partial sums of a run.
const LANES: usize = 32;

/// Adds the terms of two vectors of one length; `add` adds one to a sum.
#[inline(always)]
fn sum_of_run<T: Float>(a: &[T], b: &[T], add: impl Fn(T, T, T) -> T) -> f64 {
    let mut total = 0.0;
    for (a, b) in a.chunks(RUN).zip(b.chunks(RUN)) {
        let mut lanes = [T::ZERO; LANES];
        let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for i in 0..LANES {
                lanes[i] = add(lanes[i], a[i], b[i]);
            }
        }
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a_tail.iter().zip(b_tail)) {
            *lane = add(*lane, a, b);
        }
        total += lanes.iter().map(|x| x.to_f64()).sum::<f64>();
    }
    total
}

/// Makes the step of a tensor: θ ← keep θ − rate u.
pub(crate) fn step_of_matrices<T: Float>(
    matrices: Matrices,
    params: &mut [T],
    grads: &[T],
    roots: Roots<'_, T>,
    [keep, rate]: [T; 2],
) {
    let c = matrices.columns;
    parallel::for_each_chunk(params, matrices.row_group() * c, matrices.threaded(), |start, params| {
        dispatch(Rows { matrices, params, grads, first: start / c, roots, keep, rate });
    });
}

/// The step of some rows.
struct Rows<'a, T> {
    matrices: Matrices,
    /// Of the rows.
    params: &'a mut [T],
    /// Of the whole tensor.
    grads: &'a [T],
    /// The number of the first row.
    first: usize,
    roots: Roots<'a, T>,
    keep: T,
    rate: T,
}

impl<T: Float> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let c = self.matrices.columns;
        for (row, params) in (self.first..).zip(self.params.chunks_exact_mut(c)) {
            let (factor, columns) = self.roots.of_row(self.matrices, row);
            let grads = &self.grads[row * c..][..c];
            let formula = RowStep { keep: self.keep, rate: self.rate, factor, cap: self.roots.cap };
            Pass { params, grads, state: [], read: [columns], formula }.accumulate::<I, 0>(&mut no_lanes());
        }
    }
}

/// The step of a row, with the roots of the columns read.
#[derive(Clone, Copy)]
struct RowStep<T> {
    keep: T,
    rate: T,
    factor: T,
    cap: T,
}

impl<T: Float> ReadingUpdate<T, 0, 1> for RowStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, _: [T; 0], [column]: [T; 1]) -> (T, [T; 0], [T; 0]) {
        let u = g * (self.factor * column).minimum(self.cap);
        (I::mul_add(self.keep, p, -(self.rate * u)), [], [])
    }
}
