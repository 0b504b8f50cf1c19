//! Points of less violation, and whether there are any near: what tells infeasible from not yet feasible.

use crate::minimize::rounding;
use wengert_tensor::linalg::symmetric_eigen;

use super::constraints::{Constraints, ConstraintsAt};
use super::kkt::Sizes;
use super::lbfgs_b::LbfgsB;
use crate::minimize::bounds::Bounds;
use crate::minimize::method::Method;
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};

/// ½ Σ (violation of cᵢ over its size)², without the bounds.
pub(super) struct Violation<'a, 'o, T: Float> {
    pub(super) constraints: &'a Constraints<'a, T>,
    pub(super) sizes: &'a Sizes,
    /// Whose budgets end the search.
    pub(super) problem: &'a Counted<'o, T>,
}

/// Scattered starts before a violation is called the least.
const STARTS: usize = 9;

/// What became of a search for less violation.
pub(super) enum Found<T> {
    /// A point of clearly less.
    Better(Vec<T>),
    /// A point near which there is none of less.
    Least(Vec<T>),
    /// Neither.
    Nothing,
}

impl<T: Float> Objective<T> for Violation<'_, '_, T> {
    fn dimension(&self) -> usize {
        self.constraints.bounds().lower().len()
    }
    fn exhausted(&self) -> bool {
        self.problem.exhausted()
    }
    fn value(&self, x: &[T]) -> f64 {
        if self.problem.exhausted() {
            return f64::NAN;
        }
        let shortfalls = self.sizes.shortfalls(self.constraints, &self.constraints.values(x));
        0.5 * vector::dot(&shortfalls, &shortfalls)
    }
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        gradient.fill(T::NAN);
        if self.problem.exhausted() {
            return f64::NAN;
        }
        let found = self.constraints.at(x);
        if !found.is_finite() {
            return f64::NAN;
        }
        let (value, slopes) = self.measure(&found, x.len());
        vector::from_f64(&slopes, gradient);
        value
    }
}

impl<T: Float> Violation<'_, '_, T> {
    /// The share of the violation, squared, that a stationary point may promise to first order.
    fn share() -> f64 {
        rounding::half_digits::<T>().max(1e-6)
    }

    /// Value and gradient in `n` variables.
    fn measure(&self, found: &ConstraintsAt, n: usize) -> (f64, Vec<f64>) {
        let shortfalls = self.sizes.shortfalls(self.constraints, &found.values);
        let mut slopes = vec![0.0; n];
        for (i, row) in found.gradients.iter().enumerate() {
            vector::axpy(shortfalls[i] / self.sizes.get(i), row, &mut slopes);
        }
        (0.5 * vector::dot(&shortfalls, &shortfalls), slopes)
    }

    /// Whether no variable, moved by its own size within `bounds`, promises less violation.
    pub(super) fn is_stationary(&self, x: &[T], found: &ConstraintsAt, bounds: &Bounds<T>) -> bool {
        let (value, slopes) = self.measure(found, x.len());
        value > 0.0 && self.promise(x, &slopes, bounds) <= Self::share() * 2.0 * value
    }

    /// The largest decrease to first order.
    fn promise(&self, x: &[T], slopes: &[f64], bounds: &Bounds<T>) -> f64 {
        let one = |i: usize| {
            let (x, g) = (x[i].to_f64(), slopes[i]);
            let room = if g > 0.0 { x - bounds.lower()[i].to_f64() } else { bounds.upper()[i].to_f64() - x };
            if g == 0.0 { 0.0 } else { g.abs() * room.min(x.abs().max(1.0)) }
        };
        vector::norm_inf(&(0..x.len()).map(one).collect::<Vec<f64>>())
    }

    /// Minimises from `start` within `bounds` until the violation is a tenth.
    pub(super) fn reduce(&self, start: &[T], bounds: &Bounds<T>) -> Found<T> {
        let first = self.value(start);
        if first.is_nan() || first <= 0.0 {
            return Found::Nothing;
        }
        let (mut point, mut value) = (start.to_vec(), first);
        for _ in 0..10 {
            let size = vector::norm_inf(&point).max(1.0);
            let mut method = LbfgsB::new(bounds.clone());
            method.stopping = Stopping {
                target_value: Some(1e-2 * first),
                max_iterations: 300,
                ..Stopping::gradient(0.2 * Self::share() * value / size)
            };
            let Ok(outcome) = method.minimize(self, &point) else { break };
            let before = value;
            (point, value) = (outcome.point, outcome.value);
            if value <= 1e-2 * first {
                return Found::Better(point);
            }
            if self.is_stationary(&point, &self.constraints.at(&point), bounds) {
                let lower = self.beyond(&point, value, bounds);
                return match lower.or_else(|| self.elsewhere(&point, value, bounds)) {
                    Some(lower) => Found::Better(lower),
                    None if self.problem.exhausted() => Found::Nothing,
                    None => Found::Least(point),
                };
            }
            if value.is_nan() || value > 0.999 * before {
                break;
            }
        }
        if value < 0.99 * first { Found::Better(point) } else { Found::Nothing }
    }

    /// A point of less violation than a stationary one: along an axis, or where the violation curves downwards.
    fn beyond(&self, x: &[T], value: f64, bounds: &Bounds<T>) -> Option<Vec<T>> {
        let n = x.len();
        let mut directions: Vec<Vec<f64>> = Vec::new();
        for i in 0..n {
            let mut axis = vec![0.0; n];
            axis[i] = x[i].to_f64().abs().max(1.0);
            directions.push(axis);
        }
        directions.extend(self.downward(x));
        for direction in &directions {
            for length in [1e-4, 1e-2, 1.0, 1e2, 1e4] {
                for sign in [1.0, -1.0] {
                    let moved = x.iter().zip(direction).map(|(x, d)| x.to_f64() + sign * length * d);
                    let mut point: Vec<T> = moved.map(T::from_f64).collect();
                    bounds.project(&mut point);
                    if vector::all_finite(&point) && self.value(&point) < 0.9999 * value {
                        return Some(point);
                    }
                }
            }
        }
        None
    }

    /// A point of a tenth of the violation, by minimisations from points scattered around `x`.
    fn elsewhere(&self, x: &[T], value: f64, bounds: &Bounds<T>) -> Option<Vec<T>> {
        for start in 0..STARTS {
            let reach = [0.1, 1.0, 3.0][start % 3];
            let scattered = x.iter().enumerate().map(|(i, x)| {
                let x = x.to_f64();
                // Weyl's sequence, each variable by a step of its own.
                let turn = ((start + 1) as f64 * (2.0 + i as f64).sqrt()).fract();
                T::from_f64(x + reach * x.abs().max(1.0) * (2.0 * turn - 1.0))
            });
            let mut point: Vec<T> = scattered.collect();
            bounds.project(&mut point);
            let mut method = LbfgsB::new(bounds.clone());
            method.stopping =
                Stopping { target_value: Some(1e-2 * value), max_iterations: 100, ..Stopping::gradient(0.0) };
            let found = method.minimize(self, &point).ok().filter(|outcome| outcome.value <= 1e-2 * value);
            if let Some(outcome) = found {
                return Some(outcome.point);
            }
        }
        None
    }

    /// The direction of the most negative curvature, in variables over their size, by differences; for up to a hundred.
    fn downward(&self, x: &[T]) -> Option<Vec<f64>> {
        let n = x.len();
        if n > 100 {
            return None;
        }
        let sizes: Vec<f64> = x.iter().map(|x| x.to_f64().abs().max(1.0)).collect();
        let h = rounding::difference_step::<T>();
        let mut matrix = vec![0.0; n * n];
        let mut slopes = [vec![T::ZERO; n], vec![T::ZERO; n]];
        for j in 0..n {
            for (sign, slope) in [-1.0, 1.0].into_iter().zip(&mut slopes) {
                let mut at = x.to_vec();
                at[j] = T::from_f64(x[j].to_f64() + sign * h * sizes[j]);
                self.value_and_gradient(&at, slope);
            }
            for i in 0..n {
                let change = slopes[1][i].to_f64() - slopes[0][i].to_f64();
                let entry = 0.25 * change * sizes[i] / h;
                matrix[i * n + j] += entry;
                matrix[j * n + i] += entry;
            }
        }
        let (values, vectors) = symmetric_eigen(&matrix, n).ok()?;
        let lowest = &vectors[..n];
        (values[0] < 0.0).then(|| lowest.iter().zip(&sizes).map(|(v, size)| v * size).collect())
    }
}
