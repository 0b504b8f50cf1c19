//! c A.

use super::Operator;
use crate::minimize::vector::{self, Float};

/// An operator times a number.
///
/// ```
/// use wengert_optim::operator::ScaledOperator;
/// use wengert_optim::{DenseOperator, Operator};
///
/// let a = ScaledOperator::new(DenseOperator::with_diagonal(&[1.0, 2.0]), 4.0);
/// assert_eq!((a.diagonal(), a.trace()), (vec![4.0, 8.0], 12.0));
/// ```
pub struct ScaledOperator<A> {
    operator: A,
    factor: f64,
}

impl<A> ScaledOperator<A> {
    /// `factor` · `operator`.
    pub fn new(operator: A, factor: f64) -> Self {
        Self { operator, factor }
    }
}

impl<T: Float, A: Operator<T>> Operator<T> for ScaledOperator<A> {
    fn dimension(&self) -> usize {
        self.operator.dimension()
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        self.operator.apply(v, out);
        vector::scale(self.factor, out);
    }

    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        self.operator.apply_many(vectors, out);
        vector::scale(self.factor, out);
    }

    fn diagonal(&self) -> Vec<T> {
        let mut diagonal = self.operator.diagonal();
        vector::scale(self.factor, &mut diagonal);
        diagonal
    }

    fn trace(&self) -> f64 {
        self.factor * self.operator.trace()
    }
}
