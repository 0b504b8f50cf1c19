//! Many rotations of neighbouring rows of a small matrix, applied together.

use crate::array::element::Float;
use crate::machine::simd::{Isa, Kernel, dispatch};

/// The most columns, and rows: what is rotated stays in L1, the row at hand in registers.
pub(super) const MOST: usize = 32;

/// Rotations that are recorded before they are applied.
const MANY: usize = 1 << 9;

/// Rotations of the rows i and i + 1 of a matrix, recorded in sweeps of descending i.
pub(super) struct Rotations<T> {
    rows: Vec<[T; MOST]>,
    /// For every sweep its last i, and how many rotations it has.
    sweeps: Vec<[usize; 2]>,
    /// (x, y) ← (c x − s y, s x + c y) of the rows i and i + 1.
    rotations: Vec<[T; 2]>,
}

impl<T: Float> Rotations<T> {
    /// Of the n × n identity, for n up to [`MOST`].
    pub(super) fn of_identity(n: usize) -> Self {
        let mut rows = vec![[T::ZERO; MOST]; n];
        for (i, row) in rows.iter_mut().enumerate() {
            row[i] = T::ONE;
        }
        Rotations { rows, sweeps: Vec::new(), rotations: Vec::new() }
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
        if self.rotations.len() >= MANY {
            self.apply();
        }
    }

    /// Does what was recorded.
    fn apply(&mut self) {
        let Self { rows, sweeps, rotations } = self;
        dispatch(Rotate { rows, sweeps, rotations });
        sweeps.clear();
        rotations.clear();
    }

    /// The rows of the matrix in this order.
    pub(super) fn into_rows(mut self, order: &[usize]) -> Vec<T> {
        self.apply();
        let n = self.rows.len();
        let mut rows = Vec::with_capacity(n * n);
        for &i in order {
            rows.extend_from_slice(&self.rows[i][..n]);
        }
        rows
    }
}

/// All sweeps.
struct Rotate<'a, T> {
    rows: &'a mut [[T; MOST]],
    sweeps: &'a [[usize; 2]],
    rotations: &'a [[T; 2]],
}

impl<T: Float> Kernel for Rotate<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { rows, sweeps, mut rotations } = self;
        for &[last, count] in sweeps {
            let (sweep, rest) = rotations.split_at(count);
            rotations = rest;
            let rows = &mut rows[last..=last + count];
            let mut y = rows[count];
            for (&[c, s], i) in sweep.iter().zip((0..count).rev()) {
                for l in 0..MOST {
                    // The new y waits for the old one once.
                    let x = rows[i][l];
                    rows[i + 1][l] = I::mul_add(c, y[l], s * x);
                    y[l] = I::mul_add(-s, y[l], c * x);
                }
            }
            rows[0] = y;
        }
    }
}
