//! The factored second moment of Adafactor.

use wengert_tensor::Float;
use wengert_tensor::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use wengert_tensor::simd::{Isa, Kernel, dispatch};

use crate::layout::Segment;
use crate::loops::{Pass, ReadingUpdate, Sums, Update, no_lanes, totals, update};

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

    /// Elements of working space: a factor for every row, and the partial sums.
    pub(super) fn workspace(self) -> usize {
        let sums = self.count * self.blocks() * self.block_sums();
        self.all_rows() + sums.max(self.all_rows().div_ceil(self.row_group()))
    }
}

/// What is the same for all tensors in one step.
#[derive(Clone, Copy)]
pub(super) struct SecondMoment {
    /// α, the weight of the newest gradient.
    pub(super) fresh: f64,
    /// What is added to squares.
    pub(super) added: f64,
    /// The smallest mean of R.
    pub(super) smallest_mean: f64,
    /// The smallest V.
    pub(super) smallest: f64,
}

impl SecondMoment {
    /// Updates V of a vector; returns the sum of u².
    pub(super) fn vector<T: Float>(&self, grads: &[T], squares: &mut [T]) -> f64 {
        let average = Average {
            keep: T::from_f64(1.0 - self.fresh),
            fresh: T::from_f64(self.fresh),
            added: T::from_f64(self.added),
            smallest: T::from_f64(self.smallest),
        };
        let [sum] = update(squares, grads, [], average);
        sum
    }

    /// Updates R and C, reading the gradient once, and writes R / mean R into `factors`.
    pub(super) fn renew<T: Float>(
        &self,
        matrices: Matrices,
        grads: &[T],
        rows: &mut [T],
        columns: &mut [T],
        factors: &mut [T],
        work: &mut [T],
    ) {
        let Matrices { count, rows: r, columns: c } = matrices;
        let (blocks, size, threaded) = (matrices.blocks(), matrices.block_sums(), matrices.threaded());
        let sums = &mut work[..count * blocks * size];
        // Matrices of several blocks are large; of the others a thread takes a group.
        let together = if blocks == 1 { matrices.group() } else { 1 };
        parallel::for_each_chunk(sums, together * size, threaded, |start, sums| {
            dispatch(Squares { matrices, grads, first: start / size, sums });
        });
        let sums = &*sums;
        let (keep, fresh) = (T::from_f64(1.0 - self.fresh), T::from_f64(self.fresh));
        let average = |old: T, sum: T, of: usize| {
            keep * old + fresh * (sum / T::from_usize(of) + T::from_f64(self.added))
        };
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
        let rows = &*rows;
        parallel::for_each_chunk(factors, group * r, threaded, |start, factors| {
            for (factors, rows) in factors.chunks_exact_mut(r).zip(rows[start..].chunks_exact(r)) {
                let sum: f64 = rows.iter().map(|x| x.to_f64()).sum();
                let inverse = (sum / r as f64).max(self.smallest_mean).recip();
                factors.iter_mut().zip(rows).for_each(|(f, x)| *f = T::from_f64(x.to_f64() * inverse));
            }
        });
    }

    /// The sum of u² over a tensor.
    pub(super) fn squares_of_update<T: Float>(
        &self,
        matrices: Matrices,
        grads: &[T],
        factors: &[T],
        columns: &[T],
        work: &mut [T],
    ) -> f64 {
        let group = matrices.row_group();
        let sums = &mut work[..factors.len().div_ceil(group)];
        let smallest = T::from_f64(self.smallest);
        parallel::for_each_chunk(sums, 1, matrices.threaded(), |index, sum| {
            let first = index * group;
            let factors = &factors[first..factors.len().min(first + group)];
            sum[0] =
                T::from_f64(dispatch(UpdateSquares { matrices, grads, first, factors, columns, smallest }));
        });
        sums.iter().map(|x| x.to_f64()).sum()
    }
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
            let grads = &self.grads[(matrix * r + block * height) * c..][..rows * c];
            for (sum, grads) in row_sums.iter_mut().zip(grads.chunks_exact(c)) {
                let mut lanes = no_lanes();
                let (params, state, read) = (&mut *column_sums, [], []);
                Pass { params, grads, state, read, formula: AddSquare }.accumulate::<I, 1>(&mut lanes);
                let [total] = totals(lanes);
                *sum = T::from_f64(total);
            }
        }
    }
}

/// A sum of squares over columns, in the place of the parameters, and one over the row.
#[derive(Clone, Copy)]
struct AddSquare;

impl<T: Float> Update<T, 0, 1> for AddSquare {
    #[inline(always)]
    fn apply<I: Isa>(&self, sum: T, g: T, _: [T; 0]) -> (T, [T; 0], [T; 1]) {
        (I::mul_add(g, g, sum), [], [g * g])
    }
}

/// The sum of u² over some rows.
struct UpdateSquares<'a, T> {
    matrices: Matrices,
    /// Of the whole tensor.
    grads: &'a [T],
    /// The number of the first row.
    first: usize,
    /// Of the rows.
    factors: &'a [T],
    /// Of all matrices.
    columns: &'a [T],
    smallest: T,
}

impl<T: Float> Kernel for UpdateSquares<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let Matrices { rows: r, columns: c, .. } = self.matrices;
        let (smallest, mut lanes) = (self.smallest, no_lanes());
        for (row, &factor) in (self.first..).zip(self.factors) {
            let (a, b) = (&self.grads[row * c..][..c], &self.columns[row / r * c..][..c]);
            let formula = |g: T, column: T| [(g * g / (factor * column).maximum(smallest)).to_f64()];
            Sums { a, b, formula }.accumulate(&mut lanes);
        }
        let [sum] = totals(lanes);
        sum
    }
}

/// V of a vector, in place of the parameters, with the sum of u².
#[derive(Clone, Copy)]
struct Average<T> {
    keep: T,
    fresh: T,
    added: T,
    smallest: T,
}

impl<T: Float> Update<T, 0, 1> for Average<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, v: T, g: T, _: [T; 0]) -> (T, [T; 0], [T; 1]) {
        let square = I::mul_add(g, g, self.added);
        let v = I::mul_add(self.keep, v, self.fresh * square);
        (v, [], [g * g / v.maximum(self.smallest)])
    }
}

/// θ ← keep θ − rate g / √V, where V is a factor times what is read.
#[derive(Clone, Copy)]
pub(super) struct Step<T> {
    pub(super) keep: T,
    pub(super) rate: T,
    pub(super) factor: T,
    pub(super) smallest: T,
}

impl<T: Float> ReadingUpdate<T, 0, 1> for Step<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, _: [T; 0], [v]: [T; 1]) -> (T, [T; 0], [T; 0]) {
        let root = (self.factor * v).maximum(self.smallest).sqrt();
        (I::mul_add(self.keep, p, -(self.rate * (g / root))), [], [])
    }
}

impl<T: Float> Step<T> {
    /// Makes the step of a tensor, with the factor of each row.
    pub(super) fn apply(
        self,
        matrices: Matrices,
        params: &mut [T],
        grads: &[T],
        factors: &[T],
        columns: &[T],
    ) {
        let c = matrices.columns;
        parallel::for_each_chunk(params, matrices.row_group() * c, matrices.threaded(), |start, params| {
            dispatch(Rows { matrices, params, grads, first: start / c, factors, columns, step: self });
        });
    }
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
    /// Of all rows.
    factors: &'a [T],
    /// Of all matrices.
    columns: &'a [T],
    step: Step<T>,
}

impl<T: Float> Kernel for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Matrices { rows: r, columns: c, .. } = self.matrices;
        for (row, params) in (self.first..).zip(self.params.chunks_exact_mut(c)) {
            let (grads, columns) = (&self.grads[row * c..][..c], &self.columns[row / r * c..][..c]);
            let formula = Step { factor: self.factors[row], ..self.step };
            Pass { params, grads, state: [], read: [columns], formula }.accumulate::<I, 0>(&mut no_lanes());
        }
    }
}
