//! Σ cᵢ Aᵢ.

use super::Operator;
use crate::minimize::vector::{self, Float};

/// A weighted sum of operators, added in their order.
///
/// ```
/// use wengert_optim::operator::SumOperator;
/// use wengert_optim::{DenseOperator, Operator};
///
/// let mut sum = SumOperator::new(2);
/// sum.add(0.5, DenseOperator::with_diagonal(&[1.0, 0.5]));
/// sum.add(2.0, DenseOperator::with_diagonal(&[2.0, 1.0]));
/// assert_eq!(sum.dense(), [4.5, 0.0, 0.0, 2.25]);
/// ```
pub struct SumOperator<'a, T> {
    dimension: usize,
    terms: Vec<(f64, Box<dyn Operator<T> + 'a>)>,
}

impl<'a, T: Float> SumOperator<'a, T> {
    /// The zero matrix on vectors of that length.
    pub fn new(dimension: usize) -> Self {
        Self { dimension, terms: Vec::new() }
    }

    /// Adds `weight` · `operator`.
    ///
    /// # Panics
    /// If the operator has another dimension.
    #[track_caller]
    pub fn add(&mut self, weight: f64, operator: impl Operator<T> + 'a) {
        assert!(
            operator.dimension() == self.dimension,
            "SumOperator: an operator of dimension {} in a sum of dimension {}",
            operator.dimension(),
            self.dimension
        );
        self.terms.push((weight, Box::new(operator)));
    }

    fn weighted(&self, out: &mut [T], part: impl Fn(&dyn Operator<T>, &mut [T])) {
        out.fill(T::ZERO);
        let mut term = vec![T::ZERO; out.len()];
        for (weight, operator) in &self.terms {
            part(&**operator, &mut term);
            vector::axpy(*weight, &term, out);
        }
    }
}

impl<T: Float> Operator<T> for SumOperator<'_, T> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn apply(&self, v: &[T], out: &mut [T]) {
        self.weighted(out, |operator, term| operator.apply(v, term));
    }

    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        self.weighted(out, |operator, term| operator.apply_many(vectors, term));
    }

    fn diagonal(&self) -> Vec<T> {
        let mut out = vec![T::ZERO; self.dimension];
        self.weighted(&mut out, |operator, term| term.copy_from_slice(&operator.diagonal()));
        out
    }

    fn trace(&self) -> f64 {
        self.terms.iter().map(|(weight, operator)| weight * operator.trace()).sum()
    }
}
