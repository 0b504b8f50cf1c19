//! Elementwise loops: one output element from the same position of one or several inputs.

use crate::array::element::Element;
use crate::array::shape::{Shape, broadcast_or_panic};
use crate::array::tensor::Tensor;
use crate::loops::operands::{self, Row};
use crate::machine::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, Near, dispatch};

/// A formula of one element. Any `Fn(A) -> R` is one; implement it on a struct to call functions that need the
/// instruction set, with `call` marked `#[inline(always)]`.
///
/// ```
/// use wengert_tensor::Tensor;
/// // A closure is one.
/// assert_eq!(Tensor::from([1.0f64, 2.0]).map(|x: f64| x > 1.5).to_vec(), [false, true]);
/// ```
pub trait Map1<A, R>: Sync {
    /// Whether the formula is much shorter where numbers are [near](crate::math::Transcendental::is_near) 0, and the same; loops then
    /// ask [`all_near`](Map1::all_near) of their blocks.
    const SHORT_NEAR: bool = false;
    /// Whether all numbers of a block are.
    #[inline(always)]
    fn all_near(_block: &[A]) -> bool {
        false
    }
    /// The formula.
    fn call<I: Isa>(&self, a: A) -> R;
}

/// A formula of two elements; see [`Map1`].
///
/// ```
/// use wengert_tensor::Tensor;
/// use wengert_tensor::loops::Map2;
/// use wengert_tensor::simd::Isa;
/// /// a + b·scale, in one rounding where the processor can.
/// struct Scaled(f64);
/// impl Map2<f64, f64, f64> for Scaled {
///     #[inline(always)]
///     fn call<I: Isa>(&self, a: f64, b: f64) -> f64 { I::mul_add(b, self.0, a) }
/// }
/// let sum = Tensor::from([1.0, 2.0]).zip_map("scaled", &Tensor::from([10.0, 20.0]), Scaled(0.5));
/// assert_eq!(sum.to_vec(), [6.0, 12.0]);
/// ```
pub trait Map2<A, B, R>: Sync {
    /// The formula.
    fn call<I: Isa>(&self, a: A, b: B) -> R;
}

/// A formula of `N` elements of one type; see [`Map1`].
///
/// ```
/// use wengert_tensor::loops::MapN;
/// use wengert_tensor::simd::{Baseline, Isa};
/// /// a·b + c.
/// struct MulAdd;
/// impl MapN<f64, f64, 3> for MulAdd {
///     #[inline(always)]
///     fn call<I: Isa>(&self, [a, b, c]: [f64; 3]) -> f64 { I::mul_add(a, b, c) }
/// }
/// assert_eq!(MulAdd.call::<Baseline>([2.0, 3.0, 4.0]), 10.0);
/// ```
pub trait MapN<A, R, const N: usize>: Sync {
    /// The formula.
    fn call<I: Isa>(&self, x: [A; N]) -> R;
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

impl<A, R, F: Fn([A; N]) -> R + Sync, const N: usize> MapN<A, R, N> for F {
    #[inline(always)]
    fn call<I: Isa>(&self, x: [A; N]) -> R {
        self(x)
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
        operands::one(self, &|a, out| dispatch(Row1 { out, a, f: &f }))
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
        self.zip_to(operation, joint_shape(operation, self.shape(), other.shape()), other, f)
    }

    /// [`zip_map`](Tensor::zip_map) to the [`joint_shape`].
    #[track_caller]
    pub(crate) fn zip_to<B: Element, R: Element>(
        &self,
        operation: &str,
        shape: Option<Shape>,
        other: &Tensor<B>,
        f: impl Map2<A, B, R>,
    ) -> Tensor<R> {
        operands::two(operation, shape, self, other, &|a, b, out| dispatch(Row2 { out, a, b, f: &f }))
    }

    /// `f` of the elements of several tensors at the same position, after broadcasting.
    ///
    /// # Panics
    /// If the shapes do not broadcast; `operation` names the operation in the message.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let [a, b, c] = [1.0f32, 2.0, 3.0].map(Tensor::scalar);
    /// assert_eq!(Tensor::zip_many("f", [&a, &b, &c], |[a, b, c]: [f32; 3]| a + b * c).item(), 7.0);
    /// ```
    #[track_caller]
    pub fn zip_many<R: Element, const N: usize>(
        operation: &str,
        operands: [&Tensor<A>; N],
        f: impl MapN<A, R, N>,
    ) -> Tensor<R> {
        const { assert!(N > 0, "a formula of no tensors") };
        Tensor::zip_many_to(operation, joint_shape_of_all(operation, operands), operands, f)
    }

    /// [`zip_many`](Tensor::zip_many) to the [`joint_shape_of_all`].
    #[track_caller]
    pub(crate) fn zip_many_to<R: Element, const N: usize>(
        operation: &str,
        shape: Option<Shape>,
        operands: [&Tensor<A>; N],
        f: impl MapN<A, R, N>,
    ) -> Tensor<R> {
        operands::many(operation, shape, operands, &|x, out| dispatch(RowN { out, x, f: &f }))
    }

    /// Replaces every element by `f` of it. Copies first if others share the elements.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let mut x = Tensor::from([1.0f64, 4.0]);
    /// x.map_inplace(|x: f64| x.sqrt());
    /// assert_eq!(x.to_vec(), [1.0, 2.0]);
    /// ```
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
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let mut x = Tensor::from([1.0f64, 4.0]);
    /// x.zip_inplace("larger", &Tensor::from([3.0]), |a: f64, b: f64| a.max(b));
    /// assert_eq!(x.to_vec(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn zip_inplace<B: Element>(&mut self, operation: &str, other: &Tensor<B>, f: impl Map2<A, B, A>) {
        check_fits(operation, self.shape(), other.shape());
        self.zip_into(other, f);
    }

    /// [`zip_inplace`](Tensor::zip_inplace) after [`check_fits`].
    pub(crate) fn zip_into<B: Element>(&mut self, other: &Tensor<B>, f: impl Map2<A, B, A>) {
        operands::into(self, other, &|out, b| dispatch(InPlace2 { out, b, f: &f }));
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

/// The shape that all broadcast to; `None` if they are the same.
///
/// # Panics
/// If they do not; `operation` names the operation in the message.
#[track_caller]
pub(crate) fn joint_shape_of_all<A: Element, const N: usize>(
    operation: &str,
    operands: [&Tensor<A>; N],
) -> Option<Shape> {
    let first = operands[0].shape();
    if operands[1..].iter().all(|x| x.shape() == first) {
        return None;
    }
    let mut shape = first.clone();
    for other in &operands[1..] {
        shape = broadcast_or_panic(operation, &shape, other.shape());
    }
    Some(shape)
}

/// Panics if `other` does not broadcast to `target`; `operation` names the operation in the message.
#[track_caller]
#[inline]
pub(crate) fn check_fits(operation: &str, target: &Shape, other: &Shape) {
    if joint_shape(operation, target, other).is_some_and(|joint| joint != *target) {
        panic!("{operation}: shape {other} does not broadcast to {target}, the shape written in place");
    }
}

// What is compiled for each formula and each instruction set is as few loops as will do: rows of repeated elements alone do not
// come here.

struct Row1<'a, A, R, F> {
    out: &'a mut [R],
    a: &'a [A],
    f: &'a F,
}

impl<A: Element, R: Element, F: Map1<A, R>> Kernel for Row1<'_, A, R, F> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        if F::SHORT_NEAR {
            for (out, a) in self.out.chunks_mut(NEAR_BLOCK).zip(self.a.chunks(NEAR_BLOCK)) {
                if F::all_near(a) {
                    row1::<Near<I>, _, _, _>(out, a, self.f);
                } else {
                    row1::<I, _, _, _>(out, a, self.f);
                }
            }
        } else {
            row1::<I, _, _, _>(self.out, self.a, self.f);
        }
    }
}

/// Numbers of which one decides for all whether they are near 0.
const NEAR_BLOCK: usize = 512;

#[inline(always)]
fn row1<I: Isa, A: Element, R, F: Map1<A, R>>(out: &mut [R], a: &[A], f: &F) {
    for (o, &a) in out.iter_mut().zip(a) {
        *o = f.call::<I>(a);
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
            (Row::Repeat(_), Row::Repeat(_)) => unreachable!("a row of repeated elements alone"),
        }
    }
}

struct RowN<'a, A, R, F, const N: usize> {
    out: &'a mut [R],
    x: [&'a [A]; N],
    f: &'a F,
}

impl<A: Element, R: Element, F: MapN<A, R, N>, const N: usize> Kernel for RowN<'_, A, R, F, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let n = self.out.len();
        // Loops, not closures: those that are not inlined are not compiled for the instruction set.
        let mut rows = self.x;
        for row in &mut rows {
            *row = &row[..n];
        }
        if n == 0 {
            return;
        }
        let mut x = [rows[0][0]; N];
        for (i, o) in self.out.iter_mut().enumerate() {
            for (x, row) in x.iter_mut().zip(&rows) {
                *x = row[i];
            }
            *o = self.f.call::<I>(x);
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
