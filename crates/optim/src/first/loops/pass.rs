//! One pass of an update over its vectors.

use std::array;

use wengert_tensor::Float;
use wengert_tensor::simd::{Isa, Kernel};

use super::{Lanes, ReadingUpdate, no_lanes, totals};

/// Elements that are worked on at a time. They are copied to local arrays, which lets the compiler vectorise without
/// having to prove that parameters, gradients and state are apart.
pub(super) const BLOCK: usize = 64;

/// One pass over vectors of one length: for kernels that make several.
pub(crate) struct Pass<'a, T, U, const N: usize, const M: usize> {
    pub(crate) params: &'a mut [T],
    pub(crate) grads: &'a [T],
    pub(crate) state: [&'a mut [T]; N],
    pub(crate) read: [&'a [T]; M],
    pub(crate) formula: U,
}

/// A pass in blocks of `B` elements; what is left over is a pass of its own.
pub(super) struct Blocks<'a, T, const N: usize, const M: usize, const B: usize> {
    pub(super) params: &'a mut [[T; B]],
    pub(super) grads: &'a [[T; B]],
    pub(super) state: [&'a mut [[T; B]]; N],
    pub(super) read: [&'a [[T; B]]; M],
}

impl<'a, T: Float, U: Copy, const N: usize, const M: usize> Pass<'a, T, U, N, M> {
    /// Makes the pass; adds to `sums`.
    #[inline(always)]
    pub(crate) fn accumulate<I: Isa, const R: usize>(self, sums: &mut Lanes<R>)
    where
        U: ReadingUpdate<T, N, M, R>,
    {
        if U::LARGEST == f64::INFINITY {
            self.plainly::<I, R>(sums);
        } else if self.formula.needs_care() {
            self.carefully(sums);
        } else {
            self.watchfully::<I, R>(sums);
        }
    }

    /// The formula as it is, for every element.
    #[inline(always)]
    pub(super) fn plainly<I: Isa, const R: usize>(self, sums: &mut Lanes<R>)
    where
        U: ReadingUpdate<T, N, M, R>,
    {
        let formula = self.formula;
        let (blocks, rest) = self.in_blocks::<BLOCK>();
        let Blocks { params, grads, state, read } = blocks;
        for (b, (params, grads)) in params.iter_mut().zip(grads).enumerate() {
            let (mut p, g) = (*params, *grads);
            let mut s: [[T; BLOCK]; N] = array::from_fn(|k| state[k][b]);
            let r: [[T; BLOCK]; M] = array::from_fn(|k| read[k][b]);
            let mut terms = [[T::ZERO; BLOCK]; R];
            for i in 0..BLOCK {
                let (old, fixed) = (array::from_fn(|k| s[k][i]), array::from_fn(|k| r[k][i]));
                let (new_p, new_s, new_terms) = formula.apply::<I>(p[i], g[i], old, fixed);
                p[i] = new_p;
                for k in 0..N {
                    s[k][i] = new_s[k];
                }
                for k in 0..R {
                    terms[k][i] = new_terms[k];
                }
            }
            *params = p;
            for k in 0..N {
                state[k][b] = s[k];
            }
            add_squares(sums, &terms);
        }
        rest.one_by_one::<I, R>(sums);
    }

    /// The formula for each element, for lengths below a block.
    #[inline(always)]
    pub(super) fn one_by_one<I: Isa, const R: usize>(self, sums: &mut Lanes<R>)
    where
        U: ReadingUpdate<T, N, M, R>,
    {
        let Pass { params, grads, state, read, formula } = self;
        for (i, (p, &g)) in params.iter_mut().zip(grads).enumerate() {
            let (old, fixed) = (array::from_fn(|k| state[k][i]), array::from_fn(|k| read[k][i]));
            let (new_p, new_s, new_terms) = formula.apply::<I>(*p, g, old, fixed);
            *p = new_p;
            for k in 0..N {
                state[k][i] = new_s[k];
            }
            for k in 0..R {
                sums[k][i] += new_terms[k].to_f64() * new_terms[k].to_f64();
            }
        }
    }

    /// Blocks, and what is left over.
    #[inline(always)]
    pub(super) fn in_blocks<const B: usize>(self) -> (Blocks<'a, T, N, M, B>, Self) {
        let Pass { params, grads, state, read, formula } = self;
        let (params, params_rest) = params.as_chunks_mut::<B>();
        let (grads, grads_rest) = grads.as_chunks::<B>();
        let count = grads.len();
        let mut state_rests: [&mut [T]; N] = array::from_fn(|_| Default::default());
        let mut rest = state_rests.iter_mut();
        let state = state.map(|s| {
            let (blocks, tail) = s.as_chunks_mut::<B>();
            if let Some(rest) = rest.next() {
                *rest = tail;
            }
            &mut blocks[..count]
        });
        let read_rests = read.map(|r| r.as_chunks::<B>().1);
        let read = read.map(|r| &r.as_chunks::<B>().0[..count]);
        let rest =
            Pass { params: params_rest, grads: grads_rest, state: state_rests, read: read_rests, formula };
        (Blocks { params, grads, state, read }, rest)
    }
}

/// Adds the squares of `terms`, in f64.
#[inline(always)]
pub(super) fn add_squares<T: Float, const B: usize, const R: usize>(
    sums: &mut Lanes<R>,
    terms: &[[T; B]; R],
) {
    for (sums, terms) in sums.iter_mut().zip(terms) {
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += term.to_f64() * term.to_f64();
        }
    }
}

/// A pass as a kernel of its own, with `R` sums.
pub(super) struct Summed<P, const R: usize>(pub(super) P);

impl<T: Float, U: ReadingUpdate<T, N, M, R>, const N: usize, const M: usize, const R: usize> Kernel
    for Summed<Pass<'_, T, U, N, M>, R>
{
    type Output = [f64; R];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; R] {
        let mut sums = no_lanes();
        self.0.accumulate::<I, R>(&mut sums);
        totals(sums)
    }
}
