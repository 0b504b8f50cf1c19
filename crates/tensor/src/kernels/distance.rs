//! Distances between the rows of two matrices and what their derivatives are made of, without a difference in memory.
//!
//! `a` has `p` rows for each `r` rows of `b`, batch by batch, all of the same length. Sums of a row go over eight lanes, which are
//! then added up, so that they vectorise and the bits do not depend on the instruction set.

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::blocks::for_each_block;
use crate::machine::simd::{Isa, Kernel, dispatch};

const LANES: usize = 8;

/// The sizes of a batch: rows of `a`, rows of `b`, and their length.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) p: usize,
    pub(crate) r: usize,
    pub(crate) length: usize,
}

impl Sizes {
    /// Row `i` of all batches, and the matrix that its batch has in `other`.
    fn row<'a, T>(self, i: usize, a: &'a [T], other: &'a [T], rows: usize) -> (&'a [T], &'a [T]) {
        (&a[i * self.length..][..self.length], &other[i / self.p * rows..][..rows])
    }
}

/// Σ term(a, b) over two rows.
#[inline(always)]
fn summed<T: Float>(a: &[T], b: &[T], term: impl Fn(T, T) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (mut of_a, mut of_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in of_a.by_ref().zip(of_b.by_ref()) {
        for ((sum, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *sum += term(a, b);
        }
    }
    let rest = of_a.remainder().iter().zip(of_b.remainder());
    lanes.iter_mut().zip(rest).for_each(|(sum, (&a, &b))| *sum += term(a, b));
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Distances of a row from those of a matrix.
struct Distances<'a, T> {
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Kernel for Distances<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (o, b) in self.out.iter_mut().zip(self.b.chunks_exact(self.a.len())) {
            let square = summed(self.a, b, |a, b| (a - b) * (a - b));
            *o = square.sqrt();
            if !(square > T::from_f64(1e-30) && square < T::from_f64(1e30)) {
                *o = scaled_distance(self.a, b);
            }
        }
    }
}

/// The distance whose square may leave the range of numbers.
#[cold]
#[inline(never)]
fn scaled_distance<T: Float>(a: &[T], b: &[T]) -> T {
    let largest = a.iter().zip(b).fold(T::ZERO, |largest, (&a, &b)| largest.maximum((a - b).abs()));
    if largest == T::ZERO || !largest.is_finite() {
        return largest;
    }
    largest * summed(a, b, |a, b| ((a - b) / largest) * ((a - b) / largest)).sqrt()
}

/// Σⱼ wⱼ·(a − bⱼ) over the rows of a matrix.
struct Sum<'a, T> {
    w: &'a [T],
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Float> Kernel for Sum<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.out.fill(T::ZERO);
        for (&w, b) in self.w.iter().zip(self.b.chunks_exact(self.a.len())) {
            for ((o, &a), &b) in self.out.iter_mut().zip(self.a).zip(b) {
                *o += w * (a - b);
            }
        }
    }
}

/// u·(a − bⱼ) for each row of a matrix.
struct Dots<'a, T> {
    u: &'a [T],
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    scratch: &'a mut [T],
}

impl<T: Float> Kernel for Dots<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (o, b) in self.out.iter_mut().zip(self.b.chunks_exact(self.a.len())) {
            for ((d, &a), &b) in self.scratch.iter_mut().zip(self.a).zip(b) {
                *d = a - b;
            }
            *o = summed(self.u, self.scratch, |u, d| u * d);
        }
    }
}

compiled_here! {
    /// ‖aᵢ − bⱼ‖ of all rows, which have elements.
    pub(crate) fn distances<T: Float>(sizes: Sizes, a: &[T], b: &[T], out: &mut [T]) {
        for_each_block(out, sizes.r, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            dispatch(Distances { a, b, out });
        });
    }
}

compiled_here! {
    /// Σⱼ wᵢⱼ·(aᵢ − bⱼ) of all rows, which have elements.
    pub(crate) fn sums<T: Float>(sizes: Sizes, w: &[T], a: &[T], b: &[T], out: &mut [T]) {
        for_each_block(out, sizes.length, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            dispatch(Sum { w: &w[i * sizes.r..][..sizes.r], a, b, out });
        });
    }
}

compiled_here! {
    /// uᵢ·(aᵢ − bⱼ) of all rows, which have elements.
    pub(crate) fn dots<T: Float>(sizes: Sizes, u: &[T], a: &[T], b: &[T], out: &mut [T]) {
        for_each_block(out, sizes.r, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            let u = &u[i * sizes.length..][..sizes.length];
            let mut scratch = vec![T::ZERO; sizes.length];
            dispatch(Dots { u, a, b, out, scratch: &mut scratch });
        });
    }
}
