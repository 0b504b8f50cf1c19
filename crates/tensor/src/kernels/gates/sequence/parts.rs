//! How a batch is divided: threads each take some rows through all steps.

use super::Geometry;
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
}

/// For each part of `rows` rows, its slices of all steps, in the order in which they are read; a row has `width` elements.
pub(super) fn split<'a, T>(
    data: &'a mut [T],
    geometry: &Geometry,
    width: usize,
    rows: usize,
) -> Vec<Vec<&'a mut [T]>> {
    let count = geometry.batch.div_ceil(rows);
    let mut parts: Vec<Vec<&mut [T]>> = (0..count).map(|_| Vec::with_capacity(geometry.steps)).collect();
    for step in data.chunks_exact_mut(geometry.batch * width) {
        parts.iter_mut().zip(step.chunks_mut(rows * width)).for_each(|(part, slice)| part.push(slice));
    }
    if geometry.reverse {
        parts.iter_mut().for_each(|part| part.reverse());
    }
    parts
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
        let geometry = Geometry { steps: 3, batch: 5, hidden: 2, reverse: true };
        let mut data: Vec<usize> = (0..30).collect();
        let parts = split(&mut data, &geometry, 2, 2);
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3]);
        assert_eq!((&*parts[0][0], &*parts[2][2]), (&[20, 21, 22, 23][..], &[8, 9][..]));
    }
}
