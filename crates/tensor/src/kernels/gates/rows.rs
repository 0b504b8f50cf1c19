//! Loops over the units of a row, a block at a time. Each writes one slice, which the compiler vectorises.

use crate::array::element::Float;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Units of a block: what is computed on the way stays in the first cache.
pub(super) const BLOCK: usize = 128;

/// Units that a thread is given at once. A unit takes several exponentials, some ten nanoseconds in all, so that this is some
/// tens of microseconds.
const UNITS: usize = 1 << 12;

/// What is done to one block of the units of a row. Mark `block` `#[inline(always)]`.
pub(super) trait Gates<T>: Sync {
    /// Writes the units from `start` on, `length` of them and at most [`BLOCK`], of all parts of row `row`.
    fn block<I: Isa>(&self, row: usize, hidden: usize, start: usize, length: usize, out: &mut [T]);
}

/// All rows of an output that has `width` times the hidden units for each.
pub(super) fn for_each_row<T: Float>(hidden: usize, width: usize, out: &mut [T], gates: &impl Gates<T>) {
    if out.is_empty() {
        return;
    }
    let (row, rows) = (hidden * width, (UNITS / hidden).max(1));
    parallel::for_each_chunk(out, rows * row, out.len() > rows * row, |start, out| {
        dispatch(Rows { first: start / row, hidden, row, out, gates });
    });
}

struct Rows<'a, T, G> {
    first: usize,
    hidden: usize,
    row: usize,
    out: &'a mut [T],
    gates: &'a G,
}

impl<T: Float, G: Gates<T>> Kernel for Rows<'_, T, G> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (i, out) in self.out.chunks_exact_mut(self.row).enumerate() {
            let mut start = 0;
            while start < self.hidden {
                let length = BLOCK.min(self.hidden - start);
                self.gates.block::<I>(self.first + i, self.hidden, start, length, out);
                start += length;
            }
        }
    }
}

/// Block `start` of gate number `gate` of a row of `width` gates.
#[inline(always)]
pub(super) fn part<T>(
    x: &[T],
    [row, width, gate]: [usize; 3],
    hidden: usize,
    start: usize,
    length: usize,
) -> &[T] {
    &x[(row * width + gate) * hidden + start..][..length]
}

/// σ(a + b).
#[inline(always)]
pub(super) fn sigmoids<T: Float, I: Isa>(a: &[T], b: &[T], out: &mut [T; BLOCK]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = (a + b).sigmoid::<I>();
    }
}

/// tanh(a + b).
#[inline(always)]
pub(super) fn tanhs<T: Float, I: Isa>(a: &[T], b: &[T], out: &mut [T; BLOCK]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = (a + b).tanh::<I>();
    }
}
