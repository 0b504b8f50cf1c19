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
}

/// A difference of coordinates as the slope of a distance has it.
trait Slope: Sync {
    /// v·(a − b), or v·sign(a − b), which is 0 where that is.
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
}

impl Slope for City {
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
}

impl Slope for Euclidean {
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

/// Whether numbers that are divided by a distance, twice for second derivatives, may leave the range on the way.
#[inline(always)]
fn is_far<T: Float>(distance: T) -> bool {
    let ordinary = (distance > T::from_f64(1e-15)) & (distance < T::from_f64(1e15));
    !(ordinary | (distance == T::ZERO))
}

/// `v` divided by a distance, or 0 where that is 0.
#[inline(always)]
fn over<T: Float>(v: T, distance: T) -> T {
    if distance == T::ZERO { T::ZERO } else { v / distance }
}

/// Σⱼ slope(wⱼ, a − bⱼ) over the rows of a matrix.
struct Sum<'a, T, M> {
    w: &'a [T],
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    _metric: M,
}

impl<T: Float, M: Slope> Sum<'_, T, M> {
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

impl<T: Float, M: Slope> Kernel for Sum<'_, T, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let from = self.blocks::<64>(0);
        let from = self.blocks::<16>(from);
        self.blocks::<1>(from);
    }
}

/// Σₖ uₖ·(aₖ − bₖ)/d, by the direction itself.
#[cold]
#[inline(never)]
fn far_dot<T: Float>(u: &[T], difference: &[T], distance: T) -> T {
    summed(u, difference, |u, difference| u * (difference / distance))
}

/// Σₖ slope(uₖ, aₖ − bⱼₖ) for each row of a matrix, divided by the distance if there are distances.
struct Dots<'a, T, M> {
    u: &'a [T],
    a: &'a [T],
    b: &'a [T],
    distances: Option<&'a [T]>,
    out: &'a mut [T],
    scratch: &'a mut [T],
    _metric: M,
}

impl<T: Float, M: Slope> Kernel for Dots<'_, T, M> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (j, (o, b)) in self.out.iter_mut().zip(self.b.chunks_exact(self.a.len())).enumerate() {
            for ((d, &a), &b) in self.scratch.iter_mut().zip(self.a).zip(b) {
                *d = a - b;
            }
            *o = summed(self.u, self.scratch, |u, d| M::slope(u, d));
            if let Some(distances) = self.distances {
                let d = distances[j];
                *o = if is_far(d) { far_dot(self.u, self.scratch, d) } else { over(*o, d) };
            }
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

/// Σⱼ wⱼ·(a − bⱼ)/dⱼ over the rows of a matrix, by the directions themselves.
#[cold]
#[inline(never)]
fn far_sum<T: Float>(w: &[T], a: &[T], b: &[T], distances: &[T], out: &mut [T]) {
    out.fill(T::ZERO);
    for ((b, &w), &d) in b.chunks_exact(a.len()).zip(w).zip(distances) {
        for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *o += if d == T::ZERO { T::ZERO } else { w * ((a - b) / d) };
        }
    }
}

compiled_here! {
    /// Σⱼ wᵢⱼ·(aᵢ − bⱼ)/dᵢⱼ of all rows, which have elements, with the distances d, or of the signs of the differences.
    pub(crate) fn sums<T: Float>(sizes: Sizes, w: &[T], a: &[T], b: &[T], distances: Option<&[T]>, out: &mut [T]) {
        for_each_block(out, sizes.length, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            let own = i * sizes.r..(i + 1) * sizes.r;
            let w = &w[own.clone()];
            let Some(distances) = distances.map(|d| &d[own.clone()]) else {
                return dispatch(Sum { w, a, b, out, _metric: City });
            };
            if distances.iter().any(|&d| is_far(d)) {
                return far_sum(w, a, b, distances, out);
            }
            let w: Vec<T> = w.iter().zip(distances).map(|(&w, &d)| over(w, d)).collect();
            dispatch(Sum { w: &w, a, b, out, _metric: Euclidean });
        });
    }
}

compiled_here! {
    /// Σₖ uᵢₖ·(aᵢₖ − bⱼₖ)/dᵢⱼ of all rows, which have elements, with the distances d, or of the signs of the differences.
    pub(crate) fn dots<T: Float>(sizes: Sizes, u: &[T], a: &[T], b: &[T], distances: Option<&[T]>, out: &mut [T]) {
        for_each_block(out, sizes.r, |i, out| {
            let (a, b) = sizes.row(i, a, b, sizes.r * sizes.length);
            let u = &u[i * sizes.length..][..sizes.length];
            let scratch = &mut vec![T::ZERO; sizes.length][..];
            match distances.map(|d| &d[i * sizes.r..][..sizes.r]) {
                None => dispatch(Dots { u, a, b, distances, out, scratch, _metric: City }),
                distances => dispatch(Dots { u, a, b, distances, out, scratch, _metric: Euclidean }),
            }
        });
    }
}
