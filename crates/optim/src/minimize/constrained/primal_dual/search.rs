//! How far along the Newton step.

use super::local::Local;
use super::step::System;
use super::{InteriorPoint, InteriorPointState, NewtonStep};
use crate::minimize::constrained::constraints::ConstraintsAt;
use crate::minimize::noise::Noise;
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float, dot};

/// A point that was tried: finite, and inside the bounds.
struct Trial<T> {
    point: Vec<T>,
    slacks: Vec<f64>,
    value: f64,
    /// The constraints as they are.
    values: Vec<f64>,
    /// c_E and c_I − s, scaled.
    c: Vec<f64>,
    /// The barrier function.
    phi: f64,
}

/// Where the search starts, and what it asks for.
struct Measures {
    theta: f64,
    phi: f64,
    slope: f64,
    noise: f64,
}

impl Measures {
    fn violation_is_small(&self, state: &InteriorPointState) -> bool {
        self.theta <= state.small_violation
    }

    /// Whether φ must fall sufficiently: where the violation is small and φ falls steeply enough.
    fn by_phi(&self, alpha: f64, state: &InteriorPointState) -> bool {
        self.slope < 0.0
            && self.violation_is_small(state)
            && alpha * (-self.slope).powf(2.3) > self.theta.powf(1.1)
    }

    fn accepts(&self, alpha: f64, theta: f64, phi: f64, state: &InteriorPointState) -> bool {
        let in_filter = |(t, p): &(f64, f64)| theta >= (1.0 - 1e-5) * t && phi >= p - 1e-5 * t + self.noise;
        let acceptable = if self.by_phi(alpha, state) {
            phi <= self.phi + 1e-4 * alpha * self.slope + self.noise
        } else {
            theta <= (1.0 - 1e-5) * self.theta || phi <= self.phi - 1e-5 * self.theta + self.noise
        };
        theta <= state.max_violation && acceptable && !state.filter.iter().any(in_filter)
    }
}

impl InteriorPointState {
    /// The multipliers of the constraints as far as the variables, those of the bounds as far as they stay positive.
    fn move_multipliers(&mut self, step: &NewtonStep, alpha: f64) {
        let keep = self.keep();
        let most = to_zero(&self.lower, &step.lower, keep).min(to_zero(&self.upper, &step.upper, keep));
        vector::axpy(alpha, &step.multipliers, &mut self.multipliers);
        vector::axpy(most, &step.lower, &mut self.lower);
        vector::axpy(most, &step.upper, &mut self.upper);
    }
}

impl<T: Float> InteriorPoint<'_, T> {
    /// φ_μ = f − μ Σ ln(distance from the bounds).
    fn barrier_function(value: f64, w: &[f64], local: &Local, state: &InteriorPointState) -> f64 {
        let mut sum = state.scale * value;
        for i in 0..w.len() {
            for distance in [w[i] - local.low[i], local.high[i] - w[i]] {
                if distance.is_finite() {
                    sum -= state.barrier * distance.ln();
                }
            }
        }
        sum
    }

    fn trial(
        &self,
        problem: &Counted<'_, T>,
        state: &InteriorPointState,
        local: &Local,
        alpha: f64,
        step: &NewtonStep,
    ) -> Option<Trial<T>> {
        let n = local.w.len() - state.slacks.len();
        let mut w = local.w.clone();
        vector::axpy(alpha, &step.w, &mut w);
        let mut point = vec![T::ZERO; n];
        vector::from_f64(&w[..n], &mut point);
        // As it was rounded.
        w[..n].copy_from_slice(&vector::to_f64(&point));
        let value = problem.value(&point);
        if !value.is_finite() {
            return None;
        }
        let values = self.constraints.values(&point);
        let c = self.residuals(&values, state, &w[n..]);
        let phi = Self::barrier_function(value, &w, local, state);
        let finite = vector::all_finite(&c) && phi.is_finite();
        finite.then(|| Trial { point, slacks: w[n..].to_vec(), value, values, c, phi })
    }

    /// The derivatives at a trial that has been accepted; `None` where one is not finite.
    fn complete(
        &self,
        problem: &Counted<'_, T>,
        trial: Trial<T>,
        state: &mut InteriorPointState,
    ) -> Option<(Iterate<T>, Local)> {
        let Trial { point, slacks, value, values, .. } = trial;
        let mut gradient = vec![T::ZERO; point.len()];
        problem.gradient(&point, &mut gradient);
        let at = Iterate { point, value, gradient };
        let gradients = self.constraints.gradients(&at.point);
        let found = ConstraintsAt { values, gradients };
        if !at.is_finite() || !found.is_finite() {
            return None;
        }
        state.slacks = slacks;
        let local = self.local(&at, found, state);
        Some((at, local))
    }

    /// Backtracks until violation or barrier function improve on the filter; moves x, s and the multipliers of the
    /// constraints. Returns the length of the step and the problem there.
    pub(super) fn search(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: &Local,
        system: &System,
        step: &NewtonStep,
    ) -> Option<(f64, Local)> {
        let keep = state.keep();
        let phi = Self::barrier_function(at.value, &local.w, local, state);
        let mut slope = dot(&local.gradient, &step.w);
        for i in 0..local.w.len() {
            slope -= state.barrier * step.w[i] / (local.w[i] - local.low[i]);
            slope += state.barrier * step.w[i] / (local.high[i] - local.w[i]);
        }
        let noise = Noise::of::<T>(phi).level();
        let start = Measures { theta: vector::norm_1(&local.c), phi, slope, noise };
        let mut alpha = to_boundary(local, &step.w, keep);
        for count in 0..40 {
            if problem.exhausted() {
                return None;
            }
            let found = self.trial(problem, state, local, alpha, step);
            if let Some(trial) = found {
                let theta = vector::norm_1(&trial.c);
                if start.accepts(alpha, theta, trial.phi, state) {
                    if let Some(done) = self.take(problem, at, state, &start, trial, step, alpha) {
                        return Some(done);
                    }
                } else if count == 0 && theta >= start.theta {
                    // Curved constraints: aim again, at where they are at the trial (section 2.4 of the paper).
                    let mut aimed = trial.c.clone();
                    vector::axpy(alpha, &local.c, &mut aimed);
                    if let Some(step) = system.corrected(local, state, &aimed) {
                        let length = to_boundary(local, &step.w, keep);
                        let again = self.trial(problem, state, local, length, &step);
                        if let Some(trial) = again
                            && start.accepts(alpha, vector::norm_1(&trial.c), trial.phi, state)
                            && let Some(done) = self.take(problem, at, state, &start, trial, &step, alpha)
                        {
                            return Some(done);
                        }
                    }
                }
            }
            alpha *= 0.5;
        }
        None
    }

    #[allow(clippy::too_many_arguments, reason = "what a search has at hand")]
    fn take(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        start: &Measures,
        trial: Trial<T>,
        step: &NewtonStep,
        alpha: f64,
    ) -> Option<(f64, Local)> {
        let (next, local) = self.complete(problem, trial, state)?;
        if !start.by_phi(alpha, state) {
            state.filter.push(((1.0 - 1e-5) * start.theta, start.phi - 1e-5 * start.theta));
        }
        state.move_multipliers(step, alpha);
        Some((at.move_to(next), local))
    }

    /// The step as long as the bounds allow, if it lessens the residual of the barrier problem (section 3.3 of the paper): at the
    /// floor of rounding neither violation nor barrier function tell progress.
    pub(super) fn polish(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: &Local,
        step: &NewtonStep,
        error: f64,
    ) -> Option<(f64, Local)> {
        let alpha = to_boundary(local, &step.w, state.keep());
        let trial = self.trial(problem, state, local, alpha, step)?;
        let mut after = state.clone();
        let (next, local) = self.complete(problem, trial, &mut after)?;
        after.move_multipliers(step, alpha);
        if self.error(&local, &after, state.barrier) > 0.9999 * error {
            return None;
        }
        *state = after;
        Some((at.move_to(next), local))
    }
}

/// The largest step in (0, 1] that keeps a fraction of the distance from the bounds.
fn to_boundary(local: &Local, step: &[f64], keep: f64) -> f64 {
    let mut alpha: f64 = 1.0;
    for i in 0..step.len() {
        if step[i] < 0.0 {
            alpha = alpha.min(-keep * (local.w[i] - local.low[i]) / step[i]);
        } else if step[i] > 0.0 {
            alpha = alpha.min(keep * (local.high[i] - local.w[i]) / step[i]);
        }
    }
    alpha
}

/// The largest step in (0, 1] that keeps a fraction of positive multipliers.
fn to_zero(z: &[f64], step: &[f64], keep: f64) -> f64 {
    z.iter().zip(step).fold(1.0, |alpha: f64, (z, d)| if *d < 0.0 { alpha.min(-keep * z / d) } else { alpha })
}
