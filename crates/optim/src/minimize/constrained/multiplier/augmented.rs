//! What the penalty and augmented Lagrangian methods minimise.

use std::cell::RefCell;

use super::MultiplierState;
use crate::minimize::constrained::constraints::{Constraints, ConstraintsAt};
use crate::minimize::constrained::kkt::Sizes;
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// f plus the terms for the constraints, over their size.
pub(super) struct Augmented<'a, 'o, T: Float> {
    problem: &'a Counted<'o, T>,
    constraints: &'a Constraints<'a, T>,
    sizes: Sizes,
    penalty: f64,
    estimates: Vec<f64>,
    /// The last points where derivatives were asked for, so that no evaluation is made twice: the first one, then the latest.
    seen: RefCell<Vec<(Iterate<T>, ConstraintsAt)>>,
}

/// How many points to remember: that of least value is seldom older.
const MEMORY: usize = 6;

impl<'a, 'o, T: Float> Augmented<'a, 'o, T> {
    /// At the penalty and with the estimates of `state`; `start` is known.
    pub(super) fn new(
        problem: &'a Counted<'o, T>,
        constraints: &'a Constraints<'a, T>,
        state: &MultiplierState,
        start: (Iterate<T>, ConstraintsAt),
    ) -> Self {
        Self {
            problem,
            constraints,
            sizes: state.sizes.clone(),
            penalty: state.penalty,
            estimates: state.estimates.clone(),
            seen: RefCell::new(vec![start]),
        }
    }

    /// f and c at a point of the minimisation; `None` where something is not finite or a budget is used up.
    pub(super) fn recall(&self, point: Vec<T>) -> Option<(Iterate<T>, ConstraintsAt)> {
        let known = self.seen.borrow().iter().find(|(at, _)| at.point == point).cloned();
        let (at, found) = known.unwrap_or_else(|| self.evaluate(point));
        (at.is_finite() && found.is_finite()).then_some((at, found))
    }

    /// Where f is not finite, or is refused, no constraint is evaluated.
    fn evaluate(&self, point: Vec<T>) -> (Iterate<T>, ConstraintsAt) {
        let at = Iterate::at(self.problem, point);
        let found = if at.is_finite() { self.constraints.at(&at.point) } else { ConstraintsAt::default() };
        (at, found)
    }

    /// c over its size, less the estimate over the penalty, 0 where an inequality is satisfied by that much.
    fn shifted(&self, values: &[f64]) -> Vec<f64> {
        let shifted = values
            .iter()
            .zip(&self.estimates)
            .enumerate()
            .map(|(i, (c, estimate))| c / self.sizes.get(i) - estimate / self.penalty);
        self.constraints.shortfalls(&shifted.collect::<Vec<f64>>())
    }

    /// The multipliers that the terms stand for.
    pub(super) fn multipliers(&self, values: &[f64]) -> Vec<f64> {
        self.shifted(values).iter().map(|shifted| -self.penalty * shifted).collect()
    }

    /// c over its size, of inequalities with estimate y the lesser of c and y/ρ: 0 at a solution.
    pub(super) fn distances(&self, values: &[f64]) -> Vec<f64> {
        let equalities = self.constraints.equalities();
        let one = |(i, (c, estimate)): (usize, (&f64, &f64))| {
            let (c, most) = (c / self.sizes.get(i), estimate / self.penalty);
            if i >= equalities && c > most { most } else { c }
        };
        values.iter().zip(&self.estimates).enumerate().map(one).collect()
    }

    fn terms(&self, values: &[f64]) -> f64 {
        let shifted = self.shifted(values);
        0.5 * self.penalty * vector::dot(&shifted, &shifted)
    }
}

impl<T: Float> Objective<T> for Augmented<'_, '_, T> {
    fn dimension(&self) -> usize {
        self.problem.dimension()
    }
    fn exhausted(&self) -> bool {
        self.problem.exhausted()
    }
    fn value(&self, x: &[T]) -> f64 {
        let value = self.problem.value(x);
        if value.is_finite() { value + self.terms(&self.constraints.values(x)) } else { value }
    }
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let known = self.seen.borrow().iter().find(|(at, _)| at.point == x).cloned();
        let (at, found) = known.unwrap_or_else(|| self.evaluate(x.to_vec()));
        if !at.is_finite() || !found.is_finite() {
            gradient.fill(T::NAN);
            return if at.value.is_finite() { f64::NAN } else { at.value };
        }
        let mut sum = vector::to_f64(&at.gradient);
        for ((i, shifted), row) in self.shifted(&found.values).iter().enumerate().zip(&found.gradients) {
            vector::axpy(self.penalty * shifted / self.sizes.get(i), row, &mut sum);
        }
        vector::from_f64(&sum, gradient);
        let value = at.value + self.terms(&found.values);
        let mut seen = self.seen.borrow_mut();
        if seen.len() > MEMORY {
            seen.remove(1);
        }
        seen.push((at, found));
        value
    }
}
