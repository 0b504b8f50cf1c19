//! Counting evaluations, and refusing them.

use std::cell::Cell;
use std::rc::Rc;

use super::counts::{Budget, Limits};
use super::last_hessian::LastHessian;
use super::last_residuals::LastResiduals;
use super::{Counts, CurvatureAt, Objective, Residuals, Want};
use crate::minimize::operator::{Jacobian, Operator};
use crate::minimize::outcome::Reason;
use crate::minimize::vector::{self, Float};

/// An objective that counts its evaluations, and refuses those beyond the budgets of a run: a refused value is NaN, and so
/// is every element of a refused gradient or product. A gradient alone is never refused: it completes an iterate whose
/// value was granted.
///
/// A refused value is not one of the objective, and says nothing about a step: a method asks
/// [`granted`](Self::granted) before it tries anything else after a trial that failed.
///
/// For methods that read the Hessian at every iterate it [makes Hessian and gradient together](Objective::second_order)
/// where that saves work, and remembers the Hessian of the last point. For methods that read residuals it makes values and
/// gradients of these, so that they are evaluated, and counted as a value, once a point.
///
/// ```
/// use wengert_optim::minimize::Counted;
/// use wengert_optim::{Objective, Problem};
///
/// let square = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// let counted = Counted::new(&square);
/// counted.value(&[1.0]);
/// counted.value_and_gradient(&[2.0], &mut [0.0]);
/// assert_eq!((counted.counts().values, counted.counts().gradients), (2, 1));
/// ```
pub struct Counted<'a, T: Float> {
    objective: &'a dyn Objective<T>,
    budget: Budget,
    aim: Cell<f64>,
    /// If Hessians are expected to be asked for where gradients are.
    last: Option<LastHessian<'a, T>>,
    /// If residuals are expected to be asked for where values are.
    last_residuals: Option<LastResiduals<T>>,
}

impl<'a, T: Float> Counted<'a, T> {
    /// Counts the evaluations of `objective`, from zero.
    pub fn new(objective: &'a dyn Objective<T>) -> Self {
        Self { objective, budget: Budget::default(), aim: Cell::new(0.0), last: None, last_residuals: None }
    }

    /// The same, for a method that asks for the Hessian where it asks for gradients.
    pub(crate) fn expecting_hessians(self) -> Self {
        Self { last: Some(LastHessian::default()), ..self }
    }

    /// The same, for a method that asks for the residuals, if there are any, where it asks for values.
    pub(crate) fn expecting_residuals(self) -> Self {
        Self { last_residuals: Some(LastResiduals::default()), ..self }
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.budget.counts()
    }

    /// The counts of a run that goes on from `point`, and the residuals there, where it had kept them: counted already.
    pub(crate) fn restore(&self, counts: Counts, point: &[T]) {
        self.residuals_at(point);
        self.budget.restore(counts);
    }

    /// Adds evaluations made elsewhere, such as those of a sub-problem.
    pub fn add(&self, more: Counts) {
        self.budget.add(more);
    }

    /// The norm of the gradient at which the run will have converged, so that inner solvers need not go far below; 0
    /// outside a run.
    pub fn aim(&self) -> f64 {
        self.aim.get()
    }

    /// Begins a run that has converged where the norm is `aim`, and is granted evaluations up to `limits`.
    pub(crate) fn begin_run(&self, aim: f64, limits: Limits) {
        self.aim.set(aim);
        self.budget.set_limits(limits);
    }

    /// Another objective that stands in for this one, such as a mini-batch: with the same counts and budgets.
    ///
    /// ```
    /// use wengert_optim::minimize::Counted;
    /// use wengert_optim::{Objective, Problem};
    /// let (whole, batch) = (Problem::new(1, |x: &[f64]| x[0]), Problem::new(1, |x: &[f64]| 0.5 * x[0]));
    /// let counted = Counted::new(&whole);
    /// counted.part(&batch).value(&[1.0]);
    /// assert_eq!(counted.counts().values, 1);
    /// ```
    pub fn part<'b>(&self, objective: &'b dyn Objective<T>) -> Counted<'b, T> {
        Counted {
            objective,
            budget: self.budget.clone(),
            aim: self.aim.clone(),
            last: None,
            last_residuals: None,
        }
    }

    /// Fails with the budget of the run that is used up, if one is: values and products are refused from then on.
    ///
    /// # Errors
    /// [`Reason::MaxEvaluations`] or [`Reason::TimeLimit`].
    ///
    /// ```
    /// use wengert_optim::Problem;
    /// use wengert_optim::minimize::Counted;
    /// let f = Problem::new(1, |x: &[f64]| x[0]);
    /// // Outside of a run there is no budget.
    /// assert!(Counted::new(&f).granted().is_ok());
    /// ```
    pub fn granted(&self) -> Result<(), Reason> {
        match self.budget.spent() {
            Some(reason) => Err(reason),
            None if self.objective.exhausted() => Err(Reason::MaxEvaluations),
            None => Ok(()),
        }
    }

    /// The residuals at `x` of an objective of which they are expected: the last, if these were here. Not refused.
    fn residuals_at(&self, x: &[T]) -> Option<Rc<[T]>> {
        let last = self.last_residuals.as_ref()?;
        let residuals = self.objective.residuals()?;
        Some(last.at(x, residuals.count(), |out| self.evaluate_counted(residuals, x, out)))
    }

    fn evaluate_counted(&self, residuals: &dyn Residuals<T>, x: &[T], out: &mut [T]) {
        self.add(Counts { values: 1, ..Counts::default() });
        residuals.evaluate(x, out);
    }

    /// Jᵀr, the gradient of ½‖r‖².
    fn gradient_of(&self, r: &[T], x: &[T], gradient: &mut [T]) {
        self.inner_residuals().jacobian(x).apply_transpose(r, gradient);
    }

    /// Only reached where there are some.
    fn inner_residuals(&self) -> &'a dyn Residuals<T> {
        self.objective.residuals().expect("an objective of which there were residuals has some")
    }

    /// f and ∇f at `x` as they come with the Hessian, if it is expected and comes with them.
    fn with_hessian(&self, x: &[T], gradient: &mut [T]) -> Option<f64> {
        self.last.as_ref()?.make(x, || self.objective.second_order(x, gradient))
    }

    /// The Hessian at `x`: the last, if that was here.
    fn hessian_at(&self, x: &[T]) -> Option<Rc<dyn Operator<T> + 'a>> {
        let make = || self.objective.curvature(Want::Hessian, x).map(CurvatureAt::into_operator);
        match &self.last {
            Some(last) => last.at(x, make),
            None => make().map(Rc::from),
        }
    }
}

impl<'a, T: Float> Objective<T> for Counted<'a, T> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }
    fn value(&self, x: &[T]) -> f64 {
        if self.exhausted() {
            return f64::NAN;
        }
        if let Some(r) = self.residuals_at(x) {
            return half_square(&r);
        }
        self.add(Counts { values: 1, ..Counts::default() });
        self.objective.value(x)
    }
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        if self.exhausted() {
            gradient.fill(T::NAN);
            return f64::NAN;
        }
        self.add(Counts { gradients: 1, ..Counts::default() });
        if let Some(r) = self.residuals_at(x) {
            self.gradient_of(&r, x, gradient);
            return half_square(&r);
        }
        self.add(Counts { values: 1, ..Counts::default() });
        match self.with_hessian(x, gradient) {
            Some(value) => value,
            None => self.objective.value_and_gradient(x, gradient),
        }
    }
    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.add(Counts { gradients: 1, ..Counts::default() });
        if let Some(r) = self.residuals_at(x) {
            return self.gradient_of(&r, x, gradient);
        }
        if self.with_hessian(x, gradient).is_none() {
            self.objective.gradient(x, gradient);
        }
    }
    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        let counted = |operator| CurvatureAt::operator(CountedOperator { operator, budget: &self.budget });
        match want {
            Want::Hessian => self.hessian_at(x).map(counted),
            Want::Kronecker { .. } => {
                if self.exhausted() {
                    return None;
                }
                // Counted as a gradient: it takes a sweep forwards and one backwards.
                self.add(Counts { gradients: 1, ..Counts::default() });
                self.objective.curvature(want, x)
            }
            // Products with it are none with a curvature.
            Want::Preconditioner => self.objective.curvature(want, x),
            Want::GaussNewton => Some(counted(self.objective.curvature(want, x)?.into_operator().into())),
        }
    }
    fn residuals(&self) -> Option<&dyn Residuals<T>> {
        self.objective.residuals().is_some().then_some(self)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        self.objective.batch(index)
    }
    fn exhausted(&self) -> bool {
        self.granted().is_err()
    }
}

/// ½‖r‖².
fn half_square<T: Float>(r: &[T]) -> f64 {
    0.5 * vector::dot(r, r)
}

/// Those of the objective, counted as values and products, and refused as they are.
impl<T: Float> Residuals<T> for Counted<'_, T> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }
    fn count(&self) -> usize {
        self.inner_residuals().count()
    }
    fn evaluate(&self, x: &[T], out: &mut [T]) {
        if let Some(r) = self.last_residuals.as_ref().and_then(|last| last.known(x)) {
            return out.copy_from_slice(&r);
        }
        if self.exhausted() {
            return out.fill(T::NAN);
        }
        match self.residuals_at(x) {
            Some(r) => out.copy_from_slice(&r),
            None => self.evaluate_counted(self.inner_residuals(), x, out),
        }
    }
    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_> {
        Box::new(CountedJacobian { jacobian: self.inner_residuals().jacobian(x), problem: self })
    }
    // A dense matrix counts as the products it stands for.
    fn dense_jacobian(&self, x: &[T]) -> Vec<T> {
        let (residuals, n) = (self.inner_residuals(), x.len());
        if self.budget.grant_products(n) {
            residuals.dense_jacobian(x)
        } else {
            vec![T::NAN; residuals.count() * n]
        }
    }
}

struct CountedJacobian<'a, 'o, T: Float> {
    jacobian: Box<dyn Jacobian<T> + 'a>,
    problem: &'a Counted<'o, T>,
}

impl<T: Float> CountedJacobian<'_, '_, T> {
    fn count(&self, out: &mut [T], product: impl Fn(&mut [T])) {
        if self.problem.exhausted() {
            return out.fill(T::NAN);
        }
        self.problem.add(Counts { products: 1, ..Counts::default() });
        product(out);
    }
}

impl<T: Float> Jacobian<T> for CountedJacobian<'_, '_, T> {
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.count(out, |out| self.jacobian.apply(v, out));
    }
    fn apply_transpose(&self, u: &[T], out: &mut [T]) {
        self.count(out, |out| self.jacobian.apply_transpose(u, out));
    }
}

struct CountedOperator<'a, T> {
    operator: Rc<dyn Operator<T> + 'a>,
    budget: &'a Budget,
}

impl<T: Float> Operator<T> for CountedOperator<'_, T> {
    fn dimension(&self) -> usize {
        self.operator.dimension()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        if self.budget.grant_products(1) {
            self.operator.apply(v, out);
        } else {
            out.fill(T::NAN);
        }
    }
    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        if self.budget.grant_products(vectors.len() / self.dimension().max(1)) {
            self.operator.apply_many(vectors, out);
        } else {
            out.fill(T::NAN);
        }
    }
    // A dense matrix or a diagonal counts as the products it stands for, however the operator makes it.
    fn dense(&self) -> Vec<T> {
        let n = self.dimension();
        if self.budget.grant_products(n) { self.operator.dense() } else { vec![T::NAN; n * n] }
    }
    fn diagonal(&self) -> Vec<T> {
        let n = self.dimension();
        if self.budget.grant_products(n) { self.operator.diagonal() } else { vec![T::NAN; n] }
    }
}
