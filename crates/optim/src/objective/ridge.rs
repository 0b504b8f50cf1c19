//! A quadratic penalty.

use std::ops::Range;

use super::{Objective, Operator};
use crate::curvature::Damped;
use crate::kronecker::Kronecker;
use crate::vector::{self, Float};

/// f(x) + ½c‖x‖², or with only some of the variables in the norm. Hessian and Gauss–Newton matrix get + cI there, and
/// every mini-batch has the whole penalty.
///
/// ```
/// use wengert_optim::{Objective, Problem, Ridge};
///
/// let plain = Problem::new(2, |x: &[f64]| x[0] + x[1]).with_hvp(|_, _, out| out.fill(0.0));
/// let ridge = Ridge::new(plain, 0.5);
/// let mut gradient = [0.0; 2];
/// assert_eq!(ridge.value(&[2.0, 4.0]), 6.0 + 0.25 * 20.0);
/// assert_eq!(ridge.hessian(&[2.0, 4.0]).unwrap().dense(), [0.5, 0.0, 0.0, 0.5]);
/// ```
pub struct Ridge<O> {
    objective: O,
    strength: f64,
    ranges: Option<Vec<Range<usize>>>,
}

impl<O> Ridge<O> {
    /// The penalty ½·`strength`·‖x‖².
    pub fn new(objective: O, strength: f64) -> Self {
        Self { objective, strength, ranges: None }
    }

    /// The penalty on the variables in these ranges.
    ///
    /// Evaluation panics if a range exceeds the dimension.
    pub fn on(objective: O, strength: f64, ranges: Vec<Range<usize>>) -> Self {
        Self { objective, strength, ranges: Some(ranges) }
    }

    /// The objective without the penalty.
    pub fn objective(&self) -> &O {
        &self.objective
    }

    /// An operator of the objective with that of the penalty added.
    pub fn damped<'a, T: Float>(&self, operator: Box<dyn Operator<T> + 'a>) -> Box<dyn Operator<T> + 'a> {
        match self.ranges.clone() {
            None => Box::new(Damped::new(operator, self.strength)),
            Some(ranges) => Box::new(Damped::on(operator, self.strength, ranges)),
        }
    }

    fn penalised(&self, length: usize) -> impl Iterator<Item = Range<usize>> {
        let whole = self.ranges.is_none().then_some(0..length);
        self.ranges.iter().flatten().cloned().chain(whole)
    }

    fn penalty<T: Float>(&self, x: &[T]) -> f64 {
        let squares = |range: Range<usize>| vector::dot(&x[range.clone()], &x[range]);
        0.5 * self.strength * self.penalised(x.len()).map(squares).sum::<f64>()
    }

    fn add_gradient<T: Float>(&self, x: &[T], gradient: &mut [T]) {
        for range in self.penalised(x.len()) {
            vector::axpy(self.strength, &x[range.clone()], &mut gradient[range]);
        }
    }
}

impl<T: Float, O: Objective<T>> Objective<T> for Ridge<O> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn value(&self, x: &[T]) -> f64 {
        self.objective.value(x) + self.penalty(x)
    }

    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let value = self.objective.value_and_gradient(x, gradient);
        self.add_gradient(x, gradient);
        value + self.penalty(x)
    }

    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.objective.gradient(x, gradient);
        self.add_gradient(x, gradient);
    }

    fn hessian(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        Some(self.damped(self.objective.hessian(x)?))
    }

    fn gauss_newton(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        Some(self.damped(self.objective.gauss_newton(x)?))
    }

    /// With the penalty on all variables, even if only some have it: it is an approximation.
    fn kronecker(&self, x: &[T], seed: u64) -> Option<Kronecker<T>> {
        Some(self.objective.kronecker(x, seed)?.shifted(self.strength))
    }

    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        let objective = self.objective.batch(index)?;
        Some(Box::new(Ridge { objective, strength: self.strength, ranges: self.ranges.clone() }))
    }
}
