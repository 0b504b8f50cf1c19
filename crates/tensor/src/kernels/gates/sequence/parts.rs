//! How a batch is divided: threads each take some rows through all steps.

use std::marker::PhantomData;
use std::ops::Range;

use super::Geometry;
use crate::array::element::Float;
use crate::kernels::gemm::PARALLEL_WORK;
use crate::machine::parallel;

/// Rows that are worth a pass over the weights: with fewer, a core reads more weights than it multiplies.
const LEAST_ROWS: usize = 4;
/// Rows up to which a part is made smaller so that there are two for each thread, which evens out cores of unequal speed.
const EVEN_ROWS: usize = 12;
/// Multiply-adds of one step from which threads that would have no rows help with the columns.
const WIDE_STEP: usize = 1 << 22;

/// The division of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Division {
    /// Rows of a part; of the last one perhaps fewer.
    pub(super) rows: usize,
    /// Whether parts are worked on at the same time.
    pub(super) parallel: bool,
    /// Whether there is one part, and threads divide each of its steps.
    pub(super) wide: bool,
}

impl Division {
    /// For a product of `work` multiply-adds for each row and step.
    pub(super) fn new(geometry: &Geometry, work: usize) -> Self {
        let batch = geometry.batch;
        let step = work.saturating_mul(batch);
        let threads = parallel::threads();
        if threads == 1 || step.saturating_mul(geometry.steps) < PARALLEL_WORK {
            return Division { rows: batch, parallel: false, wide: false };
        }
        let each = batch.div_ceil(2 * threads);
        let rows = if each >= EVEN_ROWS { each } else { batch.div_ceil(threads).max(LEAST_ROWS) };
        if step >= WIDE_STEP && batch.div_ceil(rows) < threads {
            return Division { rows: batch, parallel: false, wide: true };
        }
        Division { rows, parallel: true, wide: false }
    }

    /// How many parts there are.
    pub(super) fn count(self, batch: usize) -> usize {
        batch.div_ceil(self.rows)
    }

    /// The rows of a part.
    pub(super) fn part(self, number: usize, batch: usize) -> Range<usize> {
        number * self.rows..batch.min((number + 1) * self.rows)
    }
}

/// `width` numbers for each row of each step, of which every part writes those of its own rows.
pub(super) struct StepRows<'a, T> {
    start: *mut T,
    steps: usize,
    batch: usize,
    width: usize,
    data: PhantomData<&'a mut [T]>,
}

// SAFETY: threads write the rows of different parts, as `rows_mut` asks, and what is written is `Send`.
unsafe impl<T: Float> Sync for StepRows<'_, T> {}

impl<'a, T: Float> StepRows<'a, T> {
    /// # Panics
    /// If there are not so many numbers.
    pub(super) fn new(data: &'a mut [T], [steps, batch, width]: [usize; 3]) -> Self {
        assert_eq!(data.len(), steps * batch * width, "sequence: rows of {steps} steps");
        StepRows { start: data.as_mut_ptr(), steps, batch, width, data: PhantomData }
    }

    fn at(&self, step: usize, rows: &Range<usize>) -> (*mut T, usize) {
        assert!(step < self.steps && rows.start <= rows.end && rows.end <= self.batch);
        (self.start.wrapping_add((step * self.batch + rows.start) * self.width), rows.len() * self.width)
    }

    /// Some rows of a step, to be written.
    ///
    /// # Safety
    /// Nobody else uses them while they are borrowed.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn rows_mut(&self, step: usize, rows: &Range<usize>) -> &mut [T] {
        let (start, length) = self.at(step, rows);
        // SAFETY: `at` has checked that they lie within the numbers that `new` borrowed; they are the caller's alone.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }

    /// Some rows of a step.
    ///
    /// # Safety
    /// Nobody writes them while they are borrowed.
    pub(super) unsafe fn rows(&self, step: usize, rows: &Range<usize>) -> &[T] {
        let (start, length) = self.at(step, rows);
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn division(threads: usize, steps: usize, batch: usize, work: usize) -> Division {
        let geometry = Geometry { steps, batch, hidden: 1, reverse: false };
        parallel::with_threads(threads, || Division::new(&geometry, work))
    }

    #[test]
    fn small_work_stays_on_its_thread_and_large_work_is_divided() {
        let whole = Division { rows: 64, parallel: false, wide: false };
        assert_eq!(division(1, 100, 64, 1 << 16), whole);
        assert_eq!(division(8, 2, 64, 100), whole);
        assert_eq!(division(2, 100, 64, 1 << 16), Division { rows: 16, parallel: true, wide: false });
        assert_eq!(division(16, 100, 64, 1 << 15), Division { rows: 4, parallel: true, wide: false });
        // Eight rows are two parts: of large weights, the other threads take columns.
        assert_eq!(division(16, 100, 8, 1 << 12), Division { rows: 4, parallel: true, wide: false });
        assert_eq!(division(16, 100, 8, 1 << 20), Division { rows: 8, parallel: false, wide: true });
    }

    #[test]
    fn parts_have_all_rows_of_all_steps() {
        let mut data: Vec<f64> = (0..30).map(f64::from).collect();
        let division = Division { rows: 2, parallel: true, wide: false };
        let rows = StepRows::new(&mut data, [3, 5, 2]);
        assert_eq!(
            (0..division.count(5)).map(|i| division.part(i, 5)).collect::<Vec<_>>(),
            [0..2, 2..4, 4..5]
        );
        // SAFETY: one part after the other.
        unsafe {
            assert_eq!(rows.rows(2, &(0..2)), [20.0, 21.0, 22.0, 23.0]);
            rows.rows_mut(0, &(4..5)).fill(-1.0);
            // To the last number.
            assert_eq!(rows.rows(2, &(4..5)), [28.0, 29.0]);
        }
        assert_eq!(data[7..11], [7.0, -1.0, -1.0, 10.0]);
    }

    #[test]
    #[should_panic(expected = "rows.end <= self.batch")]
    fn rows_beyond_the_batch() {
        // SAFETY: it panics before.
        unsafe { StepRows::new(&mut [0.0f32; 6], [3, 2, 1]).rows(2, &(1..3)) };
    }
}
