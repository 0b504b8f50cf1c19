//! Distances between the rows of two matrices and what their derivatives are made of, without a difference in memory.
//!
//! `a` has `p` rows for each `r` rows of `b`, batch by batch, all of the same length. Sums of a row go over eight lanes, which are
//! then added up, so that they vectorise and the bits do not depend on the instruction set.

use crate::array::element::Float;
use crate::compiled_here;
use crate::loops::blocks::for_each_block;
use crate::machine::parallel::{self, PARALLEL_THRESHOLD};
use crate::machine::simd::{Isa, Kernel, dispatch};

const LANES: usize = 8;

/// Which distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// Σ|aₖ − bₖ|.
    City,
    /// √Σ(aₖ − bₖ)².
    Euclidean,
}

/// The formulas of a distance.
trait Metric: Sync {
    /// What a difference adds.
    fn term<T: Float>(difference: T) -> T;
    /// The distance of a sum of terms.
    fn whole<T: Float>(sum: T) -> T;
    /// Whether terms may have left the range of numbers.
    fn is_doubtful<T: Float>(sum: T) -> bool;
    /// `v` times the slope of the distance by a coordinate, times the distance: v·(a − b), or v·sign(a − b), which is 0 where that is.
    fn slope<T: Float>(v: T, difference: T) -> T;
}

struct City;
struct Euclidean;

impl Metric for City {
    #[inline(always)]
    fn term<T: Float>(difference: T) -> T {
        difference.abs()
    }
    #[inline(always)]
    fn whole<T: Float>(sum: T) -> T {
        sum
    }
    #[inline(always)]
    fn is_doubtful<T: Float>(_: T) -> bool {
        false
    }
    #[inline(always)]
    fn slope<T: Float>(v: T, difference: T) -> T {
        let along = if difference < T::ZERO { -v } else { v };
        let along = if difference == T::ZERO { T::ZERO } else { along };
        if difference.is_nan() { difference } else { along }
    }
}

impl Metric for Euclidean {
    #[inline(always)]
    fn term<T: Float>(difference: T) -> T {
        difference * difference
    }
    #[inline(always)]
    fn whole<T: Float>(sum: T) -> T {
        sum.sqrt()
    }
    #[inline(always)]
    fn is_doubtful<T: Float>(sum: T) -> bool {
        !((sum > T::from_f64(1e-30)) & (sum < T::from_f64(1e30)))
    }
    #[inline(always)]
    fn slope<T: Float>(v: T, difference: T) -> T {
        v * difference
    }
}

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
struct Distances<'a, T, M> {
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    _metric: M,
}

impl<T: Float, M: Metric> Kernel for Distances<'_, T, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (o, b) in self.out.iter_mut().zip(self.b.chunks_exact(self.a.len())) {
            let sum = summed(self.a, b, |a, b| M::term(a - b));
            *o = M::whole(sum);
            if M::is_doubtful(sum) {
                *o = scaled_distance(self.a, b);
            }
        }
    }
}

/// The Euclidean distance whose square may leave the range of numbers.
#[cold]
#[inline(never)]
fn scaled_distance<T: Float>(a: &[T], b: &[T]) -> T {
    let largest = a.iter().zip(b).fold(T::ZERO, |largest, (&a, &b)| largest.maximum((a - b).abs()));
    if largest == T::ZERO || !largest.is_finite() {
        return largest;
    }
    largest * summed(a, b, |a, b| ((a - b) / largest) * ((a - b) / largest)).sqrt()
}

/// Σⱼ slope(wⱼ, a − bⱼ) over the rows of a matrix.
struct Sum<'a, T, M> {
    w: &'a [T],
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    _metric: M,
}

impl<T: Float, M: Metric> Sum<'_, T, M> {
    /// The sums of as many whole blocks of `N` coordinates as there are from `from` on; says where it ended.
    #[inline(always)]
    fn blocks<const N: usize>(&mut self, mut from: usize) -> usize {
        let length = self.a.len();
        while let Some(a) = self.a[from..].first_chunk::<N>() {
            let mut sums = [T::ZERO; N];
            for (&w, b) in self.w.iter().zip(self.b.chunks_exact(length)) {
                let Some(b) = b[from..].first_chunk::<N>() else { break };
                for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
                    *sum += M::slope(w, a - b);
                }
            }
            self.out[from..from + N].copy_from_slice(&sums);
            from += N;
        }
        from
    }
}

impl<T: Float, M: Metric> Kernel for Sum<'_, T, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let from = self.blocks::<64>(0);
        let from = self.blocks::<16>(from);
        self.blocks::<1>(from);
    }
}

/// Σₖ slope(uₖ, aₖ − bⱼₖ) for each row of a matrix.
struct Dots<'a, T, M> {
    u: &'a [T],
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    scratch: &'a mut [T],
    _metric: M,
}

impl<T: Float, M: Metric> Kernel for Dots<'_, T, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (o, b) in self.out.iter_mut().zip(self.b.chunks_exact(self.a.len())) {
            for ((d, &a), &b) in self.scratch.iter_mut().zip(self.a).zip(b) {
                *d = a - b;
            }
            *o = summed(self.u, self.scratch, |u, d| M::slope(u, d));
        }
    }
}

compiled_here! {
    /// The distances aᵢ from bⱼ of all rows, which have elements.
    pub(crate) fn distances<T: Float>(metric: Distance, sizes: Sizes, a: &[T], b: &[T], out: &mut [T]) {
        for_each_block(out, sizes.r, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            match metric {
                Distance::City => dispatch(Distances { a, b, out, _metric: City }),
                Distance::Euclidean => dispatch(Distances { a, b, out, _metric: Euclidean }),
            }
        });
    }
}

compiled_here! {
    /// The distances of all pairs i < j of the rows of a matrix, which have elements, in the order of i and then of j.
    pub(crate) fn own_distances<T: Float>(metric: Distance, rows: usize, a: &[T], out: &mut [T]) {
        let length = a.len() / rows;
        let mut rest = out;
        let mut pieces = Vec::with_capacity(rows);
        for i in 0..rows {
            let (piece, others) = rest.split_at_mut(rows - i - 1);
            pieces.push(piece);
            rest = others;
        }
        let parallel = a.len().saturating_mul(rows) >= PARALLEL_THRESHOLD;
        parallel::for_each_chunk(&mut pieces, 1, parallel, |i, piece| {
            let (row, others) = a[i * length..].split_at(length);
            match metric {
                Distance::City => dispatch(Distances { a: row, b: others, out: piece[0], _metric: City }),
                Distance::Euclidean => dispatch(Distances { a: row, b: others, out: piece[0], _metric: Euclidean }),
            }
        });
    }
}

compiled_here! {
    /// Σⱼ slope(wᵢⱼ, aᵢ − bⱼ) of all rows, which have elements.
    pub(crate) fn sums<T: Float>(metric: Distance, sizes: Sizes, w: &[T], a: &[T], b: &[T], out: &mut [T]) {
        for_each_block(out, sizes.length, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            let w = &w[i * sizes.r..][..sizes.r];
            match metric {
                Distance::City => dispatch(Sum { w, a, b, out, _metric: City }),
                Distance::Euclidean => dispatch(Sum { w, a, b, out, _metric: Euclidean }),
            }
        });
    }
}

compiled_here! {
    /// Σₖ slope(uᵢₖ, aᵢₖ − bⱼₖ) of all rows, which have elements.
    pub(crate) fn dots<T: Float>(metric: Distance, sizes: Sizes, u: &[T], a: &[T], b: &[T], out: &mut [T]) {
        for_each_block(out, sizes.r, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            let u = &u[i * sizes.length..][..sizes.length];
            let scratch = &mut vec![T::ZERO; sizes.length][..];
            match metric {
                Distance::City => dispatch(Dots { u, a, b, out, scratch, _metric: City }),
                Distance::Euclidean => dispatch(Dots { u, a, b, out, scratch, _metric: Euclidean }),
            }
        });
    }
}
