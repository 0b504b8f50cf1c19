//! A + αI.

use std::ops::Range;

use super::Operator;
use crate::minimize::vector::{self, Float};

/// A + αI, or A + αP with P the projection to some of the variables.
///
/// ```
/// use wengert_optim::operator::Damped;
/// use wengert_optim::{DenseOperator, Operator};
///
/// let a = DenseOperator::with_diagonal(&[1.0, 2.0]);
/// assert_eq!(Damped::new(&a, 10.0).diagonal(), [11.0, 12.0]);
/// assert_eq!(Damped::on(&a, 10.0, vec![1..2]).diagonal(), [1.0, 12.0]);
/// ```
pub struct Damped<A> {
    operator: A,
    shift: f64,
    /// Everywhere, if `None`.
    ranges: Option<Vec<Range<usize>>>,
}

impl<A> Damped<A> {
    /// `operator` + `shift`·I.
    pub fn new(operator: A, shift: f64) -> Self {
        Self { operator, shift, ranges: None }
    }

    /// `operator` with `shift` added to the diagonal in these ranges.
    ///
    /// A product panics if a range exceeds the dimension.
    pub fn on(operator: A, shift: f64, ranges: Vec<Range<usize>>) -> Self {
        Self { operator, shift, ranges: Some(ranges) }
    }

    /// α.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// Calls `add` on each range where the shift is.
    fn shifted(&self, length: usize, mut add: impl FnMut(Range<usize>)) {
        match &self.ranges {
            None => add(0..length),
            Some(ranges) => ranges.iter().cloned().for_each(add),
        }
    }

    fn add_shift<T: Float>(&self, v: &[T], out: &mut [T]) {
        self.shifted(v.len(), |range| vector::axpy(self.shift, &v[range.clone()], &mut out[range]));
    }

    fn add_to_diagonal<T: Float>(&self, elements: &mut [T]) {
        let shift = T::from_f64(self.shift);
        self.shifted(elements.len(), |range| elements[range].iter_mut().for_each(|e| *e += shift));
    }
}

impl<T: Float, A: Operator<T>> Operator<T> for Damped<A> {
    fn dimension(&self) -> usize {
        self.operator.dimension()
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        self.operator.apply(v, out);
        self.add_shift(v, out);
    }

    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        self.operator.apply_many(vectors, out);
        let n = self.dimension().max(1);
        for (v, out) in vectors.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            self.add_shift(v, out);
        }
    }

    fn diagonal(&self) -> Vec<T> {
        let mut diagonal = self.operator.diagonal();
        self.add_to_diagonal(&mut diagonal);
        diagonal
    }

    fn trace(&self) -> f64 {
        let mut count = 0;
        self.shifted(self.dimension(), |range| count += range.len());
        self.operator.trace() + self.shift * count as f64
    }
}
