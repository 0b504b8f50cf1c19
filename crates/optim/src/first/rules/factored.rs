//! The factored second moment of Adafactor. R, C and V are kept as their roots, see [`moment`](super::moment).

use std::array;
use std::ops::Range;

use wengert_tensor::Float;
use wengert_tensor::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use wengert_tensor::simd::{Baseline, Isa, Kernel, dispatch};

use super::moment::{Rms, hypot};
use super::unfactored::Average;
use crate::first::clip::norm_of;
use crate::first::layout::Segment;
use crate::first::loops::{Pass, ReadingUpdate, no_lanes, update};

/// Elements of a matrix whose squares are summed over rows and columns together. Each such block has partial sums of its
/// own, which are added in order.
const BLOCK: usize = 1 << 18;

/// A tensor seen as matrices over its last two dimensions.
#[derive(Clone, Copy)]
pub(super) struct Matrices {
    count: usize,
    rows: usize,
    columns: usize,
}

impl Matrices {
    /// `None` for a vector.
    pub(super) fn of(segment: &Segment) -> Option<Self> {
        match *segment.shape.as_slice() {
            [.., rows, columns] if !segment.range.is_empty() => {
                Some(Matrices { count: segment.range.len() / (rows * columns), rows, columns })
            }
            _ => None,
        }
    }

    /// The rows of all matrices.
    pub(super) fn all_rows(self) -> usize {
        self.count * self.rows
    }

    /// The columns of all matrices.
    pub(super) fn all_columns(self) -> usize {
        self.count * self.columns
    }

    /// Rows of a block; the last of a matrix may have fewer.
    fn block_rows(self) -> usize {
        (BLOCK / self.columns).clamp(1, self.rows)
    }

    /// Blocks of a matrix.
    fn blocks(self) -> usize {
        self.rows.div_ceil(self.block_rows())
    }

    /// The partial sums of a block: over its rows, then over its columns.
    fn block_sums(self) -> usize {
        self.block_rows() + self.columns
    }

    /// Matrices that one thread takes at a time.
    fn group(self) -> usize {
        (CHUNK / (self.rows * self.columns)).max(1)
    }

    /// Rows that one thread takes at a time, of one matrix or of several.
    fn row_group(self) -> usize {
        (CHUNK / self.columns).max(1)
    }

    fn threaded(self) -> bool {
        self.all_rows() * self.columns >= PARALLEL_THRESHOLD
    }

    /// Elements of working space: the roots of every row and column, and the partial sums.
    pub(super) fn workspace(self) -> usize {
        let sums = self.count * self.blocks() * self.block_sums();
        self.all_rows() + self.all_columns() + sums.max(self.all_rows().div_ceil(self.row_group()))
    }
}

/// 1 / √V of a tensor as products of a number per row and one per column, at most `cap`.
#[derive(Clone, Copy)]
pub(super) struct Roots<'a, T> {
    /// √(mean R / R), of all matrices.
    rows: &'a [T],
    /// 1 / √C, of all matrices.
    columns: &'a [T],
    cap: T,
}

impl<'a, T: Float> Roots<'a, T> {
    /// The root of one of the rows, and of the columns of its matrix.
    #[inline(always)]
    fn of_row(self, matrices: Matrices, row: usize) -> (T, &'a [T]) {
        let Matrices { rows: r, columns: c, .. } = matrices;
        (self.rows[row], &self.columns[row / r * c..][..c])
    }
}

/// What is the same for all tensors in one step.
#[derive(Clone, Copy)]
pub(super) struct SecondMoment {
    /// α, the weight of the newest gradient.
    pub(super) fresh: f64,
    /// The root of what is added to squares.
    pub(super) added: f64,
    /// The root of the smallest mean of R.
    pub(super) smallest_mean: f64,
    /// The smallest √V.
    pub(super) smallest: f64,
}

impl SecondMoment {
    /// Updates √V of a vector; returns the sum of u².
    pub(super) fn vector<T: Float>(&self, grads: &[T], roots: &mut [T]) -> f64 {
        let average =
            Average { rms: self.rms(), added: T::from_f64(self.added), smallest: T::from_f64(self.smallest) };
        let [sum] = update(roots, grads, [], average);
        sum
    }

    fn rms<T: Float>(&self) -> Rms<T> {
        Rms::new(1.0 - self.fresh)
    }

    /// Updates R and C, reading the gradient once; returns the roots, which are in `work`, and the sum of u².
    pub(super) fn renew<'a, T: Float>(
        &self,
        matrices: Matrices,
        grads: &[T],
        rows: &mut [T],
        columns: &mut [T],
        work: &'a mut [T],
    ) -> (Roots<'a, T>, f64) {
        let (row_roots, work) = work.split_at_mut(rows.len());
        let (column_roots, work) = work.split_at_mut(columns.len());
        self.average(matrices, grads, rows, columns, work);
        let Matrices { rows: r, columns: c, .. } = matrices;
        let (group, threaded) = (matrices.group(), matrices.threaded());
        let rows = &*rows;
        parallel::for_each_chunk(row_roots, group * r, threaded, |start, roots| {
            for (roots, rows) in roots.chunks_exact_mut(r).zip(rows[start..].chunks_exact(r)) {
                let sum: f64 = rows.iter().map(|x| x.to_f64().powi(2)).sum();
                let mean = norm_of(sum, r, |i| rows[i].to_f64()) / (r as f64).sqrt();
                let mean = Float::maximum(mean, self.smallest_mean);
                roots.iter_mut().zip(rows).for_each(|(f, x)| *f = T::from_f64(mean / x.to_f64()));
            }
        });
        let columns = &*columns;
        parallel::for_each_chunk(column_roots, group * c, threaded, |start, roots| {
            let root = |x: &T| T::from_f64(x.to_f64().recip());
            roots.iter_mut().zip(&columns[start..]).for_each(|(f, x)| *f = root(x));
        });
        // Not infinite: times a gradient of 0 it is to be 0.
        let cap = T::from_f64(self.smallest.recip()).minimum(T::MAX);
        let roots = Roots { rows: row_roots, columns: column_roots, cap };
        (roots, squares_of_update(matrices, grads, roots, work))
    }

    /// Updates R and C.
    fn average<T: Float>(
        &self,
        matrices: Matrices,
        grads: &[T],
        rows: &mut [T],
        columns: &mut [T],
        work: &mut [T],
    ) {
        let Matrices { count, rows: r, columns: c } = matrices;
        let (blocks, size, threaded) = (matrices.blocks(), matrices.block_sums(), matrices.threaded());
        let sums = &mut work[..count * blocks * size];
        sum_squares(matrices, grads, sums);
        if !sums.iter().all(|s| s.is_finite()) {
            return self.average_carefully(matrices, grads, rows, columns);
        }
        let sums = &*sums;
        let average = |old: T, sum: T, of: usize| self.after(old, (sum / T::from_usize(of)).sqrt());
        let group = matrices.group();
        parallel::for_each_chunk(columns, group * c, threaded, |start, columns| {
            for (i, columns) in columns.chunks_exact_mut(c).enumerate() {
                let sums = &sums[(start / c + i) * blocks * size..][..blocks * size];
                for (j, column) in columns.iter_mut().enumerate() {
                    let sum = sums.chunks_exact(size).fold(T::ZERO, |s, b| s + b[size - c + j]);
                    *column = average(*column, sum, r);
                }
            }
        });
        parallel::for_each_chunk(rows, group * r, threaded, |start, rows| {
            for (i, rows) in rows.chunks_exact_mut(r).enumerate() {
                let sums = sums[(start / r + i) * blocks * size..].chunks_exact(size);
                for (rows, sums) in rows.chunks_mut(size - c).zip(sums) {
                    rows.iter_mut().zip(sums).for_each(|(row, &sum)| *row = average(*row, sum, c));
                }
            }
        });
    }

    /// The same where squares overflow, slowly.
    fn average_carefully<T: Float>(
        &self,
        matrices: Matrices,
        grads: &[T],
        rows: &mut [T],
        columns: &mut [T],
    ) {
        let Matrices { rows: r, columns: c, .. } = matrices;
        let add = |root: &mut f64, g: T| *root = hypot::<Baseline, f64>(*root, g.to_f64(), true);
        let mean = |root: f64, of: usize| T::from_f64(root / (of as f64).sqrt());
        for (i, columns) in columns.chunks_exact_mut(c).enumerate() {
            let mut column_roots = vec![0.0; c];
            for (row, grads) in rows[i * r..][..r].iter_mut().zip(grads[i * r * c..].chunks_exact(c)) {
                let mut row_root = 0.0;
                for (column_root, &g) in column_roots.iter_mut().zip(grads) {
                    add(column_root, g);
                    add(&mut row_root, g);
                }
                *row = self.after(*row, mean(row_root, c));
            }
            columns.iter_mut().zip(column_roots).for_each(|(x, root)| *x = self.after(*x, mean(root, r)));
        }
    }

    /// A root of R or C after the root of a mean of squares.
    fn after<T: Float>(&self, old: T, root: T) -> T {
        let root = hypot::<Baseline, T>(root, T::from_f64(self.added), true);
        self.rms().with_care(true).after::<Baseline>(old, root)
    }
}

/// The sums of g² over rows and columns, for each block.
fn sum_squares<T: Float>(matrices: Matrices, grads: &[T], sums: &mut [T]) {
    let size = matrices.block_sums();
    // Matrices of several blocks are large; of the others a thread takes a group.
    let together = if matrices.blocks() == 1 { matrices.group() } else { 1 };
    parallel::for_each_chunk(sums, together * size, matrices.threaded(), |start, sums| {
        dispatch(Squares { matrices, grads, first: start / size, sums });
    });
}

/// The sum of u² over a tensor.
fn squares_of_update<T: Float>(matrices: Matrices, grads: &[T], roots: Roots<'_, T>, work: &mut [T]) -> f64 {
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
pub(super) fn step_of_matrices<T: Float>(
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
