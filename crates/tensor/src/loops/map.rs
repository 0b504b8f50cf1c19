//! Elementwise loops: one output element from the same position of one to four inputs.

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::{Shape, broadcast_or_panic};
use crate::array::tensor::Tensor;
use crate::loops::nest::Nest;
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, dispatch};

/// A formula of one element. Any `Fn(A) -> R` is one; implement it on a struct to call functions that need the
/// instruction set, with `call` marked `#[inline(always)]`.
pub trait Map1<A, R>: Sync {
    /// The formula.
    fn call<I: Isa>(&self, a: A) -> R;
}

/// A formula of two elements; see [`Map1`].
pub trait Map2<A, B, R>: Sync {
    /// The formula.
    fn call<I: Isa>(&self, a: A, b: B) -> R;
}

/// A formula of three elements; see [`Map1`].
pub trait Map3<A, B, C, R>: Sync {
    /// The formula.
    fn call<I: Isa>(&self, a: A, b: B, c: C) -> R;
}

/// A formula of four elements; see [`Map1`].
pub trait Map4<A, B, C, D, R>: Sync {
    /// The formula.
    fn call<I: Isa>(&self, a: A, b: B, c: C, d: D) -> R;
}

impl<A, R, F: Fn(A) -> R + Sync> Map1<A, R> for F {
    #[inline(always)]
    fn call<I: Isa>(&self, a: A) -> R {
        self(a)
    }
}

impl<A, B, R, F: Fn(A, B) -> R + Sync> Map2<A, B, R> for F {
    #[inline(always)]
    fn call<I: Isa>(&self, a: A, b: B) -> R {
        self(a, b)
    }
}

impl<A, B, C, R, F: Fn(A, B, C) -> R + Sync> Map3<A, B, C, R> for F {
    #[inline(always)]
    fn call<I: Isa>(&self, a: A, b: B, c: C) -> R {
        self(a, b, c)
    }
}

impl<A, B, C, D, R, F: Fn(A, B, C, D) -> R + Sync> Map4<A, B, C, D, R> for F {
    #[inline(always)]
    fn call<I: Isa>(&self, a: A, b: B, c: C, d: D) -> R {
        self(a, b, c, d)
    }
}

impl<A: Element> Tensor<A> {
    /// `f` of every element.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::from([1.0f32, 2.0]);
    /// assert_eq!(x.map(|a| a > 1.5).to_vec(), [false, true]);
    /// ```
    #[track_caller]
    pub fn map<R: Element>(&self, f: impl Map1<A, R>) -> Tensor<R> {
        let a = self.with_dense_rows();
        let nest = Nest::new([&a.layout]);
        let data = a.storage.as_slice();
        Tensor::filled_by("map", self.shape().clone(), |out| {
            for_each_row(&nest, out, |[at], from, out| {
                let a = row(data, at, nest.row_strides[0], from, out.len());
                dispatch(Row1 { out, a, f: &f });
            });
        })
    }

    /// `f` of the elements at the same position, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast; `operation` names the operation in the message.
    #[track_caller]
    pub fn zip_map<B: Element, R: Element>(
        &self,
        operation: &str,
        other: &Tensor<B>,
        f: impl Map2<A, B, R>,
    ) -> Tensor<R> {
        self.zip_to(joint_shape(operation, self.shape(), other.shape()), other, f)
    }

    /// [`zip_map`](Tensor::zip_map) to the [`joint_shape`].
    #[track_caller]
    pub(crate) fn zip_to<B: Element, R: Element>(
        &self,
        shape: Option<Shape>,
        other: &Tensor<B>,
        f: impl Map2<A, B, R>,
    ) -> Tensor<R> {
        if shape.is_none()
            && let (Some(a), Some(b)) = (self.as_slice(), other.as_slice())
        {
            return Tensor::filled_by("zip_map", self.shape().clone(), |out| zip_slices(a, b, out, &f));
        }
        let shape = shape.unwrap_or_else(|| self.shape().clone());
        let (a, b) = (self.broadcast_rows(&shape), other.broadcast_rows(&shape));
        let nest = Nest::new([&a.layout, &b.layout]);
        let (x, y) = (a.storage.as_slice(), b.storage.as_slice());
        let [sa, sb] = nest.row_strides;
        Tensor::filled_by("zip_map", shape, |out| {
            for_each_row(&nest, out, |[at, bt], from, out| {
                let (a, b) = (row(x, at, sa, from, out.len()), row(y, bt, sb, from, out.len()));
                dispatch(Row2 { out, a, b, f: &f });
            });
        })
    }

    /// `f` of the elements of three tensors at the same position, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast; `operation` names the operation in the message.
    #[track_caller]
    pub fn zip_map3<B: Element, C: Element, R: Element>(
        &self,
        operation: &str,
        second: &Tensor<B>,
        third: &Tensor<C>,
        f: impl Map3<A, B, C, R>,
    ) -> Tensor<R> {
        let shape = broadcast_or_panic(operation, self.shape(), second.shape());
        let shape = broadcast_or_panic(operation, &shape, third.shape());
        self.zip3_to(shape, second, third, f)
    }

    /// [`zip_map3`](Tensor::zip_map3) to the shape that the three broadcast to.
    #[track_caller]
    pub(crate) fn zip3_to<B: Element, C: Element, R: Element>(
        &self,
        shape: Shape,
        second: &Tensor<B>,
        third: &Tensor<C>,
        f: impl Map3<A, B, C, R>,
    ) -> Tensor<R> {
        let (a, b, c) =
            (self.broadcast_rows(&shape), second.broadcast_rows(&shape), third.broadcast_rows(&shape));
        let nest = Nest::new([&a.layout, &b.layout, &c.layout]);
        let (x, y, z) = (a.storage.as_slice(), b.storage.as_slice(), c.storage.as_slice());
        let [sa, sb, sc] = nest.row_strides;
        Tensor::filled_by("zip_map3", shape, |out| {
            for_each_row(&nest, out, |[at, bt, ct], from, out| {
                let n = out.len();
                let (a, b, c) = (row(x, at, sa, from, n), row(y, bt, sb, from, n), row(z, ct, sc, from, n));
                dispatch(Row3 { out, a, b, c, f: &f });
            });
        })
    }

    /// `f` of the elements of four tensors at the same position, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast; `operation` names the operation in the message.
    #[track_caller]
    pub fn zip_map4<B: Element, C: Element, D: Element, R: Element>(
        &self,
        operation: &str,
        second: &Tensor<B>,
        third: &Tensor<C>,
        fourth: &Tensor<D>,
        f: impl Map4<A, B, C, D, R>,
    ) -> Tensor<R> {
        let shape = broadcast_or_panic(operation, self.shape(), second.shape());
        let shape = broadcast_or_panic(operation, &shape, third.shape());
        let shape = broadcast_or_panic(operation, &shape, fourth.shape());
        let (a, b) = (self.broadcast_rows(&shape), second.broadcast_rows(&shape));
        let (c, d) = (third.broadcast_rows(&shape), fourth.broadcast_rows(&shape));
        let nest = Nest::new([&a.layout, &b.layout, &c.layout, &d.layout]);
        let (w, x) = (a.storage.as_slice(), b.storage.as_slice());
        let (y, z) = (c.storage.as_slice(), d.storage.as_slice());
        let [sa, sb, sc, sd] = nest.row_strides;
        Tensor::filled_by("zip_map4", shape, |out| {
            for_each_row(&nest, out, |[at, bt, ct, dt], from, out| {
                let n = out.len();
                let (a, b) = (row(w, at, sa, from, n), row(x, bt, sb, from, n));
                let (c, d) = (row(y, ct, sc, from, n), row(z, dt, sd, from, n));
                dispatch(Row4 { out, a, b, c, d, f: &f });
            });
        })
    }

    /// Replaces every element by `f` of it. Copies first if others share the elements.
    pub fn map_inplace(&mut self, f: impl Map1<A, A>) {
        let out = self.as_mut_slice();
        let parallel = out.len() >= PARALLEL_THRESHOLD;
        parallel::for_each_chunk(out, CHUNK, parallel, |_, chunk| {
            dispatch(InPlace1 { out: chunk, f: &f });
        });
    }

    /// Replaces every element by `f` of it and of the element of `other`, broadcast to this shape. Copies first
    /// if others share the elements.
    ///
    /// # Panics
    /// If `other` does not broadcast to this shape; `operation` names the operation in the message.
    #[track_caller]
    pub fn zip_inplace<B: Element>(&mut self, operation: &str, other: &Tensor<B>, f: impl Map2<A, B, A>) {
        check_fits(operation, self.shape(), other.shape());
        self.zip_into(other, f);
    }

    /// [`zip_inplace`](Tensor::zip_inplace) after [`check_fits`].
    pub(crate) fn zip_into<B: Element>(&mut self, other: &Tensor<B>, f: impl Map2<A, B, A>) {
        let shape = self.shape().clone();
        let b = other.broadcast_rows(&shape);
        let nest = Nest::new([&b.layout, &Layout::contiguous(shape)]);
        let data = b.storage.as_slice();
        for_each_row(&nest, self.as_mut_slice(), |[at, _], from, out| {
            let b = row(data, at, nest.row_strides[0], from, out.len());
            dispatch(InPlace2 { out, b, f: &f });
        });
    }

    /// The same elements with every row either consecutive or one repeated element, copied if need be: the only
    /// two kinds of row that the loops vectorise.
    fn with_dense_rows(&self) -> Tensor<A> {
        let last = self.shape().iter().zip(&self.layout.strides).rev().find(|(d, _)| **d != 1);
        match last {
            Some((_, &stride)) if stride != 0 && stride != 1 => self.contiguous(),
            _ => self.clone(),
        }
    }

    /// Broadcast to a shape that is known to fit, with dense rows.
    fn broadcast_rows(&self, shape: &Shape) -> Tensor<A> {
        let dense = self.with_dense_rows();
        let layout = dense.layout.broadcast_to(shape).expect("the shapes were found to broadcast");
        dense.view(layout)
    }
}

/// The shape that two shapes broadcast to; `None` if they are the same.
///
/// # Panics
/// If they do not broadcast; `operation` names the operation in the message.
#[track_caller]
#[inline]
pub(crate) fn joint_shape(operation: &str, a: &Shape, b: &Shape) -> Option<Shape> {
    if a == b { None } else { Some(broadcast_or_panic(operation, a, b)) }
}

/// Panics if `other` does not broadcast to `target`; `operation` names the operation in the message.
#[track_caller]
#[inline]
pub(crate) fn check_fits(operation: &str, target: &Shape, other: &Shape) {
    if joint_shape(operation, target, other).is_some_and(|joint| joint != *target) {
        panic!("{operation}: shape {other} does not broadcast to {target}, the shape written in place");
    }
}

/// `out[i] = f(a[i], b[i])`, in parallel where large.
pub(crate) fn zip_slices<A: Element, B: Element, R: Element>(
    a: &[A],
    b: &[B],
    out: &mut [R],
    f: &impl Map2<A, B, R>,
) {
    if out.len() < PARALLEL_THRESHOLD {
        return dispatch(Row2 { out, a: Row::Dense(a), b: Row::Dense(b), f });
    }
    parallel::for_each_chunk(out, CHUNK, true, |start, out| {
        let range = start..start + out.len();
        dispatch(Row2 { out, a: Row::Dense(&a[range.clone()]), b: Row::Dense(&b[range]), f });
    });
}

/// One operand's row: consecutive elements, or one element repeated.
#[derive(Clone, Copy)]
enum Row<'a, A> {
    Dense(&'a [A]),
    Repeat(A),
}

/// The `length` elements from position `from` of the row that begins at `start`.
#[inline(always)]
fn row<A: Element>(data: &[A], start: usize, stride: isize, from: usize, length: usize) -> Row<'_, A> {
    if stride == 0 { Row::Repeat(data[start]) } else { Row::Dense(&data[start + from..][..length]) }
}

impl<A: Element> Row<'_, A> {
    #[inline(always)]
    fn get(&self, i: usize) -> A {
        match self {
            Row::Dense(a) => a[i],
            Row::Repeat(a) => *a,
        }
    }
}

/// Calls `work(starts, from, piece)` for each piece of `out`, split over threads where large: a whole row, or, if
/// there is only one, a chunk of it that begins at position `from` of the row. The output of a nest is contiguous,
/// so row `i` is its `i`-th piece.
fn for_each_row<R: Element, const N: usize>(
    nest: &Nest<N>,
    out: &mut [R],
    work: impl Fn([usize; N], usize, &mut [R]) + Sync + Send,
) {
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

struct Row1<'a, A, R, F> {
    out: &'a mut [R],
    a: Row<'a, A>,
    f: &'a F,
}

impl<A: Element, R: Element, F: Map1<A, R>> Kernel for Row1<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        match self.a {
            Row::Dense(a) => {
                for (o, &a) in self.out.iter_mut().zip(a) {
                    *o = self.f.call::<I>(a);
                }
            }
            Row::Repeat(a) => self.out.fill(self.f.call::<I>(a)),
        }
    }
}

struct Row2<'a, A, B, R, F> {
    out: &'a mut [R],
    a: Row<'a, A>,
    b: Row<'a, B>,
    f: &'a F,
}

impl<A: Element, B: Element, R: Element, F: Map2<A, B, R>> Kernel for Row2<'_, A, B, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        match (self.a, self.b) {
            (Row::Dense(a), Row::Dense(b)) => {
                for ((o, &a), &b) in self.out.iter_mut().zip(a).zip(b) {
                    *o = self.f.call::<I>(a, b);
                }
            }
            (Row::Dense(a), Row::Repeat(b)) => {
                for (o, &a) in self.out.iter_mut().zip(a) {
                    *o = self.f.call::<I>(a, b);
                }
            }
            (Row::Repeat(a), Row::Dense(b)) => {
                for (o, &b) in self.out.iter_mut().zip(b) {
                    *o = self.f.call::<I>(a, b);
                }
            }
            (Row::Repeat(a), Row::Repeat(b)) => self.out.fill(self.f.call::<I>(a, b)),
        }
    }
}

struct Row3<'a, A, B, C, R, F> {
    out: &'a mut [R],
    a: Row<'a, A>,
    b: Row<'a, B>,
    c: Row<'a, C>,
    f: &'a F,
}

impl<A: Element, B: Element, C: Element, R: Element, F: Map3<A, B, C, R>> Kernel for Row3<'_, A, B, C, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        if let (Row::Dense(a), Row::Dense(b), Row::Dense(c)) = (self.a, self.b, self.c) {
            for (((o, &a), &b), &c) in self.out.iter_mut().zip(a).zip(b).zip(c) {
                *o = self.f.call::<I>(a, b, c);
            }
        } else {
            for (i, o) in self.out.iter_mut().enumerate() {
                *o = self.f.call::<I>(self.a.get(i), self.b.get(i), self.c.get(i));
            }
        }
    }
}

struct Row4<'a, A, B, C, D, R, F> {
    out: &'a mut [R],
    a: Row<'a, A>,
    b: Row<'a, B>,
    c: Row<'a, C>,
    d: Row<'a, D>,
    f: &'a F,
}

impl<A: Element, B: Element, C: Element, D: Element, R: Element, F: Map4<A, B, C, D, R>> Kernel
    for Row4<'_, A, B, C, D, R, F>
{
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        if let (Row::Dense(a), Row::Dense(b), Row::Dense(c), Row::Dense(d)) = (self.a, self.b, self.c, self.d)
        {
            for ((((o, &a), &b), &c), &d) in self.out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *o = self.f.call::<I>(a, b, c, d);
            }
        } else {
            for (i, o) in self.out.iter_mut().enumerate() {
                *o = self.f.call::<I>(self.a.get(i), self.b.get(i), self.c.get(i), self.d.get(i));
            }
        }
    }
}

struct InPlace1<'a, A, F> {
    out: &'a mut [A],
    f: &'a F,
}

impl<A: Element, F: Map1<A, A>> Kernel for InPlace1<'_, A, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for o in self.out {
            *o = self.f.call::<I>(*o);
        }
    }
}

struct InPlace2<'a, A, B, F> {
    out: &'a mut [A],
    b: Row<'a, B>,
    f: &'a F,
}

impl<A: Element, B: Element, F: Map2<A, B, A>> Kernel for InPlace2<'_, A, B, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        match self.b {
            Row::Dense(b) => {
                for (o, &b) in self.out.iter_mut().zip(b) {
                    *o = self.f.call::<I>(*o, b);
                }
            }
            Row::Repeat(b) => {
                for o in self.out {
                    *o = self.f.call::<I>(*o, b);
                }
            }
        }
    }
}
