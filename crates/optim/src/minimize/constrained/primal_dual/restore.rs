//! Where to go when Newton's step leads nowhere.

use super::local::{Local, fixes};
use super::step::least_squares_multipliers;
use super::{InteriorPoint, InteriorPointState};
use crate::minimize::bounds::Bounds;
use crate::minimize::constrained::constraints::ConstraintsAt;
use crate::minimize::constrained::feasibility::{Found, Violation};
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float};

/// Fresh starts with other slacks before giving up.
const RESTARTS: u32 = 3;

impl<T: Float> InteriorPoint<'_, T> {
    /// The violation that the test of convergence looks at.
    fn tested(&self, local: &Local, state: &InteriorPointState) -> f64 {
        let violation = vector::norm_inf(&self.constraints.shortfalls(&local.found.values));
        state.sizes.tested(self.constraints, &local.found.values, violation)
    }

    /// Whether the constraints are violated where the violation is stationary.
    pub(super) fn stuck(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        local: &Local,
        state: &InteriorPointState,
    ) -> bool {
        let InteriorPointState { sizes, .. } = state;
        let constraints = self.constraints;
        self.tested(local, state) > self.stopping.gradient_tolerance
            && Violation { constraints, sizes, problem }.is_stationary(
                &at.point,
                &local.found,
                constraints.bounds(),
            )
    }

    /// Minimises the violation alone until it is a tenth; where there is none, starts afresh with other slacks.
    pub(super) fn restore(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: Local,
    ) -> Result<f64, Reason> {
        problem.granted()?;
        if self.tested(&local, state) <= self.stopping.gradient_tolerance {
            // Near a solution the multipliers are worth more than a fresh start.
            let near = state.norm <= 1e3 * self.stopping.gradient_tolerance;
            state.restarts = state.restarts.saturating_add(1);
            if near || state.restarts > RESTARTS {
                return Err(at.stuck(true, state.norm));
            }
            self.start_afresh(at, local.found, state);
            return Ok(0.0);
        }
        let InteriorPointState { sizes, .. } = &*state;
        let constraints = self.constraints;
        let violation = Violation { constraints, sizes, problem };
        let (mut point, mut ended) = (None, None);
        if let Found::Better(inside) = violation.reduce(&at.point, &self.inner_bounds(at)) {
            point = Some(inside);
        }
        if point.is_none() {
            match violation.reduce(&at.point, constraints.bounds()) {
                Found::Better(better) => point = Some(better),
                Found::Least(least) => (point, ended) = (Some(least), Some(Reason::Infeasible)),
                Found::Nothing => return Err(at.stuck(true, state.norm)),
            }
        }
        let Some(mut point) = point else { return Err(at.stuck(true, state.norm)) };
        if ended.is_none() {
            self.move_inside(&mut point);
        }
        let (next, found) = self.towards(problem, &at.point, &point).ok_or(Reason::NonFinite)?;
        state.ended = ended;
        // What has been restored shall not be lost again.
        state.max_violation =
            state.max_violation.min(10.0 * vector::norm_1(&local.c).max(state.small_violation));
        let length = at.move_to(next);
        self.start_afresh(at, found, state);
        Ok(length)
    }

    /// f and c at `target` or, where they are not finite there, on the way.
    fn towards(
        &self,
        problem: &Counted<'_, T>,
        origin: &[T],
        target: &[T],
    ) -> Option<(Iterate<T>, ConstraintsAt)> {
        let mut way = target.to_vec();
        vector::axpy(-1.0, origin, &mut way);
        let (mut point, mut share) = (target.to_vec(), 1.0);
        for _ in 0..8 {
            let found = self.constraints.at(&point);
            if found.is_finite() {
                let next = Iterate::at(problem, point.clone());
                if next.is_finite() {
                    return Some((next, found));
                }
            }
            share *= 0.5;
            vector::add_scaled(origin, share, &way, &mut point);
        }
        None
    }

    /// Slacks, multipliers and filter as at a start.
    fn start_afresh(&self, at: &Iterate<T>, found: ConstraintsAt, state: &mut InteriorPointState) {
        let equalities = self.constraints.equalities();
        let least = state.barrier.min(1e-2);
        state.slacks = (equalities..found.values.len())
            .map(|i| (state.factor(i) * found.values[i]).max(least))
            .collect();
        state.filter.clear();
        let local = self.local(at, found, state);
        for i in 0..local.w.len() {
            let multiplier = |room: f64| if room.is_finite() { (state.barrier / room).min(1e3) } else { 0.0 };
            state.lower[i] = multiplier(local.w[i] - local.low[i]);
            state.upper[i] = multiplier(local.high[i] - local.w[i]);
        }
        state.multipliers = least_squares_multipliers(&local, state);
        self.judge(at, &local, state);
        state.local = Some(local);
    }

    /// Bounds that keep a hundredth of the distance of `at` from the true ones.
    fn inner_bounds(&self, at: &Iterate<T>) -> Bounds<T> {
        let (low, high) = self.constraints.bounds().to_f64();
        let mut inner = self.constraints.bounds().clone();
        let shrunk = |x: f64, bound: f64| x + 0.99 * (bound - x);
        let pairs = at.point.iter().zip(low.iter().zip(&high)).map(|(x, (&l, &h))| {
            let x64 = x.to_f64();
            if fixes::<T>(l, h) {
                (*x, *x)
            } else {
                (T::from_f64(shrunk(x64, l)), T::from_f64(shrunk(x64, h)))
            }
        });
        let (lower, upper): (Vec<T>, Vec<T>) = pairs.unzip();
        if let Ok(bounds) = Bounds::new(lower, upper) {
            inner = bounds;
        }
        inner
    }
}
