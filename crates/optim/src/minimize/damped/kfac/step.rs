//! One step of K-FAC.

use super::{Kfac, KfacState};
use crate::minimize::noise::Noise;
use crate::minimize::objective::{Counted, Curvatures, Objective};
use crate::minimize::operator::{Kronecker, Operator};
use crate::minimize::run::Iterate;
use crate::minimize::vector::{self, Float, axpy, dot};

/// Where a step leads.
pub(super) enum Step<T: Float> {
    /// To a point of lower value, or, if `flat`, of one that cannot be told from the old.
    To { point: Vec<T>, value: f64, flat: bool },
    /// Nowhere: every trial was higher, or not even finite. With the fall that the model predicted for the first.
    None { finite: bool, predicted: f64 },
}

/// A step with the fall of f that the damped model predicts.
struct Proposal<T> {
    step: Vec<T>,
    predicted: f64,
}

impl Kfac {
    /// A step from `at` for one batch or the whole objective; `state.last` becomes the step taken.
    pub(super) fn step<T: Float>(
        &self,
        objective: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &mut KfacState<T>,
    ) -> Step<T> {
        let Some(Proposal { mut step, mut predicted }) = self.propose(objective, at, state) else {
            // With an inverse there is a direction, but not one of descent.
            return Step::None { finite: state.inverse.is_some(), predicted: f64::NAN };
        };
        let noise = Noise::of::<T>(at.value);
        let (mut point, promised) = (at.point.clone(), predicted);
        let mut finite = false;
        for halvings in 0..10 {
            vector::add_scaled(&at.point, 1.0, &step, &mut point);
            let value = objective.value(&point);
            finite |= value.is_finite();
            let actual = at.value - value;
            let flat = noise.drowns(actual, predicted);
            if halvings == 0 {
                self.adapt(state, if flat { 1.0 } else { actual / predicted });
            }
            if value.is_finite() && (actual > 0.0 || flat) {
                state.last = step;
                return Step::To { point, value, flat };
            }
            if objective.exhausted() {
                break;
            }
            vector::scale(0.5, &mut step);
            predicted *= 0.5;
        }
        Step::None { finite, predicted: promised }
    }

    /// Levenberg–Marquardt.
    fn adapt<T: Float>(&self, state: &mut KfacState<T>, ratio: f64) {
        if !state.step.is_multiple_of(self.adapt_every) {
            return;
        }
        let factor = 0.95f64.powf(self.adapt_every as f64);
        if ratio > 0.75 {
            state.damping = (factor * state.damping).max(self.least * state.scale);
        } else if ratio.is_nan() || ratio < 0.25 {
            state.damping /= factor;
        }
    }

    /// α Δ + μ δ for the K-FAC direction Δ and the last step δ: the minimum of the damped model in their plane.
    fn propose<T: Float>(
        &self,
        objective: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &mut KfacState<T>,
    ) -> Option<Proposal<T>> {
        self.learn(objective, &at.point, state)?;
        let KfacState { factors, inverse, damping, last, .. } = state;
        let inverse = inverse.as_ref()?;
        let n = at.point.len();
        let (mut direction, mut product) = (vec![T::ZERO; n], vec![T::ZERO; n]);
        inverse.apply(&at.gradient, &mut direction);
        vector::scale(-1.0, &mut direction);

        let exact = objective.gauss_newton(&at.point);
        let curvature: &dyn Operator<T> = match &exact {
            Some(exact) => exact,
            None => &*factors,
        };
        curvature.apply(&direction, &mut product);
        let bend = dot(&direction, &product) + *damping * dot(&direction, &direction);
        let slope = dot(&at.gradient, &direction);
        if !(slope < 0.0 && slope.is_finite() && bend > 0.0 && bend.is_finite()) {
            return None;
        }
        let (mut alpha, mut mu) = (-slope / bend, 0.0);
        let mut predicted = 0.5 * slope * slope / bend;
        if self.momentum && vector::norm_inf(last) > 0.0 {
            let across = dot(last, &product) + *damping * dot(last, &direction);
            curvature.apply(last, &mut product);
            let along = dot(last, &product) + *damping * dot(last, last);
            let down = dot(&at.gradient, last);
            let determinant = bend * along - across * across;
            // Where the two are parallel to rounding, the direction alone has to do.
            if determinant.is_finite() && determinant > 1e-8 * bend * along {
                alpha = (across * down - along * slope) / determinant;
                mu = (across * slope - bend * down) / determinant;
                predicted = -0.5 * (alpha * slope + mu * down);
            }
        }
        vector::scale(alpha, &mut direction);
        axpy(mu, last, &mut direction);
        vector::all_finite(&direction).then_some(Proposal { step: direction, predicted })
    }

    /// Brings factors and inverses up to date where it is time; `None` if they cannot be had.
    fn learn<T: Float>(&self, objective: &Counted<'_, T>, x: &[T], state: &mut KfacState<T>) -> Option<()> {
        let due = |every: u64| state.step < 3 || state.step.is_multiple_of(every);
        let (estimate, invert) = (due(self.factors_every), due(self.inverse_every));
        // The first step has the factors that the run began with.
        if estimate && state.step > 0 {
            let newer = objective.kronecker(x, state.step).filter(Kronecker::is_finite)?;
            state.estimates = state.estimates.saturating_add(1);
            let decay = (1.0 - 1.0 / state.estimates as f64).min(self.decay);
            // Factors of another structure are those of a checkpoint of another objective.
            if state.factors.is_finite() && state.factors.has_structure_of(&newer) {
                state.factors.average(decay, &newer);
            } else {
                state.factors = newer;
            }
        }
        if invert {
            state.inverse = None;
        }
        if !state.factors.is_finite() {
            return None;
        }
        for _ in 0..40 {
            if state.inverse.is_some() {
                return Some(());
            }
            state.inverse = state.factors.inverse(state.damping);
            if state.inverse.is_none() {
                state.damping = 4.0 * state.damping.max(1e-10 * state.scale);
            }
        }
        state.inverse.is_some().then_some(())
    }
}
