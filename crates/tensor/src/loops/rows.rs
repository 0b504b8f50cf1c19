//! Loops whose formula sees a whole row along one axis: softmax, cumulative sums, sorting.

use std::ops::Range;

use crate::array::element::{Element, Float};
use crate::array::shape::{Axes, Axis};
use crate::array::tensor::Tensor;
use crate::loops::along::{folded_rows, mapped_rows};
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// A formula of a whole row: reads `x`, writes all of `out`, which has the same length. `index` counts the rows in
/// row-major order. Mark `row` `#[inline(always)]`.
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_tensor::loops::RowMap;
/// use wengert_tensor::simd::Isa;
/// /// Each row backwards.
/// struct Reversed;
/// impl RowMap<f64, f64> for Reversed {
///     #[inline(always)]
///     fn row<I: Isa>(&self, _: usize, x: &[f64], out: &mut [f64]) {
///         out.iter_mut().zip(x.iter().rev()).for_each(|(out, x)| *out = *x);
///     }
/// }
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(x.map_rows("reversed", 1, Reversed).to_vec(), [2.0, 1.0, 4.0, 3.0]);
/// ```
pub trait RowMap<A, R>: Sync {
    /// The formula.
    fn row<I: Isa>(&self, index: usize, x: &[A], out: &mut [R]);

    /// Several rows of `length` elements, of which the first has the number `first`: by default one after the other. A
    /// formula whose rows may be too short to fill a register does better on many at once.
    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[A], out: &mut [R]) {
        maps_one_by_one::<I, A, R>(self, first, length, x, out);
    }
}

/// What [`RowMap::rows`] does by default.
#[inline(always)]
pub(crate) fn maps_one_by_one<I: Isa, A, R>(
    f: &(impl RowMap<A, R> + ?Sized),
    first: usize,
    length: usize,
    x: &[A],
    out: &mut [R],
) {
    for (i, (x, out)) in x.chunks_exact(length).zip(out.chunks_exact_mut(length)).enumerate() {
        f.row::<I>(first + i, x, out);
    }
}

/// A formula of a whole row that gives one element; see [`RowMap`].
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_tensor::loops::RowFold;
/// use wengert_tensor::simd::Isa;
/// /// The last element less the first.
/// struct Span;
/// impl RowFold<f64, f64> for Span {
///     #[inline(always)]
///     fn row<I: Isa>(&self, _: usize, x: &[f64]) -> f64 { x[x.len() - 1] - x[0] }
/// }
/// let x = Tensor::from([[1.0, 2.0], [3.0, 9.0]]);
/// assert_eq!(x.fold_rows("span", 1, false, Span).to_vec(), [1.0, 6.0]);
/// ```
pub trait RowFold<A, R>: Sync {
    /// The formula.
    fn row<I: Isa>(&self, index: usize, x: &[A]) -> R;

    /// Several rows of `length` elements, as in [`RowMap::rows`].
    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[A], out: &mut [R]) {
        folds_one_by_one::<I, A, R>(self, first, length, x, out);
    }
}

/// What [`RowFold::rows`] does by default.
#[inline(always)]
pub(crate) fn folds_one_by_one<I: Isa, A, R>(
    f: &(impl RowFold<A, R> + ?Sized),
    first: usize,
    length: usize,
    x: &[A],
    out: &mut [R],
) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = f.row::<I>(first + i, row_of(x, i, length));
    }
}

/// A formula of a whole row that writes a row and adds to sums over all rows; it has its inputs and finds the row of each by
/// number. Mark `row` `#[inline(always)]`.
pub(crate) trait RowPass<T>: Sync {
    /// Writes all of `out`, and adds to `sums`.
    fn row<I: Isa>(&self, index: usize, out: &mut [T], sums: &mut [T]);
}

/// Row number `index` of rows of this length.
#[inline(always)]
pub(crate) fn row_of<T>(rows: &[T], index: usize, length: usize) -> &[T] {
    &rows[index * length..][..length]
}

/// The same row, and the one behind it, which is empty behind the last.
#[inline(always)]
pub(crate) fn row_and_next<T>(rows: &[T], index: usize, length: usize) -> [&[T]; 2] {
    let (row, after) = rows[index * length..].split_at(length);
    [row, &after[..length.min(after.len())]]
}

impl<T: Element> Tensor<T> {
    /// `f` of every row along `axis`, which keeps its length.
    ///
    /// # Panics
    /// If there is no such axis; `operation` names the operation in the message.
    #[track_caller]
    pub fn map_rows<R: Element>(
        &self,
        operation: &str,
        axis: impl Into<Axis>,
        f: impl RowMap<T, R>,
    ) -> Tensor<R> {
        let axis = self.shape().axis(operation, axis);
        mapped_rows(operation, axis, [self], |[x], length, out| map_slices(x, length, out, &f))
    }

    /// `f` of the elements along `axes`, as one row in row-major order; the axes stay with length 1 if `keepdim`, and
    /// go away otherwise. For reductions that a [`Fold`](crate::loops::Fold) cannot express, such as those that
    /// read a row twice.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice; `operation` names the operation in the message.
    #[track_caller]
    pub fn fold_rows<R: Element>(
        &self,
        operation: &str,
        axes: impl Into<Axes>,
        keepdim: bool,
        f: impl RowFold<T, R>,
    ) -> Tensor<R> {
        self.fold_rows_masked(operation, &axes.into().mask(operation, self.shape()), keepdim, f)
    }

    /// [`fold_rows`](Tensor::fold_rows) over the axes of `mask`.
    #[track_caller]
    pub(crate) fn fold_rows_masked<R: Element>(
        &self,
        operation: &str,
        mask: &[bool],
        keepdim: bool,
        f: impl RowFold<T, R>,
    ) -> Tensor<R> {
        folded_rows(operation, self, mask, keepdim, |x, length, out| fold_slices(x, length, out, &f))
    }
}

/// `f` of every row of `length` elements of `x`, one number of each.
pub(crate) fn fold_slices<A: Element, R: Element>(
    x: &[A],
    length: usize,
    out: &mut [R],
    f: &impl RowFold<A, R>,
) {
    let outputs = (CHUNK / length.max(1)).max(1);
    parallel::for_each_chunk(out, outputs, x.len() >= PARALLEL_THRESHOLD, |start, out| {
        let x = &x[start * length..][..out.len() * length];
        dispatch(FoldRows { first: start, x, out, length, f });
    });
}

/// `f` of every row of `length` elements of `x`.
pub(crate) fn map_slices<A: Element, R: Element>(
    x: &[A],
    length: usize,
    out: &mut [R],
    f: &impl RowMap<A, R>,
) {
    if out.is_empty() {
        return;
    }
    let rows = (CHUNK / length).max(1);
    parallel::for_each_chunk(out, rows * length, x.len() >= PARALLEL_THRESHOLD, |start, out| {
        let x = &x[start..start + out.len()];
        dispatch(Rows { first: start / length, x, out, length, f });
    });
}

/// Rows that are added up one after the other where rows are summed.
const ROW_BLOCK: usize = 32;

/// `f` for every one of `rows` rows of `length` elements, in one pass: `out` has a row of that length for each, or is empty,
/// and `sums` becomes the sums over all rows. Blocks of rows are merged pairwise.
pub(crate) fn pass_over_rows<T: Float>(
    [rows, length]: [usize; 2],
    out: &mut [T],
    sums: &mut [T],
    f: &impl RowPass<T>,
) {
    let width = sums.len();
    let block = |i: usize, out: &mut [T], sums: &mut [T]| {
        sums.fill(T::ZERO);
        let first = i * ROW_BLOCK;
        dispatch(Pass { rows: first..rows.min(first + ROW_BLOCK), length, out, sums, f });
    };
    if length == 0 {
        return sums.fill(T::ZERO);
    }
    if rows <= ROW_BLOCK {
        return block(0, out, sums);
    }
    let parallel = rows.saturating_mul(length) >= PARALLEL_THRESHOLD;
    let blocks = rows.div_ceil(ROW_BLOCK);
    let mut partials = Tensor::filled_by("sum of rows", [blocks, width].into(), |partials| {
        if out.is_empty() {
            parallel::for_each_chunk(partials, width, parallel, |at, sums| block(at / width, &mut [], sums));
        } else {
            let sizes = [ROW_BLOCK * length, width];
            parallel::for_each_chunk_pair(out, partials, sizes, parallel, block);
        }
    });
    let partials = partials.as_mut_slice();
    let mut distance = width;
    while distance < partials.len() {
        for pair in partials.chunks_mut(2 * distance).filter(|pair| pair.len() > distance) {
            let (left, right) = pair.split_at_mut(distance);
            left[..width].iter_mut().zip(&right[..width]).for_each(|(a, &b)| *a += b);
        }
        distance *= 2;
    }
    sums.copy_from_slice(&partials[..width]);
}

struct Pass<'a, T, F> {
    rows: Range<usize>,
    length: usize,
    out: &'a mut [T],
    sums: &'a mut [T],
    f: &'a F,
}

impl<T: Float, F: RowPass<T>> Kernel for Pass<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let mut out = self.out;
        let length = if out.is_empty() { 0 } else { self.length };
        for row in self.rows {
            let (here, rest) = out.split_at_mut(length);
            self.f.row::<I>(row, here, self.sums);
            out = rest;
        }
    }
}

struct FoldRows<'a, A, R, F> {
    first: usize,
    x: &'a [A],
    out: &'a mut [R],
    length: usize,
    f: &'a F,
}

impl<A: Element, R: Element, F: RowFold<A, R>> Kernel for FoldRows<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.f.rows::<I>(self.first, self.length, self.x, self.out);
    }
}

struct Rows<'a, A, R, F> {
    first: usize,
    x: &'a [A],
    out: &'a mut [R],
    length: usize,
    f: &'a F,
}

impl<A: Element, R: Element, F: RowMap<A, R>> Kernel for Rows<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.f.rows::<I>(self.first, self.length, self.x, self.out);
    }
}
