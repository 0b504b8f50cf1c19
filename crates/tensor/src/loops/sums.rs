//! Several sums over the same elements at once, inside the formula of a row.

use crate::array::element::Float;
use crate::loops::reduce::merge_lanes;

/// Elements that are added up one after the other into partial sums.
const BLOCK: usize = 4096;

/// Σ of some terms of the elements at the same position of some rows of the same length.
#[inline(always)]
pub(crate) fn sums<T: Float, const S: usize, const K: usize>(
    rows: [&[T]; S],
    term: impl Fn([T; S]) -> [T; K],
) -> [T; K] {
    // So many that an addition need not wait for the one before, and all stay in registers.
    if K <= 2 { in_lanes::<T, S, K, 32>(rows, term) } else { in_lanes::<T, S, K, 16>(rows, term) }
}

/// By so many independent partial sums.
#[inline(always)]
fn in_lanes<T: Float, const S: usize, const K: usize, const LANES: usize>(
    rows: [&[T]; S],
    term: impl Fn([T; S]) -> [T; K],
) -> [T; K] {
    let length = rows[0].len();
    let mut total = [T::ZERO; K];
    let mut from = 0;
    while from < length {
        let to = length.min(from + BLOCK);
        let mut lanes = [[T::ZERO; LANES]; K];
        while from + LANES <= to {
            let pieces: [&[T; LANES]; S] =
                rows.map(|row| row[from..from + LANES].try_into().expect("that long"));
            for lane in 0..LANES {
                let terms = term(pieces.map(|piece| piece[lane]));
                for (lanes, term) in lanes.iter_mut().zip(terms) {
                    lanes[lane] += term;
                }
            }
            from += LANES;
        }
        let mut lane = 0;
        while from < to {
            let terms = term(rows.map(|row| row[from]));
            for (lanes, term) in lanes.iter_mut().zip(terms) {
                lanes[lane] += term;
            }
            (from, lane) = (from + 1, lane + 1);
        }
        for (total, lanes) in total.iter_mut().zip(lanes) {
            *total += merge_lanes(lanes, |a, b| a + b);
        }
    }
    total
}

/// The means of some terms: see [`sums`].
#[inline(always)]
pub(crate) fn means<T: Float, const S: usize, const K: usize>(
    rows: [&[T]; S],
    term: impl Fn([T; S]) -> [T; K],
) -> [T; K] {
    let count = T::from_usize(rows[0].len());
    sums(rows, term).map(|sum| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_counts_once_whatever_the_length() {
        for length in [0, 1, 15, 16, 17, 31, 33, 100, 4096, 4097, 10_000] {
            let x: Vec<f64> = (0..length).map(|i| i as f64).collect();
            let count = length as f64;
            let expected = [count, count * (count - 1.0) / 2.0];
            assert_eq!(sums([&x, &x], |[x, y]| [1.0 + x - y, x]), expected);
        }
    }
}
