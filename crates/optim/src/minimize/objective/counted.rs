//! Counting evaluations.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{Counts, Limits, Objective, Residuals};
use crate::minimize::operator::{Jacobian, Kronecker, Operator};
use crate::minimize::outcome::Reason;
use crate::minimize::vector::Float;

/// An objective that counts its evaluations, and refuses those beyond the budgets of a run: a refused value is NaN, and so
/// is every element of a refused gradient or product. A gradient alone is never refused: it completes an iterate whose
/// value was granted.
///
/// A refused value is not one of the objective, and says nothing about a step: a method asks
/// [`granted`](Self::granted) before it tries anything else after a trial that failed.
///
/// For methods that read the Hessian at every iterate it [makes Hessian and gradient together](Objective::second_order)
/// where that saves work, and remembers the Hessian of the last point.
///
/// ```
/// use wengert_optim::{Objective, Problem};
/// use wengert_optim::minimize::Counted;
///
/// let square = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// let counted = Counted::new(&square);
/// counted.value(&[1.0]);
/// counted.value_and_gradient(&[2.0], &mut [0.0]);
/// assert_eq!((counted.counts().values, counted.counts().gradients), (2, 1));
/// ```
pub struct Counted<'a, T: Float> {
    objective: &'a dyn Objective<T>,
    /// Shared with the [parts](Self::part).
    counts: Rc<Cell<Counts>>,
    aim: Cell<f64>,
    limits: Cell<Limits>,
    /// Whether Hessians are expected to be asked for where gradients are.
    expecting: Cell<bool>,
    last: RefCell<Option<LastHessian<'a, T>>>,
}

/// The Hessian at the last point where there was one.
struct LastHessian<'a, T> {
    point: Vec<T>,
    operator: Rc<dyn Operator<T> + 'a>,
}

impl<'a, T: Float> Counted<'a, T> {
    /// Counts the evaluations of `objective`, from zero.
    pub fn new(objective: &'a dyn Objective<T>) -> Self {
        Self {
            objective,
            counts: Rc::default(),
            aim: Cell::new(0.0),
            limits: Cell::new(Limits::NONE),
            expecting: Cell::new(false),
            last: RefCell::new(None),
        }
    }

    /// Says that the Hessian will be asked for where gradients are.
    pub(crate) fn expect_hessians(&self) {
        self.expecting.set(true);
    }

    /// f and ∇f at `x` as they come with the Hessian, if it is expected and comes with them.
    fn with_hessian(&self, x: &[T], gradient: &mut [T]) -> Option<f64> {
        if !self.expecting.get() {
            return None;
        }
        // Freed before the next is recorded, unless the method still works with it.
        self.last.take();
        let (value, operator) = self.objective.second_order(x, gradient)?;
        self.remember(x, operator.into());
        Some(value)
    }

    fn remember(&self, x: &[T], operator: Rc<dyn Operator<T> + 'a>) {
        self.last.replace(Some(LastHessian { point: x.to_vec(), operator }));
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.counts.get()
    }

    /// Adds evaluations made elsewhere, such as those of a sub-problem.
    pub fn add(&self, more: Counts) {
        let mut counts = self.counts.get();
        counts += more;
        self.counts.set(counts);
    }

    /// The norm of the gradient at which the run will have converged, so that inner solvers need not go far below; 0
    /// outside a run.
    pub fn aim(&self) -> f64 {
        self.aim.get()
    }

    pub(crate) fn set_aim(&self, norm: f64) {
        self.aim.set(norm);
    }

    pub(crate) fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
    }

    /// Another objective that stands in for this one, such as a mini-batch: with the same counts and budgets.
    pub fn part<'b>(&self, objective: &'b dyn Objective<T>) -> Counted<'b, T> {
        Counted {
            counts: Rc::clone(&self.counts),
            aim: self.aim.clone(),
            limits: self.limits.clone(),
            ..Counted::new(objective)
        }
    }

    /// Fails with the budget of the run that is used up, if one is: values and products are refused from then on.
    ///
    /// # Errors
    /// [`Reason::MaxEvaluations`] or [`Reason::TimeLimit`].
    pub fn granted(&self) -> Result<(), Reason> {
        match self.limits.get().spent(self.counts.get()) {
            Some(reason) => Err(reason),
            None if self.objective.exhausted() => Err(Reason::MaxEvaluations),
            None => Ok(()),
        }
    }

    /// The Jacobian at `x` of residuals of this objective, its products counted and refused beyond the budgets.
    pub(crate) fn jacobian<'r>(
        &'r self,
        residuals: &'r dyn Residuals<T>,
        x: &[T],
    ) -> impl Jacobian<T> + use<'a, 'r, T> {
        CountedJacobian { jacobian: residuals.jacobian(x), problem: self }
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
        self.add(Counts { values: 1, ..Counts::default() });
        self.objective.value(x)
    }
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        if self.exhausted() {
            gradient.fill(T::NAN);
            return f64::NAN;
        }
        self.add(Counts { values: 1, gradients: 1, products: 0 });
        match self.with_hessian(x, gradient) {
            Some(value) => value,
            None => self.objective.value_and_gradient(x, gradient),
        }
    }
    fn gradient(&self, x: &[T], gradient: &mut [T]) {
        self.add(Counts { gradients: 1, ..Counts::default() });
        if self.with_hessian(x, gradient).is_none() {
            self.objective.gradient(x, gradient);
        }
    }
    fn hessian(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        let known =
            self.last.borrow().as_ref().filter(|last| last.point == x).map(|last| last.operator.clone());
        let operator = match known {
            Some(operator) => operator,
            None => {
                self.last.take();
                let operator: Rc<dyn Operator<T> + 'a> = self.objective.hessian(x)?.into();
                if self.expecting.get() {
                    self.remember(x, operator.clone());
                }
                operator
            }
        };
        Some(Box::new(CountedOperator { operator, counts: &self.counts, limits: self.limits.get() }))
    }
    fn gauss_newton(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        let operator = self.objective.gauss_newton(x)?.into();
        Some(Box::new(CountedOperator { operator, counts: &self.counts, limits: self.limits.get() }))
    }
    // Counted as a gradient: it takes a sweep forwards and one backwards.
    fn kronecker(&self, x: &[T], seed: u64) -> Option<Kronecker<T>> {
        if self.exhausted() {
            return None;
        }
        self.add(Counts { gradients: 1, ..Counts::default() });
        self.objective.kronecker(x, seed)
    }
    fn residuals(&self) -> Option<&dyn Residuals<T>> {
        self.objective.residuals()
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<T> + '_>> {
        self.objective.batch(index)
    }
    fn preconditioner(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        self.objective.preconditioner(x)
    }
    fn exhausted(&self) -> bool {
        self.granted().is_err()
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
    counts: &'a Cell<Counts>,
    limits: Limits,
}

impl<T> CountedOperator<'_, T> {
    /// Counts products, unless the budget is used up: then there are none.
    fn count(&self, products: usize) -> bool {
        let mut counts = self.counts.get();
        if self.limits.spent(counts).is_some() {
            return false;
        }
        counts += Counts { products: products as u64, ..Counts::default() };
        self.counts.set(counts);
        true
    }
}

impl<T: Float> Operator<T> for CountedOperator<'_, T> {
    fn dimension(&self) -> usize {
        self.operator.dimension()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        if self.count(1) {
            self.operator.apply(v, out);
        } else {
            out.fill(T::NAN);
        }
    }
    fn apply_many(&self, vectors: &[T], out: &mut [T]) {
        if self.count(vectors.len() / self.dimension().max(1)) {
            self.operator.apply_many(vectors, out);
        } else {
            out.fill(T::NAN);
        }
    }
    // A dense matrix or a diagonal counts as the products it stands for, however the operator makes it.
    fn dense(&self) -> Vec<T> {
        let n = self.dimension();
        if self.count(n) { self.operator.dense() } else { vec![T::NAN; n * n] }
    }
    fn diagonal(&self) -> Vec<T> {
        let n = self.dimension();
        if self.count(n) { self.operator.diagonal() } else { vec![T::NAN; n] }
    }
}
