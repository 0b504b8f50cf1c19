//! Loops over neighbouring positions in pieces whose lengths the compiler knows.

use crate::machine::simd::Isa;

/// What is done with neighbouring positions, from a number on.
pub(super) trait Piece {
    /// # Safety
    /// As whoever implements it says, of the `N` positions from `from` on.
    unsafe fn piece<I: Isa, const N: usize>(&self, from: usize);
}

/// Does it with `count` positions: the last two pieces overlap, and what is there is done again.
///
/// # Safety
/// As [`Piece::piece`], of all of them.
#[inline(always)]
pub(super) unsafe fn in_pieces<I: Isa>(work: &impl Piece, count: usize) {
    // SAFETY: the caller's promise; the pieces end at `count` at most.
    unsafe {
        match count {
            32.. => pieces_of::<I, 32>(work, count),
            16.. => pieces_of::<I, 16>(work, count),
            8.. => pieces_of::<I, 8>(work, count),
            4.. => pieces_of::<I, 4>(work, count),
            1.. => pieces_of::<I, 1>(work, count),
            0 => {}
        }
    }
}

/// # Safety
/// As [`in_pieces`], and `count` is at least `N`.
#[inline(always)]
unsafe fn pieces_of<I: Isa, const N: usize>(work: &impl Piece, count: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for from in (0..count - N).step_by(N) {
            work.piece::<I, N>(from);
        }
        work.piece::<I, N>(count - N);
    }
}
