//! Many rotations of neighbouring rows, applied together.

use crate::array::element::Float;
use crate::machine::parallel;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// Columns that go through all rotations together: what is rotated stays in L1, the row at hand in registers.
const COLUMNS: usize = 32;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Rotations that are worth being handed out to threads.
const MANY: usize = 1 << 12;

/// Rotations of the rows i and i + 1 of a matrix, recorded in sweeps of descending i.
pub(super) struct Rotations<T> {
    /// From `begin` on the columns of the matrix by `COLUMNS`, each of these panels row by row.
    panels: Vec<T>,
    /// Where a cache line begins.
    begin: usize,
    n: usize,
    /// For every sweep its last i, and how many rotations it has.
    sweeps: Vec<[usize; 2]>,
    /// (x, y) ← (c x − s y, s x + c y) of the rows i and i + 1.
    rotations: Vec<[T; 2]>,
}

impl<T: Float> Rotations<T> {
    /// Of the n × n matrix `a`.
    pub(super) fn of(a: &[T], n: usize) -> Self {
        let mut panels = vec![T::ZERO; n * n.next_multiple_of(COLUMNS) + COLUMNS];
        let begin = panels.as_ptr().align_offset(LINE).min(COLUMNS);
        for (panel, first) in
            panels[begin..].chunks_exact_mut((n * COLUMNS).max(1)).zip((0..n).step_by(COLUMNS))
        {
            let columns = COLUMNS.min(n - first);
            for (to, from) in panel.chunks_exact_mut(COLUMNS).zip(a.chunks_exact(n)) {
                to[..columns].copy_from_slice(&from[first..][..columns]);
            }
        }
        Rotations { panels, begin, n, sweeps: Vec::new(), rotations: Vec::new() }
    }

    /// The next rotation of a sweep that [`end`](Self::end) ends.
    #[inline(always)]
    pub(super) fn push(&mut self, c: T, s: T) {
        self.rotations.push([c, s]);
    }

    /// Ends a sweep of `count` rotations, the last of which is that of the rows `last` and `last` + 1.
    #[inline(always)]
    pub(super) fn end(&mut self, last: usize, count: usize) {
        self.sweeps.push([last, count]);
        if self.rotations.len() >= MANY.max(16 * self.n) {
            self.apply();
        }
    }

    /// Does what was recorded.
    #[inline(never)]
    fn apply(&mut self) {
        let Self { panels, begin, n, sweeps, rotations } = self;
        let end = *begin + *n * n.next_multiple_of(COLUMNS);
        parallel::for_each_chunk(
            &mut panels[*begin..end],
            *n * COLUMNS,
            rotations.len() >= MANY,
            |_, panel| {
                dispatch(Rotate { panel, sweeps, rotations });
            },
        );
        sweeps.clear();
        rotations.clear();
    }

    /// The matrix.
    pub(super) fn into_matrix(mut self) -> Vec<T> {
        self.apply();
        let n = self.n;
        let mut a = vec![T::ZERO; n * n];
        for (panel, first) in
            self.panels[self.begin..].chunks_exact((n * COLUMNS).max(1)).zip((0..n).step_by(COLUMNS))
        {
            let columns = COLUMNS.min(n - first);
            for (from, to) in panel.chunks_exact(COLUMNS).zip(a.chunks_exact_mut(n)) {
                to[first..][..columns].copy_from_slice(&from[..columns]);
            }
        }
        a
    }
}

/// All sweeps on one panel.
struct Rotate<'a, T> {
    panel: &'a mut [T],
    sweeps: &'a [[usize; 2]],
    rotations: &'a [[T; 2]],
}

impl<T: Float> Kernel for Rotate<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { panel, sweeps, mut rotations } = self;
        for &[last, count] in sweeps {
            let (sweep, rest) = rotations.split_at(count);
            rotations = rest;
            let rows = &mut panel[last * COLUMNS..][..(count + 1) * COLUMNS];
            let mut y = [T::ZERO; COLUMNS];
            y.copy_from_slice(&rows[count * COLUMNS..]);
            for (&[c, s], i) in sweep.iter().zip((0..count).rev()) {
                let pair = &mut rows[i * COLUMNS..][..2 * COLUMNS];
                for l in 0..COLUMNS {
                    // The new y waits for the old one once.
                    let x = pair[l];
                    pair[COLUMNS + l] = I::mul_add(c, y[l], s * x);
                    y[l] = I::mul_add(-s, y[l], c * x);
                }
            }
            rows[..COLUMNS].copy_from_slice(&y);
        }
    }
}
