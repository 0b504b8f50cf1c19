//! Sums over elements, inside the formula of a row.

use crate::array::element::Float;
use crate::loops::reduce::merge_lanes;

/// Elements that are added up one after the other into partial sums.
const BLOCK: usize = 4096;
/// Partial sums, so many that an addition need not wait for the one before.
const LANES: usize = 32;

/// Σ of a term of the elements at the same position of some rows of the same length. One sum only: the partial sums of several at
/// once would not stay in registers, which costs more than reading a row again that is in the cache.
#[inline(always)]
pub(crate) fn sum<T: Float, const S: usize>(rows: [&[T]; S], term: impl Fn([T; S]) -> T) -> T {
    let mut total = T::ZERO;
    for from in (0..rows[0].len()).step_by(BLOCK) {
        let rows = rows.map(|row| &row[from..row.len().min(from + BLOCK)]);
        let count = rows[0].len() / LANES;
        let pieces = rows.map(|row| &row.as_chunks::<LANES>().0[..count]);
        let mut lanes = [T::ZERO; LANES];
        for i in 0..count {
            for (lane, sum) in lanes.iter_mut().enumerate() {
                *sum += term(pieces.map(|pieces| pieces[i][lane]));
            }
        }
        // Apart, since an array that is indexed by a variable cannot stay in registers.
        let mut last = [T::ZERO; LANES];
        let rest = rows.map(|row| row.as_chunks::<LANES>().1);
        for (at, last) in last.iter_mut().enumerate().take(rest[0].len()) {
            *last = term(rest.map(|row| row[at]));
        }
        lanes.iter_mut().zip(last).for_each(|(sum, last)| *sum += last);
        total += merge_lanes(lanes, |a, b| a + b);
    }
    total
}

/// The mean of a term: see [`sum`].
#[inline(always)]
pub(crate) fn mean<T: Float, const S: usize>(rows: [&[T]; S], term: impl Fn([T; S]) -> T) -> T {
    sum(rows, term) / T::from_usize(rows[0].len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_counts_once_whatever_the_length() {
        for length in [0, 1, 15, 16, 17, 31, 33, 100, 4096, 4097, 10_000] {
            let x: Vec<f64> = (0..length).map(|i| i as f64).collect();
            let count = length as f64;
            assert_eq!(sum([&x, &x], |[x, y]| 1.0 + x - y), count);
            assert_eq!(sum([&x], |[x]| x), count * (count - 1.0) / 2.0);
        }
    }
}
