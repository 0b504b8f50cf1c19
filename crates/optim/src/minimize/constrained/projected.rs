//! The projected gradient method.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::proximal::{Proximable, first_step, place, proximal_step};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::method::Method;
use crate::minimize::noise::{Noise, is_short};
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float, dot};

/// Spectral projected gradient (Birgin, Martínez and Raydan, 2000): projected steps of Barzilai and Borwein's length with a
/// non-monotone search; for bounds, or any convex set with a projection.
///
/// ```
/// use wengert_optim::constrained::{Bounds, ProjectedGradient};
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(2, |x: &[f64]| (x[0] - 3.0).powi(2) + x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = 2.0 * (x[0] - 3.0); g[1] = 2.0 * x[1]; });
/// let outcome = ProjectedGradient::new(Bounds::uniform(2, 0.0, 1.0)?).minimize(&f, &[0.5, 0.5])?;
/// assert_eq!(outcome.point, [1.0, 0.0]);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProjectedGradient<T> {
    /// The set, as the term that is zero in it; its proximal map is the projection.
    pub set: Arc<dyn Proximable<T>>,
    /// Values over which the search may be non-monotone; 10.
    pub memory: usize,
    /// When to stop; the norm is ‖P(x − g) − x‖∞.
    pub stopping: Stopping,
}

impl<T: Float> ProjectedGradient<T> {
    /// With default settings.
    pub fn new(set: impl Proximable<T> + 'static) -> Self {
        Self { set: Arc::new(set), memory: 10, stopping: Stopping::default() }
    }
}

/// What [`ProjectedGradient`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectionState {
    step: f64,
    values: Vec<f64>,
}

impl<T: Float> Method<T> for ProjectedGradient<T> {
    type State = ProjectionState;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("memory", self.memory as f64, "at least 1", |m| m >= 1.0)
    }

    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        place(&*self.set, start)
    }

    fn check(&self, state: &ProjectionState, dimension: usize) -> Result<(), MinimizeError> {
        self.set.check(dimension)?;
        Field("step").positive(state.step)?;
        Field("values").all_finite(&state.values)?;
        let count = state.values.len();
        Field("values").holds(count, "of 1 to memory elements", count > 0 && count <= self.memory)
    }

    fn begin(&self, _: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<ProjectionState, MinimizeError> {
        Ok(ProjectionState { step: first_step(vector::norm_inf(&at.gradient)), values: vec![at.value] })
    }

    fn optimality(&self, at: &Iterate<T>, _: &ProjectionState) -> f64 {
        vector::norm_inf(&proximal_step(&*self.set, at, 1.0).1)
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut ProjectionState,
    ) -> Result<f64, Reason> {
        let (_, direction) = proximal_step(&*self.set, at, state.step);
        let slope = dot(&at.gradient, &direction);
        if slope >= 0.0 || slope.is_nan() {
            return Err(at.stuck(true, self.optimality(at, state)));
        }
        let ceiling = state.values.iter().copied().fold(at.value, f64::max);
        let noise = Noise::of::<T>(at.value);
        let size = self.optimality(at, state);
        let (mut alpha, mut seen_finite) = (1.0, false);
        let mut point = at.point.clone();
        for _ in 0..60 {
            problem.granted()?;
            vector::add_scaled(&at.point, alpha, &direction, &mut point);
            // Between two points of the set, but for rounding.
            if !self.set.value(&point).is_finite() {
                self.set.proximal(&mut point, 1.0);
            }
            let value = problem.value(&point);
            seen_finite |= value.is_finite();
            if value == f64::NEG_INFINITY {
                return Err(Reason::Unbounded);
            }
            let excess = value - (ceiling + 1e-4 * alpha * slope);
            if noise.allows(excess) {
                let mut gradient = vec![T::ZERO; point.len()];
                problem.gradient(&point, &mut gradient);
                let next = Iterate { point, value, gradient };
                let shrank = || self.optimality(&next, state) < size;
                if vector::all_finite(&next.gradient) && (excess <= 0.0 || shrank()) {
                    return Ok(self.accept(at, state, next));
                }
                point = next.point;
            }
            if is_short(alpha * vector::norm(&direction), &at.point) {
                break;
            }
            alpha *= 0.4;
        }
        Err(at.stuck(seen_finite, self.optimality(at, state)))
    }
}

impl<T: Float> ProjectedGradient<T> {
    fn accept(&self, at: &mut Iterate<T>, state: &mut ProjectionState, next: Iterate<T>) -> f64 {
        let (mut s, mut y) = (next.point.clone(), next.gradient.clone());
        vector::axpy(-1.0, &at.point, &mut s);
        vector::axpy(-1.0, &at.gradient, &mut y);
        let (ss, sy) = (dot(&s, &s), dot(&s, &y));
        // Where curvature is negative, a longer step than the last.
        state.step = if sy > 0.0 { ss / sy } else { 10.0 * state.step };
        *at = next;
        if state.values.len() >= self.memory {
            state.values.remove(0);
        }
        state.values.push(at.value);
        ss.sqrt()
    }
}
