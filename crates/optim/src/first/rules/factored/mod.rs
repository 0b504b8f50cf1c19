//! The factored second moment of Adafactor. R, C and V are kept as their roots, see [`moment`](super::moment).

mod loops;
mod matrices;

pub(super) use loops::step_of_matrices;
pub(super) use matrices::Matrices;

use wengert_tensor::Float;
use wengert_tensor::parallel;
use wengert_tensor::simd::Baseline;

use self::loops::{squares_of_update, sum_squares};
use super::moment::{Rms, hypot};
use super::unfactored::Average;
use crate::first::clip::norm_of;
use crate::first::loops::update;

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
        Rms::new(1.0 - self.fresh, self.added).with_care(true)
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
        self.rms().after::<Baseline>(old, root)
    }
}
