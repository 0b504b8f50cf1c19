//! A quadratic penalty.

use std::ops::Range;

use super::{CurvatureAt, Objective, Residuals, Want};
use crate::minimize::operator::{Damped, Jacobian, Operator};
use crate::minimize::vector::{self, Float};

/// f(x) + ½c‖x‖², or with only some of the variables in the norm. Hessian and Gauss–Newton matrix get + cI there,
/// every mini-batch has the whole penalty, and a sum of squares stays one: its residuals are followed by √c x.
///
/// ```
/// use wengert_optim::{Curvatures, Objective, Problem, Ridge};
///
/// let plain = Problem::new(2, |x: &[f64]| x[0] + x[1]).with_hvp(|_, _, out| out.fill(0.0));
/// let ridge = Ridge::new(plain, 0.5);
/// let mut gradient = [0.0; 2];
/// assert_eq!(ridge.value(&[2.0, 4.0]), 6.0 + 0.25 * 20.0);
/// assert_eq!(ridge.hessian(&[2.0, 4.0]).unwrap().dense(), [0.5, 0.0, 0.0, 0.5]);
/// ```
pub struct Ridge<O>(Penalised<O>);

/// What a [`Ridge`] is made of; of its own because it is [`Residuals`] too, only where the objective has some.
struct Penalised<O> {
    objective: O,
    strength: f64,
    ranges: Option<Vec<Range<usize>>>,
}

impl<O> Ridge<O> {
    /// The penalty ½·`strength`·‖x‖².
    ///
    /// # Panics
    /// If the strength is not finite.
    #[track_caller]
    pub fn new(objective: O, strength: f64) -> Self {
        Self(Penalised::new(objective, strength, None))
    }

    /// The penalty on the variables in these ranges.
    ///
    /// Evaluation panics if a range exceeds the dimension.
    ///
    /// # Panics
    /// If the strength is not finite.
    #[track_caller]
    pub fn on(objective: O, strength: f64, ranges: Vec<Range<usize>>) -> Self {
        Self(Penalised::new(objective, strength, Some(ranges)))
    }

    /// The objective without the penalty.
    pub fn objective(&self) -> &O {
        &self.0.objective
    }

    /// An operator of the objective with that of the penalty added.
    ///
    /// ```
    /// use wengert_optim::{DenseOperator, Problem, Ridge};
    /// let ridge = Ridge::new(Problem::new(2, |_: &[f64]| 0.0), 0.5);
    /// let damped = ridge.damped(Box::new(DenseOperator::with_diagonal(&[1.0, 2.0])));
    /// let mut product = [0.0; 2];
    /// damped.apply(&[1.0, 1.0], &mut product);
    /// assert_eq!(product, [1.5, 2.5]);
    /// ```
    pub fn damped<'a, T: Float>(&self, operator: Box<dyn Operator<T> + 'a>) -> Box<dyn Operator<T> + 'a> {
        match self.0.ranges.clone() {
            None => Box::new(Damped::new(operator, self.0.strength)),
            Some(ranges) => Box::new(Damped::on(operator, self.0.strength, ranges)),
        }
    }
}

impl<O> Penalised<O> {
    #[track_caller]
    fn new(objective: O, strength: f64, ranges: Option<Vec<Range<usize>>>) -> Self {
        assert!(strength.is_finite(), "Ridge: a strength of {strength}");
        Self { objective, strength, ranges }
    }

    fn ranges(&self, length: usize) -> impl Iterator<Item = Range<usize>> {
        let whole = self.ranges.is_none().then_some(0..length);
        self.ranges.iter().flatten().cloned().chain(whole)
    }

    fn penalty<T: Float>(&self, x: &[T]) -> f64 {
        let squares = |range: Range<usize>| vector::dot(&x[range.clone()], &x[range]);
        0.5 * self.strength * self.ranges(x.len()).map(squares).sum::<f64>()
    }

    fn add_gradient<T: Float>(&self, x: &[T], gradient: &mut [T]) {
        for range in self.ranges(x.len()) {
            vector::axpy(self.strength, &x[range.clone()], &mut gradient[range]);
        }
    }

    /// The objective's residuals, and how many they are. Only reached through [`Ridge::residuals`], which has asked
    /// whether there are any.
    fn inner<T: Float>(&self) -> (&dyn Residuals<T>, usize)
    where
        O: Objective<T>,
    {
        let residuals = self.objective.residuals().expect("a ridge with residuals is one on residuals");
        (residuals, residuals.count())
    }

    /// √c x, the variables outside of the norm left out.
    fn scaled<T: Float>(&self, x: &[T], out: &mut [T]) {
        let mut at = 0;
        for range in self.ranges(x.len()) {
            let length = range.len();
            vector::scaled(self.strength.sqrt(), &x[range], &mut out[at..at + length]);
            at += length;
        }
    }
}

impl<T: Float, O: Objective<T>> Objective<T> for Ridge<O> {
    fn dimension(&self) -> usize {
        self.0.objective.dimension()
    }

    fn value(&self, x: &[T]) -> f64 {
        self.0.objective.value(x) + self.0.penalty(x)
    }

    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let value = self.0.objective.value_and_gradient(x, gradient);
        self.0.add_gradient(x, gradient);
        value + self.0.penalty(x)
    }

    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.0.objective.gradient(x, gradient);
        self.0.add_gradient(x, gradient);
    }

    /// The preconditioner is the objective's own, which does not know of the penalty: good where that is small beside the
    /// curvature. In Kronecker factors all variables have the penalty, even if only some do: they are an approximation.
    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        let plain = self.0.objective.curvature(want, x)?;
        match want {
            Want::Hessian | Want::GaussNewton => {
                Some(CurvatureAt::Operator(self.damped(plain.into_operator())))
            }
            Want::Kronecker { .. } => {
                Some(CurvatureAt::Kronecker(plain.into_kronecker()?.shifted(self.0.strength)))
            }
            Want::Preconditioner => Some(plain),
        }
    }

    fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        let (value, hessian) = self.0.objective.second_order(x, gradient)?;
        self.0.add_gradient(x, gradient);
        Some((value + self.0.penalty(x), self.damped(hessian)))
    }

    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        let objective = self.0.objective.batch(index)?;
        let Penalised { strength, ranges, .. } = &self.0;
        Some(Box::new(Ridge(Penalised { objective, strength: *strength, ranges: ranges.clone() })))
    }

    fn exhausted(&self) -> bool {
        self.0.objective.exhausted()
    }

    fn residuals(&self) -> Option<&dyn Residuals<T>> {
        let squares = self.0.objective.residuals().is_some() && self.0.strength >= 0.0;
        squares.then_some(&self.0 as &dyn Residuals<T>)
    }
}

/// r(x), then √c x.
impl<T: Float, O: Objective<T>> Residuals<T> for Penalised<O> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn count(&self) -> usize {
        let (_, count) = self.inner();
        count + self.ranges(self.objective.dimension()).map(|range| range.len()).sum::<usize>()
    }

    fn evaluate(&self, x: &[T], out: &mut [T]) {
        let (residuals, count) = self.inner();
        residuals.evaluate(x, &mut out[..count]);
        self.scaled(x, &mut out[count..]);
    }

    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_> {
        let (residuals, count) = self.inner();
        Box::new(PenalisedJacobian { jacobian: residuals.jacobian(x), count, penalised: self })
    }

    fn dense_jacobian(&self, x: &[T]) -> Vec<T> {
        let n = x.len();
        let mut out = self.inner().0.dense_jacobian(x);
        let root = T::from_f64(self.strength.sqrt());
        for j in self.ranges(n).flatten() {
            let row = out.len();
            out.resize(row + n, T::ZERO);
            out[row + j] = root;
        }
        out
    }
}

/// J, then √c of the identity's rows.
struct PenalisedJacobian<'a, T: Float, O> {
    jacobian: Box<dyn Jacobian<T> + 'a>,
    count: usize,
    penalised: &'a Penalised<O>,
}

impl<T: Float, O> Jacobian<T> for PenalisedJacobian<'_, T, O> {
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.jacobian.apply(v, &mut out[..self.count]);
        self.penalised.scaled(v, &mut out[self.count..]);
    }

    fn apply_transpose(&self, u: &[T], out: &mut [T]) {
        self.jacobian.apply_transpose(&u[..self.count], out);
        let mut at = self.count;
        for range in self.penalised.ranges(out.len()) {
            let length = range.len();
            vector::axpy(self.penalised.strength.sqrt(), &u[at..at + length], &mut out[range]);
            at += length;
        }
    }
}
