//! Passes of formulas that square numbers: without care as long as nothing large comes by.

use std::array;

use wengert_tensor::Float;
use wengert_tensor::simd::{Isa, Kernel, dispatch_seldom};

use super::pass::{Blocks, Pass, add_squares};
use super::{Lanes, ReadingUpdate};

/// Elements that are worked on at a time: so few that what is new stays in registers until it has been judged. Then
/// judging costs next to nothing.
const WATCHED: usize = 16;

impl<T: Float, U: Copy, const N: usize, const M: usize> Pass<'_, T, U, N, M> {
    /// The formula without care, but for blocks in which something large comes by.
    #[inline(always)]
    pub(super) fn watchfully<I: Isa, const R: usize>(self, sums: &mut Lanes<R>)
    where
        U: ReadingUpdate<T, N, M, R>,
    {
        let formula = self.formula.with_care(false);
        let (blocks, rest) = self.in_blocks::<WATCHED>();
        let Blocks { params, grads, state, read } = blocks;
        for (b, (params, grads)) in params.iter_mut().zip(grads).enumerate() {
            let (mut p, mut s, mut terms) =
                ([T::ZERO; WATCHED], [[T::ZERO; WATCHED]; N], [[T::ZERO; WATCHED]; R]);
            let mut large = [false; WATCHED];
            for i in 0..WATCHED {
                let (old, fixed) = (array::from_fn(|k| state[k][b][i]), array::from_fn(|k| read[k][b][i]));
                let (new_p, new_s, new_terms) = formula.apply::<I>(params[i], grads[i], old, fixed);
                p[i] = new_p;
                for k in 0..N {
                    s[k][i] = new_s[k];
                }
                for k in 0..R {
                    terms[k][i] = new_terms[k];
                }
                large[i] = formula.size(new_s) > T::from_f64(U::LARGEST);
            }
            // Without short cuts, which would not vectorise.
            if large.iter().fold(false, |any, &one| any | one) {
                // Loops, not closures: what a closure that is not inlined refers to leaves its registers.
                let (mut old, mut fixed) = ([[T::ZERO; WATCHED]; N], [[T::ZERO; WATCHED]; M]);
                for k in 0..N {
                    old[k] = state[k][b];
                }
                for k in 0..M {
                    fixed[k] = read[k][b];
                }
                let (p, s) = careful_block(formula, *params, *grads, old, fixed, sums);
                *params = p;
                for k in 0..N {
                    state[k][b] = s[k];
                }
            } else {
                *params = p;
                for k in 0..N {
                    state[k][b] = s[k];
                }
                add_squares(sums, &terms);
            }
        }
        let formula = formula.with_care(true);
        Pass { formula, ..rest }.one_by_one::<I, R>(sums);
    }

    /// The formula with care. It is out of line, so that the common case keeps its registers.
    #[cold]
    #[inline(never)]
    pub(super) fn carefully<const R: usize>(self, sums: &mut Lanes<R>)
    where
        U: ReadingUpdate<T, N, M, R>,
    {
        let formula = self.formula.with_care(true);
        dispatch_seldom(Accumulated { pass: Pass { formula, ..self }, sums });
    }
}

/// A block with care: the new parameters and state.
#[cold]
#[inline(never)]
fn careful_block<T: Float, U: ReadingUpdate<T, N, M, R>, const N: usize, const M: usize, const R: usize>(
    formula: U,
    mut params: [T; WATCHED],
    grads: [T; WATCHED],
    mut state: [[T; WATCHED]; N],
    read: [[T; WATCHED]; M],
    sums: &mut Lanes<R>,
) -> ([T; WATCHED], [[T; WATCHED]; N]) {
    let (states, reads) = (state.each_mut().map(|s| &mut s[..]), read.each_ref().map(|r| &r[..]));
    Pass { params: &mut params, grads: &grads, state: states, read: reads, formula }.carefully(sums);
    (params, state)
}

/// A pass as a kernel of its own, that adds to sums.
struct Accumulated<'s, P, const R: usize> {
    pass: P,
    sums: &'s mut Lanes<R>,
}

impl<T: Float, U: ReadingUpdate<T, N, M, R>, const N: usize, const M: usize, const R: usize> Kernel
    for Accumulated<'_, Pass<'_, T, U, N, M>, R>
{
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.pass.plainly::<I, R>(self.sums);
    }
}
