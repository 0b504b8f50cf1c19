//! Systems in units in which the squares of their vectors are numbers.

use crate::minimize::operator::Operator;
use crate::minimize::vector::{self, Float};

/// Vectors up to this length are taken as they are: a curvature as large, along a step as long, is within the range of numbers.
pub(in crate::minimize) const LARGE: f64 = 1e75;

/// A and b over the length of b.
pub(in crate::minimize) struct InUnits<'a, T> {
    operator: &'a dyn Operator<T>,
    pub(in crate::minimize) unit: f64,
    pub(in crate::minimize) vector: Vec<T>,
}

impl<'a, T: Float> InUnits<'a, T> {
    /// A and b over the length of b, if that is so large that products would overflow.
    pub(in crate::minimize) fn of(operator: &'a dyn Operator<T>, b: &[T]) -> Option<Self> {
        let unit = vector::norm(b);
        if unit <= LARGE || !unit.is_finite() {
            return None;
        }
        let mut vector = b.to_vec();
        // Divided, since the reciprocal may be subnormal.
        vector.iter_mut().for_each(|b| *b = T::from_f64(b.to_f64() / unit));
        Some(Self { operator, unit, vector })
    }
}

impl<T: Float> Operator<T> for InUnits<'_, T> {
    fn dimension(&self) -> usize {
        self.operator.dimension()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.operator.apply(v, out);
        out.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() / self.unit));
    }
}
