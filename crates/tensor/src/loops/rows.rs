//! Loops whose formula sees a whole row along one axis: softmax, cumulative sums, sorting.

use smallvec::SmallVec;

use crate::array::element::Element;
use crate::array::shape::{Axes, Axis};
use crate::array::tensor::Tensor;
use crate::loops::reduce::reduced_shape;
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// A formula of a whole row: reads `x`, writes all of `out`, which has the same length. `index` counts the rows in
/// row-major order. Mark `row` `#[inline(always)]`.
pub trait RowMap<A, R>: Sync {
    /// The formula.
    fn row<I: Isa>(&self, index: usize, x: &[A], out: &mut [R]);

    /// Several rows of `length` elements, of which the first has the number `first`: by default one after the other. A
    /// formula whose rows may be too short to fill a register does better on many at once.
    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[A], out: &mut [R]) {
        one_by_one::<I, A, R>(self, first, length, x, out);
    }
}

/// What [`RowMap::rows`] does by default.
#[inline(always)]
pub(crate) fn one_by_one<I: Isa, A, R>(
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
pub trait RowFold<A, R>: Sync {
    /// The formula.
    fn row<I: Isa>(&self, index: usize, x: &[A]) -> R;

    /// Several rows of `length` elements, as in [`RowMap::rows`].
    #[inline(always)]
    fn rows<I: Isa>(&self, first: usize, length: usize, x: &[A], out: &mut [R]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.row::<I>(first + i, &x[i * length..][..length]);
        }
    }
}

/// Row number `index` of rows of this length.
#[inline(always)]
pub(crate) fn row_of<T>(rows: &[T], index: usize, length: usize) -> &[T] {
    &rows[index * length..][..length]
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
        mapped(operation, self, axis, &|first, length, x, out| {
            dispatch(Rows { first, x, out, length, f: &f });
        })
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
        self.fold_rows_masked(&axes.into().mask(operation, self.shape()), keepdim, f)
    }

    /// [`fold_rows`](Tensor::fold_rows) over the axes of `mask`.
    #[track_caller]
    pub(crate) fn fold_rows_masked<R: Element>(
        &self,
        mask: &[bool],
        keepdim: bool,
        f: impl RowFold<T, R>,
    ) -> Tensor<R> {
        folded(self, mask, keepdim, &|first, length, x, out| {
            dispatch(FoldRows { first, x, out, length, f: &f });
        })
    }
}

/// What is done with some rows: the number of the first, the length of each, their elements, and what to write.
type Work<'a, A, R> = dyn Fn(usize, usize, &[A], &mut [R]) + Sync + 'a;

/// [`Tensor::map_rows`], compiled once for each type of element.
#[track_caller]
#[inline(never)]
fn mapped<T: Element, R: Element>(
    operation: &str,
    x: &Tensor<T>,
    axis: usize,
    work: &Work<'_, T, R>,
) -> Tensor<R> {
    let last = x.rank() - 1;
    if axis != last {
        return mapped(operation, &x.transpose(axis, last), last, work).transpose(axis, last);
    }
    let (length, shape) = (x.shape()[axis], x.shape().clone());
    let x = x.contiguous_for(operation);
    let x = x.contiguous_slice();
    Tensor::filled_by(operation, shape, |out| {
        if out.is_empty() {
            return;
        }
        let rows = (CHUNK / length).max(1);
        parallel::for_each_chunk(out, rows * length, x.len() >= PARALLEL_THRESHOLD, |start, out| {
            work(start / length, length, &x[start..start + out.len()], out);
        });
    })
}

/// [`Tensor::fold_rows_masked`], compiled once for each type of element.
#[track_caller]
#[inline(never)]
fn folded<T: Element, R: Element>(
    x: &Tensor<T>,
    mask: &[bool],
    keepdim: bool,
    work: &Work<'_, T, R>,
) -> Tensor<R> {
    let (reduced, kept): (SmallVec<[usize; 4]>, SmallVec<[usize; 4]>) = (0..x.rank()).partition(|&i| mask[i]);
    let length: usize = reduced.iter().map(|&i| x.shape()[i]).product();
    let order: SmallVec<[usize; 4]> = kept.into_iter().chain(reduced).collect();
    let shape = reduced_shape(x.shape(), mask, keepdim);
    let x = x.view(x.layout.permute(&order)).contiguous_for("fold_rows");
    let x = x.contiguous_slice();
    Tensor::filled_by("fold_rows", shape, |out| {
        let outputs = (CHUNK / length.max(1)).max(1);
        parallel::for_each_chunk(out, outputs, x.len() >= PARALLEL_THRESHOLD, |start, out| {
            work(start, length, &x[start * length..][..out.len() * length], out);
        });
    })
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
