//! Operands of elementwise loops, walked row by row.
//!
//! What a formula does to a row is handed over as a pointer, so that the walks, which are many times its code, are
//! compiled once for each type of element and not once for each formula.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::Shape;
use crate::array::tensor::Tensor;
use crate::loops::nest::Nest;
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};

/// One operand's row: consecutive elements, or one element repeated.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a, A> {
    Dense(&'a [A]),
    Repeat(A),
}

impl<'a, A: Element> Row<'a, A> {
    /// The `length` elements from position `from` of the row that begins at `start`.
    #[inline(always)]
    fn new(data: &'a [A], start: usize, stride: isize, from: usize, length: usize) -> Self {
        if stride == 0 { Row::Repeat(data[start]) } else { Row::Dense(&data[start + from..][..length]) }
    }

    /// The first `length` of consecutive elements.
    #[inline(always)]
    pub(crate) fn dense(&self, length: usize) -> &'a [A] {
        match self {
            Row::Dense(a) => &a[..length],
            Row::Repeat(_) => unreachable!("one element repeated"),
        }
    }

    /// The element at position `i`.
    #[inline(always)]
    pub(crate) fn get(&self, i: usize) -> A {
        match self {
            Row::Dense(a) => a[i],
            Row::Repeat(a) => *a,
        }
    }
}

/// What is done with a row of each of two operands and one of the result.
type Work2<'w, A, B, R> = dyn Fn(Row<'_, A>, Row<'_, B>, &mut [R]) + Sync + 'w;
/// The same with a mask and two operands.
type MaskedWork<'w, A, R> = dyn Fn(Row<'_, bool>, Row<'_, A>, Row<'_, A>, &mut [R]) + Sync + 'w;
/// What is done with consecutive elements of several operands of one type and of the result.
type WorkN<'w, A, R, const N: usize> = dyn Fn([&[A]; N], &mut [R]) + Sync + 'w;
/// The same with where the operands' rows start, and the position in the row from which the piece of the result begins.
type AtRow<'w, R, const N: usize> = dyn Fn([usize; N], usize, &mut [R]) + Sync + 'w;

/// `work(row of a, row of out)` for all rows of a new tensor of the shape of `a`.
#[track_caller]
#[inline(never)]
pub(crate) fn one<A: Element, R: Element>(
    a: &Tensor<A>,
    work: &(dyn Fn(&[A], &mut [R]) + Sync),
) -> Tensor<R> {
    if let Some(x) = a.as_slice() {
        return one_slice(a.shape(), x, work);
    }
    let shape = a.shape().clone();
    let a = with_dense_rows(a);
    let nest = Nest::new([&a.layout]);
    let data = a.storage.as_slice();
    Tensor::filled_by("map", shape, |out| {
        for_each_row(&nest, out, &|[at], from, out| match Row::new(
            data,
            at,
            nest.row_strides[0],
            from,
            out.len(),
        ) {
            Row::Dense(a) => work(a, out),
            Row::Repeat(a) => repeated(out, |first| work(&[a], first)),
        });
    })
}

/// `work(row of a, row of b, row of out)` for all rows of a new tensor of this shape, that of both if there is none.
#[track_caller]
#[inline(never)]
pub(crate) fn two<A: Element, B: Element, R: Element>(
    operation: &str,
    shape: Option<Shape>,
    a: &Tensor<A>,
    b: &Tensor<B>,
    work: &Work2<'_, A, B, R>,
) -> Tensor<R> {
    if shape.is_none()
        && let (Some(x), Some(y)) = (a.as_slice(), b.as_slice())
    {
        return two_slices(operation, a.shape(), x, y, work);
    }
    let shape = shape.unwrap_or_else(|| a.shape().clone());
    let (a, b) = (broadcast_rows(a, &shape), broadcast_rows(b, &shape));
    let nest = Nest::new([&a.layout, &b.layout]);
    let (x, y) = (a.storage.as_slice(), b.storage.as_slice());
    let [sa, sb] = nest.row_strides;
    Tensor::filled_by(operation, shape, |out| {
        for_each_row(&nest, out, &|[at, bt], from, out| {
            let n = out.len();
            match (Row::new(x, at, sa, from, n), Row::new(y, bt, sb, from, n)) {
                (Row::Repeat(a), Row::Repeat(b)) => {
                    repeated(out, |first| work(Row::Dense(&[a]), Row::Dense(&[b]), first));
                }
                (a, b) => work(a, b, out),
            }
        });
    })
}

/// `work` for the rows of a mask and of two tensors, broadcast to `shape`.
#[track_caller]
#[inline(never)]
pub(crate) fn masked<A: Element, R: Element>(
    shape: Shape,
    mask: &Tensor<bool>,
    a: &Tensor<A>,
    b: &Tensor<A>,
    work: &MaskedWork<'_, A, R>,
) -> Tensor<R> {
    let mask = broadcast_rows(mask, &shape);
    let (a, b) = (broadcast_rows(a, &shape), broadcast_rows(b, &shape));
    let nest = Nest::new([&mask.layout, &a.layout, &b.layout]);
    let (m, x, y) = (mask.storage.as_slice(), a.storage.as_slice(), b.storage.as_slice());
    let [sm, sa, sb] = nest.row_strides;
    Tensor::filled_by("select_where", shape, |out| {
        for_each_row(&nest, out, &|[mt, at, bt], from, out| {
            let n = out.len();
            let (a, b) = (Row::new(x, at, sa, from, n), Row::new(y, bt, sb, from, n));
            work(Row::new(m, mt, sm, from, n), a, b, out);
        });
    })
}

/// `work` for the rows of several tensors of one type, broadcast to `shape`, that of all if there is none. An element that is
/// repeated is written out, so that there are no more kinds of rows than one.
#[track_caller]
#[inline(never)]
pub(crate) fn many<A: Element, R: Element, const N: usize>(
    operation: &str,
    shape: Option<Shape>,
    operands: [&Tensor<A>; N],
    work: &WorkN<'_, A, R, N>,
) -> Tensor<R> {
    if shape.is_none() && operands.iter().all(|x| x.as_slice().is_some()) {
        return many_slices(operation, operands, work);
    }
    let shape = shape.unwrap_or_else(|| operands[0].shape().clone());
    let operands = operands.map(|x| broadcast_rows(x, &shape));
    let nest = Nest::new(operands.each_ref().map(|x| &x.layout));
    let data = operands.each_ref().map(|x| x.storage.as_slice());
    Tensor::filled_by(operation, shape, |out| {
        for_each_row(&nest, out, &|starts, from, out| {
            let row = |k: usize| Row::new(data[k], starts[k], nest.row_strides[k], from, out.len());
            written_out(std::array::from_fn(row), out, work);
        });
    })
}

/// `work` for rows of any kind.
fn written_out<A: Element, R: Element, const N: usize>(
    rows: [Row<'_, A>; N],
    out: &mut [R],
    work: &WorkN<'_, A, R, N>,
) {
    if rows.iter().all(|row| matches!(row, Row::Dense(_))) {
        return work(rows.map(|row| row.dense(out.len())), out);
    }
    // The longer the row, the less it matters what a block costs to write out.
    match out.len() {
        0..=64 => in_blocks::<A, R, N, 64>(rows, out, work),
        65..=4096 => in_blocks::<A, R, N, 256>(rows, out, work),
        _ => in_blocks::<A, R, N, 1024>(rows, out, work),
    }
}

/// `work` for blocks of the rows, of which those of one element repeated are written out once.
#[inline(never)]
fn in_blocks<A: Element, R: Element, const N: usize, const BLOCK: usize>(
    rows: [Row<'_, A>; N],
    out: &mut [R],
    work: &WorkN<'_, A, R, N>,
) {
    let repeated = rows.map(|row| [row.get(0); BLOCK]);
    for (k, out) in out.chunks_mut(BLOCK).enumerate() {
        let block = |i: usize| match rows[i] {
            Row::Dense(a) => &a[k * BLOCK..][..out.len()],
            Row::Repeat(_) => &repeated[i][..out.len()],
        };
        work(std::array::from_fn(block), out);
    }
}

/// A row that is one result repeated, which `work` writes.
#[inline]
fn repeated<R: Element>(out: &mut [R], work: impl FnOnce(&mut [R])) {
    if let ([first], others) = out.split_at_mut(1) {
        work(std::slice::from_mut(first));
        others.fill(*first);
    }
}

/// `work(row of out, row of b)` for all rows of `out`, to whose shape `b` broadcasts.
#[inline(never)]
pub(crate) fn into<A: Element, B: Element>(
    out: &mut Tensor<A>,
    b: &Tensor<B>,
    work: &(dyn Fn(&mut [A], Row<'_, B>) + Sync),
) {
    let shape = out.shape().clone();
    if *b.shape() == shape
        && let Some(b) = b.as_slice()
    {
        return into_slice(out.as_mut_slice(), b, work);
    }
    let b = broadcast_rows(b, &shape);
    let nest = Nest::new([&b.layout, &Layout::contiguous(shape)]);
    let data = b.storage.as_slice();
    for_each_row(&nest, out.as_mut_slice(), &|[at, _], from, out| {
        let b = Row::new(data, at, nest.row_strides[0], from, out.len());
        work(out, b);
    });
}

/// [`one`] of consecutive elements.
#[track_caller]
fn one_slice<A: Element, R: Element>(
    shape: &Shape,
    a: &[A],
    work: &(dyn Fn(&[A], &mut [R]) + Sync),
) -> Tensor<R> {
    Tensor::filled_by("map", shape.clone(), |out| {
        if out.len() < PARALLEL_THRESHOLD {
            return work(a, out);
        }
        parallel::for_each_chunk(out, CHUNK, true, |start, out| {
            work(&a[start..start + out.len()], out);
        });
    })
}

/// [`two`] of consecutive elements.
#[track_caller]
fn two_slices<A: Element, B: Element, R: Element>(
    operation: &str,
    shape: &Shape,
    a: &[A],
    b: &[B],
    work: &Work2<'_, A, B, R>,
) -> Tensor<R> {
    Tensor::filled_by(operation, shape.clone(), |out| {
        if out.len() < PARALLEL_THRESHOLD {
            return work(Row::Dense(a), Row::Dense(b), out);
        }
        parallel::for_each_chunk(out, CHUNK, true, |start, out| {
            let range = start..start + out.len();
            work(Row::Dense(&a[range.clone()]), Row::Dense(&b[range]), out);
        });
    })
}

/// [`many`] of consecutive elements.
#[track_caller]
fn many_slices<A: Element, R: Element, const N: usize>(
    operation: &str,
    operands: [&Tensor<A>; N],
    work: &WorkN<'_, A, R, N>,
) -> Tensor<R> {
    let rows = operands.map(|x| x.as_slice().expect("the elements are consecutive"));
    Tensor::filled_by(operation, operands[0].shape().clone(), |out| {
        if out.len() < PARALLEL_THRESHOLD {
            return work(rows, out);
        }
        parallel::for_each_chunk(out, CHUNK, true, |start, out| {
            work(rows.map(|row| &row[start..start + out.len()]), out);
        });
    })
}

/// [`into`] consecutive elements as many others.
fn into_slice<A: Element, B: Element>(out: &mut [A], b: &[B], work: &(dyn Fn(&mut [A], Row<'_, B>) + Sync)) {
    if out.len() < PARALLEL_THRESHOLD {
        return work(out, Row::Dense(b));
    }
    parallel::for_each_chunk(out, CHUNK, true, |start, out| {
        let end = start + out.len();
        work(out, Row::Dense(&b[start..end]));
    });
}

/// The same elements with every row either consecutive or one repeated element, copied if need be: the only
/// two kinds of row that the loops vectorise.
fn with_dense_rows<A: Element>(x: &Tensor<A>) -> Tensor<A> {
    let last = x.shape().iter().zip(&x.layout.strides).rev().find(|(d, _)| **d != 1);
    match last {
        Some((_, &stride)) if stride != 0 && stride != 1 => x.contiguous(),
        _ => x.clone(),
    }
}

/// Broadcast to a shape that is known to fit, with dense rows.
fn broadcast_rows<A: Element>(x: &Tensor<A>, shape: &Shape) -> Tensor<A> {
    let dense = with_dense_rows(x);
    let layout = dense.layout.broadcast_to(shape).expect("the shapes were found to broadcast");
    dense.view(layout)
}

/// Calls `work(starts, from, piece)` for each piece of `out`, split over threads where large: a whole row, or, if
/// there is only one, a chunk of it that begins at position `from` of the row. The output of a nest is contiguous,
/// so row `i` is its `i`-th piece.
#[inline(never)]
fn for_each_row<R: Element, const N: usize>(nest: &Nest<N>, out: &mut [R], work: &AtRow<'_, R, N>) {
    let length = nest.row_length;
    if out.is_empty() {
        return;
    }
    let parallel = out.len() >= PARALLEL_THRESHOLD;
    if nest.rows == 1 {
        let size = if parallel { CHUNK } else { length };
        return parallel::for_each_chunk(out, size, parallel, |from, piece| {
            work(nest.row_start(0), from, piece)
        });
    }
    let rows_per_chunk = (CHUNK / length).max(1);
    parallel::for_each_chunk(out, rows_per_chunk * length, parallel, |start, chunk| {
        let rows = start / length..(start + chunk.len()) / length;
        let first = rows.start;
        nest.for_rows(rows, |row, at| {
            let begin = (row - first) * length;
            work(at, 0, &mut chunk[begin..begin + length]);
        });
    });
}
