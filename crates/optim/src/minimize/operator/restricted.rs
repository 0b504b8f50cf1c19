//! The block of a group of variables.

use std::ops::Range;

use super::Operator;
use crate::minimize::vector::Float;

/// The block of an operator that belongs to some variables: PᵀAP, on vectors that hold just those, one range after the other.
///
/// A product is one of the whole operator; operators of networks skip what the group does not reach. The ranges of their
/// parameters by name are those of `Params::ranges("hidden.*")`.
///
/// ```
/// use wengert_optim::operator::Restricted;
/// use wengert_optim::{DenseOperator, Operator};
///
/// let a = DenseOperator::with_diagonal(&[1.0, 0.5, 0.25]);
/// let block = Restricted::new(&a, vec![0..1, 2..3]);
/// assert_eq!(block.dense(), [1.0, 0.0, 0.0, 0.25]);
/// assert_eq!(block.gather(&[7.0, 8.0, 9.0]), [7.0, 9.0]);
/// ```
pub struct Restricted<A> {
    operator: A,
    whole: usize,
    ranges: Vec<Range<usize>>,
}

impl<A> Restricted<A> {
    /// The block of the variables in `ranges`, in that order.
    ///
    /// # Panics
    /// If a range is not within the operator's dimension, or two overlap.
    #[track_caller]
    pub fn new<T: Float>(operator: A, ranges: Vec<Range<usize>>) -> Self
    where
        A: Operator<T>,
    {
        let whole = operator.dimension();
        let mut sorted: Vec<_> = ranges.iter().filter(|r| !r.is_empty()).cloned().collect();
        sorted.sort_by_key(|r| r.start);
        for (i, range) in sorted.iter().enumerate() {
            assert!(range.end <= whole, "Restricted: {range:?} exceeds the dimension {whole}");
            if let Some(next) = sorted.get(i + 1) {
                assert!(range.end <= next.start, "Restricted: {range:?} and {next:?} overlap");
            }
        }
        Self { operator, whole, ranges }
    }

    /// The group's part of a vector of all variables.
    ///
    /// # Panics
    /// If it is shorter than a range's end.
    #[track_caller]
    pub fn gather<T: Float>(&self, whole: &[T]) -> Vec<T> {
        self.ranges.iter().flat_map(|range| whole[range.clone()].iter().copied()).collect()
    }

    /// Writes a vector of the group to its places in one of all variables, and leaves the others.
    ///
    /// # Panics
    /// If a length does not fit.
    ///
    /// ```
    /// use wengert_optim::DenseOperator;
    /// use wengert_optim::operator::Restricted;
    /// let last = Restricted::new(DenseOperator::with_diagonal(&[1.0, 2.0, 3.0]), vec![1..3]);
    /// let mut whole = [9.0, 9.0, 9.0];
    /// last.scatter(&[5.0, 6.0], &mut whole);
    /// assert_eq!(whole, [9.0, 5.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn scatter<T: Float>(&self, part: &[T], whole: &mut [T]) {
        let mut start = 0;
        for range in &self.ranges {
            whole[range.clone()].copy_from_slice(&part[start..start + range.len()]);
            start += range.len();
        }
    }
}

impl<T: Float, A: Operator<T>> Operator<T> for Restricted<A> {
    fn dimension(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).sum()
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        let (mut whole, mut product) = (vec![T::ZERO; self.whole], vec![T::ZERO; self.whole]);
        self.scatter(v, &mut whole);
        self.operator.apply(&whole, &mut product);
        out.copy_from_slice(&self.gather(&product));
    }
}
