//! The loops that every update runs in: vectorised, threaded in pieces that depend on the length alone.

mod careful;
mod pass;

pub(crate) use pass::Pass;
use pass::{BLOCK, Summed};

use std::array;
use std::mem::take;

use wengert_tensor::parallel::{self, CHUNK, PARALLEL_THRESHOLD};
use wengert_tensor::simd::{Isa, Kernel, dispatch};
use wengert_tensor::{Float, compiled_here};

/// The formula of an update for one parameter with `N` numbers of state, with `R` sums of squares on the side.
pub(crate) trait Update<T: Float, const N: usize, const R: usize = 0>: Copy + Send + Sync {
    /// From the parameter `p`, its gradient `g` and state `s`: the new parameter, the new state, and this
    /// parameter's terms of the sums, which are squared in f64, where those of f32 cannot overflow. Implement it
    /// `#[inline(always)]` and without branches.
    fn apply<I: Isa>(&self, p: T, g: T, s: [T; N]) -> (T, [T; N], [T; R]);

    /// Up to which [`size`](Update::size) what the formula gives without care is right; without bound by default.
    const LARGEST: f64 = f64::INFINITY;

    /// The size of the new state `s`: large if anything that was squared on the way to it was.
    #[inline(always)]
    fn size(&self, _s: [T; N]) -> T {
        T::ZERO
    }

    /// Whether every element needs care: squares that underflow change the result.
    #[inline(always)]
    fn needs_care(&self) -> bool {
        false
    }

    /// The same formula with care, and so slower, for numbers of all magnitudes, or without.
    #[inline(always)]
    fn with_care(self, _care: bool) -> Self {
        self
    }
}

/// An [`Update`] that reads `M` more numbers, which it leaves as they are: a vector that is not written costs half.
pub(crate) trait ReadingUpdate<T: Float, const N: usize, const M: usize, const R: usize = 0>:
    Copy + Send + Sync
{
    /// As [`Update::apply`], with what is only read in `read`.
    fn apply<I: Isa>(&self, p: T, g: T, s: [T; N], read: [T; M]) -> (T, [T; N], [T; R]);

    /// As [`Update::LARGEST`].
    const LARGEST: f64 = f64::INFINITY;

    /// As [`Update::size`].
    #[inline(always)]
    fn size(&self, _s: [T; N]) -> T {
        T::ZERO
    }

    /// As [`Update::needs_care`].
    #[inline(always)]
    fn needs_care(&self) -> bool {
        false
    }

    /// As [`Update::with_care`].
    #[inline(always)]
    fn with_care(self, _care: bool) -> Self {
        self
    }
}

impl<T: Float, U: Update<T, N, R>, const N: usize, const R: usize> ReadingUpdate<T, N, 0, R> for U {
    #[inline(always)]
    fn apply<I: Isa>(&self, p: T, g: T, s: [T; N], _: [T; 0]) -> (T, [T; N], [T; R]) {
        Update::apply::<I>(self, p, g, s)
    }

    const LARGEST: f64 = <U as Update<T, N, R>>::LARGEST;

    #[inline(always)]
    fn size(&self, s: [T; N]) -> T {
        Update::size(self, s)
    }

    #[inline(always)]
    fn needs_care(&self) -> bool {
        Update::needs_care(self)
    }

    #[inline(always)]
    fn with_care(self, care: bool) -> Self {
        Update::with_care(self, care)
    }
}

/// Most pieces that a vector is split into. They are kept on the stack, so that a step allocates nothing.
const PIECES: usize = 64;

/// Updates every parameter and its state in place, in one pass; returns the sums of squares.
pub(crate) fn update<T: Float, const N: usize, const R: usize>(
    params: &mut [T],
    grads: &[T],
    state: [&mut [T]; N],
    formula: impl Update<T, N, R>,
) -> [f64; R] {
    update_reading(params, grads, state, [], formula)
}

/// As [`update`], with vectors that are only read.
pub(crate) fn update_reading<T: Float, const N: usize, const M: usize, const R: usize>(
    params: &mut [T],
    grads: &[T],
    state: [&mut [T]; N],
    read: [&[T]; M],
    formula: impl ReadingUpdate<T, N, M, R>,
) -> [f64; R] {
    let (mut params, mut grads, mut state, mut read) = (params, grads, state, read);
    in_pieces(params.len(), CHUNK, |len| {
        Summed(Pass {
            params: split_off(&mut params, len),
            grads: split_off_shared(&mut grads, len),
            state: state.each_mut().map(|s| split_off(s, len)),
            read: read.each_mut().map(|r| split_off_shared(r, len)),
            formula,
        })
    })
}

/// Copies with all threads.
///
/// # Panics
/// If the lengths differ.
#[track_caller]
pub(crate) fn copy<T: Float>(from: &[T], to: &mut [T]) {
    compiled_here! {
        fn copy<T: Float>(from: &[T], to: &mut [T]) {
            let [] = update(to, from, [], Copied);
        }
    }
    assert!(from.len() == to.len(), "{} elements copied to {}", from.len(), to.len());
    copy(from, to);
}

#[derive(Clone, Copy)]
struct Copied;

impl<T: Float> Update<T, 0> for Copied {
    #[inline(always)]
    fn apply<I: Isa>(&self, _: T, g: T, _: [T; 0]) -> (T, [T; 0], [T; 0]) {
        (g, [], [])
    }
}

/// out ← a x + b y.
pub(crate) fn combine<T: Float>(a: T, x: &[T], b: T, y: &[T], out: &mut [T]) {
    let [] = update_reading(out, x, [], [y], Combination { a, b });
}

#[derive(Clone, Copy)]
struct Combination<T> {
    a: T,
    b: T,
}

impl<T: Float> ReadingUpdate<T, 0, 1> for Combination<T> {
    #[inline(always)]
    fn apply<I: Isa>(&self, _: T, x: T, _: [T; 0], [y]: [T; 1]) -> (T, [T; 0], [T; 0]) {
        (I::mul_add(self.a, x, self.b * y), [], [])
    }
}

/// Sums over two vectors of one length; `formula` gives a pair's terms.
pub(crate) fn sums<T: Float, const R: usize>(
    a: &[T],
    b: &[T],
    formula: impl Fn(T, T) -> [f64; R] + Copy + Send + Sync,
) -> [f64; R] {
    assert_eq!(a.len(), b.len());
    let mut start = 0;
    in_pieces(a.len(), CHUNK, |len| {
        let range = start..start + len;
        start = range.end;
        Sums { a: &a[range.clone()], b: &b[range], formula }
    })
}

compiled_here! {
    /// Σ xᵢ², in f64, where the square of an f32 cannot overflow.
    pub(crate) fn sum_of_squares<T: Float>(x: &[T]) -> f64 {
        let [sum] = sums(x, x, |a: T, _| [a.to_f64() * a.to_f64()]);
        sum
    }
}

/// Splits `len` elements into at most [`PIECES`] pieces of multiples of `unit`, made in order by `piece`, runs them, and
/// adds their sums in order. The pieces depend on `len` and `unit` alone.
pub(crate) fn in_pieces<K: Kernel<Output = [f64; R]> + Send, const R: usize>(
    len: usize,
    unit: usize,
    mut piece: impl FnMut(usize) -> K,
) -> [f64; R] {
    let size = piece_len(len, unit);
    if len <= size {
        return dispatch(piece(len));
    }
    let count = len.div_ceil(size);
    let mut pieces: [_; PIECES] =
        array::from_fn(|i| (i < count).then(|| (Some(piece(size.min(len - i * size))), [0.0; R])));
    parallel::for_each_chunk(&mut pieces[..count], 1, len >= PARALLEL_THRESHOLD, |_, chunk| {
        for (kernel, sums) in chunk.iter_mut().flatten() {
            if let Some(kernel) = kernel.take() {
                *sums = dispatch(kernel);
            }
        }
    });
    let mut total = [0.0; R];
    for (_, sums) in pieces.iter().flatten() {
        for (t, s) in total.iter_mut().zip(sums) {
            *t += s;
        }
    }
    total
}

/// The length of the pieces of [`in_pieces`], but for the last.
pub(crate) fn piece_len(len: usize, unit: usize) -> usize {
    len.div_ceil(PIECES).max(CHUNK).next_multiple_of(unit.max(1))
}

/// Takes the first `len` elements off a slice.
pub(crate) fn split_off<'a, T>(from: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (first, rest) = take(from).split_at_mut(len);
    *from = rest;
    first
}

/// Takes the first `len` elements off a shared slice.
pub(crate) fn split_off_shared<'a, T>(from: &mut &'a [T], len: usize) -> &'a [T] {
    let (first, rest) = from.split_at(len);
    *from = rest;
    first
}

/// Partial sums, a lane for each place in a block.
pub(crate) type Lanes<const R: usize> = [[f64; BLOCK]; R];

/// The sums of no elements.
pub(crate) const fn no_lanes<const R: usize>() -> Lanes<R> {
    [[0.0; BLOCK]; R]
}

/// The totals of partial sums.
pub(crate) fn totals<const R: usize>(lanes: Lanes<R>) -> [f64; R] {
    lanes.map(|lanes| lanes.iter().sum())
}

/// Sums over two vectors of one length, as a part of a kernel or one of its own.
pub(crate) struct Sums<'a, T, F, const R: usize> {
    pub(crate) a: &'a [T],
    pub(crate) b: &'a [T],
    pub(crate) formula: F,
}

impl<T: Float, F: Fn(T, T) -> [f64; R], const R: usize> Sums<'_, T, F, R> {
    /// Adds to `sums`.
    #[inline(always)]
    pub(crate) fn accumulate(self, sums: &mut Lanes<R>) {
        let (a, a_tail) = self.a.as_chunks::<BLOCK>();
        let (b, b_tail) = self.b.as_chunks::<BLOCK>();
        for (a, b) in a.iter().zip(b) {
            for i in 0..BLOCK {
                let terms = (self.formula)(a[i], b[i]);
                for k in 0..R {
                    sums[k][i] += terms[k];
                }
            }
        }
        for (i, (&a, &b)) in a_tail.iter().zip(b_tail).enumerate() {
            let terms = (self.formula)(a, b);
            for k in 0..R {
                sums[k][i] += terms[k];
            }
        }
    }
}

impl<T: Float, F: Fn(T, T) -> [f64; R], const R: usize> Kernel for Sums<'_, T, F, R> {
    type Output = [f64; R];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; R] {
        let mut sums = no_lanes();
        self.accumulate(&mut sums);
        totals(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wengert_tensor::parallel::with_threads;

    #[derive(Clone, Copy)]
    struct Mix;
    impl Update<f32, 3, 2> for Mix {
        #[inline(always)]
        fn apply<I: Isa>(&self, p: f32, g: f32, [a, b, c]: [f32; 3]) -> (f32, [f32; 3], [f32; 2]) {
            (p + g, [a + 1.0, b + g, c * 2.0], [p, g])
        }
    }

    #[test]
    fn every_element_is_updated_once_at_all_lengths() {
        for len in (0..=2 * BLOCK + 1).chain([CHUNK - 1, CHUNK, CHUNK + 1, PARALLEL_THRESHOLD * 20 + 77]) {
            let grads: Vec<f32> = (0..len).map(|i| (i % 97) as f32).collect();
            let start: Vec<f32> = (0..len).map(|i| (i % 13) as f32).collect();
            let run = |threads| {
                with_threads(threads, || {
                    let (mut p, mut a, mut b, mut c) =
                        (start.clone(), start.clone(), start.clone(), start.clone());
                    let sums = update(&mut p, &grads, [&mut a, &mut b, &mut c], Mix);
                    (p, a, b, c, sums.map(f64::to_bits))
                })
            };
            let one = run(1);
            assert!(one == run(2) && one == run(3), "{len}: depends on the number of threads");
            for i in 0..len {
                let (s, g) = (start[i], grads[i]);
                assert_eq!((one.0[i], one.1[i], one.2[i], one.3[i]), (s + g, s + 1.0, s + g, s * 2.0));
            }
            let exact = [sum_of_squares(&start), sum_of_squares(&grads)];
            assert_eq!(one.4.map(f64::from_bits), exact);
            assert_eq!(exact[1], grads.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>());
        }
    }
}
