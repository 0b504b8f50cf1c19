//! A matrix that is there as a whole.

use super::Operator;
use crate::minimize::vector::{self, Float};

/// A symmetric matrix, given by its elements, as an operator.
///
/// ```
/// use wengert_optim::{DenseOperator, Operator};
///
/// let a = DenseOperator::new(vec![2.0, 1.0, 1.0, 3.0]);
/// let mut product = [0.0; 2];
/// a.apply(&[1.0, -1.0], &mut product);
/// assert_eq!((product, a.trace()), ([1.0, -2.0], 5.0));
/// assert_eq!(DenseOperator::with_diagonal(&[2.0, 3.0]).dense(), [2.0, 0.0, 0.0, 3.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DenseOperator<T> {
    n: usize,
    elements: Vec<T>,
}

impl<T: Float> DenseOperator<T> {
    /// The matrix with these elements, row by row.
    ///
    /// # Panics
    /// If their number is not a square.
    #[track_caller]
    pub fn new(elements: Vec<T>) -> Self {
        let n = elements.len().isqrt();
        assert!(n * n == elements.len(), "DenseOperator: {} elements are no square matrix", elements.len());
        Self { n, elements }
    }

    /// The matrix with that diagonal and zeros elsewhere.
    pub fn with_diagonal(diagonal: &[T]) -> Self {
        let n = diagonal.len();
        let mut elements = vec![T::ZERO; n * n];
        for (i, &d) in diagonal.iter().enumerate() {
            elements[i * n + i] = d;
        }
        Self { n, elements }
    }
}

impl<T: Float> Operator<T> for DenseOperator<T> {
    fn dimension(&self) -> usize {
        self.n
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        for (out, row) in out.iter_mut().zip(self.elements.chunks_exact(self.n.max(1))) {
            *out = T::from_f64(vector::dot(row, v));
        }
    }
    fn dense(&self) -> Vec<T> {
        self.elements.clone()
    }
    fn diagonal(&self) -> Vec<T> {
        self.elements.iter().step_by(self.n + 1).copied().collect()
    }
}
