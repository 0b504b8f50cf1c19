//! Damping adapted by how well the model predicts, for Newton's method and Hessian-free optimisation.

use serde::{Deserialize, Serialize};

use super::checkpoint::Field;
use super::forcing::Forcing;
use super::method::{Iterate, Method};
use super::probe::{CurvatureProbe, Escape};
use crate::linear::ShiftedSystems;
use crate::objective::{Counted, Objective, Operator};
use crate::outcome::{MinimizeError, Reason};
use crate::search::Noise;
use crate::stopping::Stopping;
use crate::vector::{self, Float};

/// ‖A g‖/‖g‖: the scale of a curvature, so that damping can be set relative to it.
pub(super) fn curvature_scale<T: Float>(operator: &dyn Operator<T>, gradient: &[T]) -> f64 {
    let mut product = vec![T::ZERO; gradient.len()];
    operator.apply(gradient, &mut product);
    let scale = vector::norm(&product) / vector::norm(gradient);
    if scale.is_finite() && scale > 0.0 { scale } else { 1.0 }
}

/// Trials of steps from one point.
pub(super) struct Trials<'a, 'o, T: Float> {
    problem: &'a Counted<'o, T>,
    at: &'a Iterate<T>,
    noise: Noise,
    rejected: bool,
    /// Whether a value was finite.
    finite: bool,
    /// Whether the first step had anything to gain.
    hopeless: Option<bool>,
}

/// A trial step: where it leads and how the model did.
pub(super) struct Trial<T: Float> {
    pub(super) next: Option<Iterate<T>>,
    /// Actual over predicted reduction.
    pub(super) ratio: f64,
    /// Whether all that is left drowns in rounding.
    pub(super) flat: bool,
}

impl<'a, 'o, T: Float> Trials<'a, 'o, T> {
    pub(super) fn new(problem: &'a Counted<'o, T>, at: &'a Iterate<T>) -> Self {
        let noise = Noise::new(T::EPSILON.to_f64(), at.value).with_equal_values_as_rounding();
        Self { problem, at, noise, rejected: false, finite: false, hopeless: None }
    }

    /// The objective, and the point that the steps are from.
    pub(super) fn around(&self) -> (&'a Counted<'o, T>, &'a Iterate<T>) {
        (self.problem, self.at)
    }

    /// Up to which differences of values may be rounding.
    pub(super) fn rounding(&self) -> f64 {
        self.noise.level()
    }

    /// Begins with other steps from the same point: gradients are asked for the values' sake only after a rejection.
    pub(super) fn begin_anew(&mut self) {
        self.rejected = false;
    }

    /// Evaluates at this step, and the gradient if the value fell, or may have fallen as far as rounding lets it tell.
    pub(super) fn step(&mut self, step: &[T], predicted: f64) -> Trial<T> {
        let mut point = self.at.point.clone();
        vector::axpy(1.0, step, &mut point);
        let value = self.problem.value(&point);
        self.judge(step, point, value, predicted)
    }

    /// As [`step`](Self::step), where the value is known.
    pub(super) fn judge(&mut self, step: &[T], point: Vec<T>, value: f64, predicted: f64) -> Trial<T> {
        let at = self.at;
        let length = vector::norm(step);
        self.hopeless.get_or_insert_with(|| self.noise.covers(predicted, length, &at.point));
        self.finite |= value.is_finite();
        let mut actual = at.value - value;
        let suspect = self.rejected || self.noise.drowns(actual, predicted);
        let (mut next, mut drowned) = (None, false);
        if value.is_finite() && (actual > 0.0 || suspect) {
            let mut gradient = vec![T::ZERO; point.len()];
            self.problem.gradient(&point, &mut gradient);
            if vector::all_finite(&gradient) {
                if suspect {
                    let fall = self.noise.fall(actual, step, [&at.gradient, &gradient]);
                    drowned = fall != actual;
                    actual = fall;
                }
                // Gradients must then shrink, so that rounding errors cannot be followed for ever.
                let shrank = vector::norm(&gradient) < vector::norm(&at.gradient);
                if actual > 0.0 && (!drowned || shrank) {
                    next = Some(Iterate { point, value, gradient });
                }
            }
        }
        self.rejected |= next.is_none();
        Trial { flat: drowned && next.is_none(), next, ratio: actual / predicted }
    }

    /// Why there was no step.
    pub(super) fn stuck(&self) -> Reason {
        Reason::stuck(self.finite, self.hopeless.unwrap_or(false))
    }
}

/// Damped Newton: steps of (H + αI) d = −g by conjugate gradients, with α raised where H + αI shows negative curvature or
/// the model predicts badly, and lowered where it predicts well, so that the end is Newton's method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DampedNewton {
    /// The first α, relative to ‖H g‖/‖g‖; 1e-3.
    pub initial: f64,
    /// Products a step; `None`, the default, is ten times the dimension.
    pub max_products: Option<usize>,
    /// When to stop.
    pub stopping: Stopping,
    /// The test for a saddle before convergence is claimed.
    pub probe: CurvatureProbe,
}

impl Default for DampedNewton {
    fn default() -> Self {
        Self {
            initial: 1e-3,
            max_products: None,
            stopping: Stopping::default(),
            probe: CurvatureProbe::default(),
        }
    }
}

/// What [`DampedNewton`] remembers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DampedState {
    forcing: Forcing,
    /// ‖H g‖/‖g‖ at the start, or 10⁻⁶‖g‖/‖x‖ if that is more.
    scale: f64,
    damping: f64,
}

impl<T: Float> Method<T> for DampedNewton {
    type State = DampedState;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn reads_hessian(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("initial", self.initial, "positive", |i| i > 0.0 && i.is_finite())?;
        MinimizeError::at_least_one("max_products", self.max_products.map(|p| p as u64))
    }

    fn check(&self, state: &DampedState, _: usize) -> Result<(), MinimizeError> {
        Field("damping").non_negative(state.damping)?;
        Field("scale").positive(state.scale)?;
        state.forcing.check()
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<DampedState, MinimizeError> {
        let hessian = problem
            .hessian(&at.point)
            .ok_or(MinimizeError::Missing { method: "DampedNewton", what: "a Hessian" })?;
        // Where f is all but straight, steps as long as its curvature asks for would leave the range of numbers.
        let straight = 1e-6 * vector::norm(&at.gradient) / vector::norm(&at.point).max(1.0);
        let scale = curvature_scale(&*hessian, &at.gradient).max(straight);
        Ok(DampedState { forcing: Forcing::begin(at), scale, damping: self.initial * scale })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut DampedState,
    ) -> Result<f64, Reason> {
        let hessian = problem.hessian(&at.point).ok_or(Reason::NonFinite)?;
        let tolerance = state.forcing.since_the_start(problem, at);
        let n = at.point.len();
        let mut systems =
            ShiftedSystems::new(&*hessian, &at.gradient, tolerance, self.max_products.unwrap_or(n));
        let mut trials = Trials::new(problem, at);
        for _ in 0..60 {
            problem.granted()?;
            let solution = match systems.solve(state.damping) {
                Ok(solution) => solution,
                Err(Some(least)) => {
                    // At least past the negative curvature that was met.
                    state.damping = (4.0 * state.damping).max(-2.0 * least);
                    continue;
                }
                // Refused, or not finite.
                Err(None) => break,
            };
            let step = solution.step;
            let trial = trials.step(&step, solution.reduction);
            let raise = |damping: f64| damping.max(1e-10 * state.scale) * 4.0;
            if let Some(next) = trial.next.filter(|_| trial.ratio > 1e-4) {
                if trial.ratio < 0.25 {
                    state.damping = raise(state.damping);
                } else if trial.ratio > 0.75 {
                    state.damping *= 0.1;
                }
                *at = next;
                return Ok(vector::norm(&step));
            }
            if trial.flat || !state.damping.is_finite() {
                break;
            }
            state.damping = raise(state.damping);
        }
        Err(trials.stuck())
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>, _state: &mut DampedState) -> Escape {
        self.probe.escape(problem, at)
    }
}
