//! The elements that an update works on at a time.

use std::array;

use wengert_tensor::Float;
use wengert_tensor::simd::{Isa, Kernel, dispatch};

use super::ReadingUpdate;

/// Elements that are worked on at a time. They are copied to local arrays, which lets the compiler vectorise without
/// having to prove that parameters, gradients and state are apart; so few that what is new fits into registers until it
/// has been judged.
pub(super) const BLOCK: usize = 16;

/// Parameters, state and terms of the sums for as many elements as are worked on at a time.
pub(super) struct Block<T, const N: usize, const R: usize> {
    pub(super) p: [T; BLOCK],
    pub(super) s: [[T; BLOCK]; N],
    pub(super) terms: [[T; BLOCK]; R],
}

impl<T: Float, const N: usize, const R: usize> Block<T, N, R> {
    #[inline(always)]
    pub(super) fn new(p: [T; BLOCK], s: [[T; BLOCK]; N]) -> Self {
        Block { p, s, terms: [[T::ZERO; BLOCK]; R] }
    }

    #[inline(always)]
    pub(super) fn update<I: Isa, const M: usize>(
        &mut self,
        formula: impl ReadingUpdate<T, N, M, R>,
        grads: &[T; BLOCK],
        read: &[[T; BLOCK]; M],
    ) {
        for i in 0..BLOCK {
            let (old, fixed) = (array::from_fn(|k| self.s[k][i]), array::from_fn(|k| read[k][i]));
            let (p, s, terms) = formula.apply::<I>(self.p[i], grads[i], old, fixed);
            self.p[i] = p;
            self.s.iter_mut().zip(s).for_each(|(block, new)| block[i] = new);
            self.terms.iter_mut().zip(terms).for_each(|(block, new)| block[i] = new);
        }
    }
}

/// The careful update of a block. It is out of line, so that the loop around it keeps its numbers in registers.
pub(super) struct Careful<'a, T, U, const N: usize, const M: usize, const R: usize> {
    pub(super) params: &'a mut [T; BLOCK],
    pub(super) grads: &'a [T; BLOCK],
    pub(super) state: [&'a mut [T; BLOCK]; N],
    pub(super) read: [&'a [T; BLOCK]; M],
    pub(super) formula: U,
}

impl<T: Float, U: ReadingUpdate<T, N, M, R>, const N: usize, const M: usize, const R: usize>
    Careful<'_, T, U, N, M, R>
{
    /// Returns the terms of the sums.
    #[cold]
    #[inline(never)]
    pub(super) fn update(self) -> [[T; BLOCK]; R] {
        dispatch(self)
    }
}

impl<T: Float, U: ReadingUpdate<T, N, M, R>, const N: usize, const M: usize, const R: usize> Kernel
    for Careful<'_, T, U, N, M, R>
{
    type Output = [[T; BLOCK]; R];

    #[inline(always)]
    fn run<I: Isa>(self) -> [[T; BLOCK]; R] {
        let Careful { params, grads, state, read, formula } = self;
        let mut block = Block::new(*params, array::from_fn(|k| *state[k]));
        block.update::<I, M>(formula.with_care(true), grads, &read.map(|r| *r));
        *params = block.p;
        for (old, new) in state.into_iter().zip(block.s) {
            *old = new;
        }
        block.terms
    }
}
