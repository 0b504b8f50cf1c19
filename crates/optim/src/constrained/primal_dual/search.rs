//! How far along the Newton step, and where to go instead when it leads nowhere.

use super::step::least_squares_multipliers;
use super::{InteriorPoint, InteriorPointState, Local, NewtonStep};
use crate::linear::dense::qr;
use crate::objective::{Counted, Objective};
use crate::outcome::Reason;
use crate::second::Iterate;
use crate::vector::{self, Float, dot};

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

    /// Backtracks until violation or barrier function improve on the filter; moves x, s and the multipliers.
    pub(super) fn search(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: &Local,
        step: &NewtonStep,
        most: f64,
    ) -> Option<f64> {
        let n = at.point.len();
        let theta = vector::norm_1(&local.c);
        let phi = Self::barrier_function(at.value, &local.w, local, state);
        let mut slope = dot(&local.gradient, &step.w);
        for i in 0..local.w.len() {
            slope -= state.barrier * step.w[i] / (local.w[i] - local.low[i]);
            slope += state.barrier * step.w[i] / (local.high[i] - local.w[i]);
        }
        let noise = 10.0 * T::EPSILON.to_f64() * phi.abs();
        let mut alpha = most;
        for _ in 0..40 {
            if problem.exhausted() {
                return None;
            }
            let mut w = local.w.clone();
            vector::axpy(alpha, &step.w, &mut w);
            let mut point = at.point.clone();
            vector::from_f64(&w[..n], &mut point);
            let value = problem.value(&point);
            let c = self.residuals(&point, &w[n..]);
            let theta_new = vector::norm_1(&c);
            let phi_new = Self::barrier_function(value, &w, local, state);
            let finite = theta_new.is_finite() && phi_new.is_finite();
            let in_filter =
                |(t, p): &(f64, f64)| theta_new >= (1.0 - 1e-5) * t && phi_new >= p - 1e-5 * t + noise;
            // Where the violation is small and φ falls steeply enough, φ must fall sufficiently.
            let by_phi = slope < 0.0
                && theta <= 1e-4 * state.max_violation
                && alpha * (-slope).powf(2.3) > theta.powf(1.1);
            let acceptable = if by_phi {
                phi_new <= phi + 1e-4 * alpha * slope + noise
            } else {
                theta_new <= (1.0 - 1e-5) * theta || phi_new <= phi - 1e-5 * theta + noise
            };
            if finite && theta_new <= state.max_violation && acceptable && !state.filter.iter().any(in_filter)
            {
                let mut gradient = vec![T::ZERO; n];
                problem.gradient(&point, &mut gradient);
                if vector::all_finite(&gradient) {
                    if !by_phi {
                        state.filter.push(((1.0 - 1e-5) * theta, phi - 1e-5 * theta));
                    }
                    state.slacks = w[n..].to_vec();
                    vector::axpy(alpha, &step.multipliers, &mut state.multipliers);
                    *at = Iterate { point, value, gradient };
                    return Some(alpha * vector::norm(&step.w[..n]));
                }
            }
            alpha *= 0.5;
        }
        None
    }

    /// A damped Gauss–Newton step on ½‖c‖² inside the bounds, where Newton's step leads nowhere.
    pub(super) fn restore(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut InteriorPointState,
        local: &Local,
    ) -> Result<f64, Reason> {
        let (n, m, total) = (at.point.len(), local.c.len(), local.w.len());
        let before = vector::norm(&local.c);
        if before <= self.stopping.gradient_tolerance {
            return Err(at.stuck(true, state.residual));
        }
        let size = local.jacobian.iter().fold(0.0f64, |s, row| s.max(vector::norm_inf(row)));
        let mut damping = 1e-4 * size.max(f64::MIN_POSITIVE);
        let mut undefined = false;
        for _ in 0..20 {
            problem.granted()?;
            let mut stacked: Vec<f64> = local.jacobian.concat();
            stacked.resize((m + total) * total, 0.0);
            for i in 0..total {
                // Variables near a bound move less.
                let distance = (local.w[i] - local.low[i]).min(local.high[i] - local.w[i]).min(1.0);
                stacked[(m + i) * total + i] = damping / distance.max(1e-12);
            }
            let mut rhs: Vec<f64> = local.c.iter().map(|c| -c).collect();
            rhs.resize(m + total, 0.0);
            let factor = qr(stacked, m + total, total, rhs);
            let step = factor.solve(&factor.rhs);
            let alpha = to_boundary(local, &step, 0.99);
            let mut w = local.w.clone();
            vector::axpy(alpha, &step, &mut w);
            let mut point = at.point.clone();
            vector::from_f64(&w[..n], &mut point);
            let after = vector::norm(&self.residuals(&point, &w[n..]));
            if after < (1.0 - 1e-6) * before {
                let next = Iterate::at(problem, point);
                if next.is_finite() {
                    *at = next;
                    state.slacks = w[n..].to_vec();
                    state.filter.clear();
                    let local = self.local(at, state);
                    state.multipliers = least_squares_multipliers(&local, state);
                    self.judge(at, state);
                    return Ok(alpha * vector::norm(&step[..n]));
                }
                undefined = true;
            }
            damping *= 8.0;
        }
        // Less violation may be had where f is not defined: that proves nothing about the constraints.
        Err(if undefined { Reason::NonFinite } else { Reason::Infeasible })
    }
}

/// The largest step in (0, 1] that keeps a fraction of the distance from the bounds.
pub(super) fn to_boundary(local: &Local, step: &[f64], keep: f64) -> f64 {
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
pub(super) fn to_zero(z: &[f64], step: &[f64], keep: f64) -> f64 {
    z.iter().zip(step).fold(1.0, |alpha: f64, (z, d)| if *d < 0.0 { alpha.min(-keep * z / d) } else { alpha })
}
