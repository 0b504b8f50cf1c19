//! Methods that minimise a model in a ball: a [`Subproblem`], the radius, a stopping rule.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::linear::{Stop, TrustStep};
use crate::minimize::method::Method;
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::outcome::Reason;
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::search::Noise;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};

/// The model of f at a point. Closures that minimise it in a ball of a radius are some.
pub trait LocalModel<T> {
    /// Minimises the model in a ball.
    fn minimise(&mut self, radius: f64) -> TrustStep<T>;

    /// The last step, which led to `point` and was rejected, corrected by what the model has learned there of f's
    /// curvature along it. `None`, the default, where it has not.
    fn corrected(&mut self, _point: &[T], _step: &TrustStep<T>) -> Option<Vec<T>> {
        None
    }
}

impl<T, F: FnMut(f64) -> TrustStep<T>> LocalModel<T> for F {
    fn minimise(&mut self, radius: f64) -> TrustStep<T> {
        self(radius)
    }
}

/// A [`LocalModel`] of any kind.
pub type Model<'a, T> = Box<dyn LocalModel<T> + 'a>;

/// A model of the objective around a point, and how to minimise it in a ball.
pub trait Subproblem<T: Float> {
    /// What is remembered from step to step.
    type Memory: Serialize + DeserializeOwned;

    /// See [`Method::validate`].
    ///
    /// # Errors
    /// As there.
    fn validate(&self) -> Result<(), MinimizeError> {
        Ok(())
    }

    /// See [`Method::check`].
    ///
    /// # Errors
    /// As there.
    fn check(&self, memory: &Self::Memory, dimension: usize) -> Result<(), MinimizeError>;

    /// The memory before the first step.
    ///
    /// # Errors
    /// For objectives that lack what the model needs.
    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<Self::Memory, MinimizeError>;

    /// The model at a point.
    ///
    /// # Errors
    /// The reason why there is none.
    fn model<'a>(
        &'a self,
        problem: &'a Counted<'_, T>,
        at: &'a Iterate<T>,
        memory: &'a mut Self::Memory,
    ) -> Result<Model<'a, T>, Reason>;

    /// The first radius, if the subproblem knows one.
    fn first_radius(&self, _at: &Iterate<T>, _memory: &Self::Memory) -> Option<f64> {
        None
    }

    /// A short first radius, for the case that the model's minimum is outside the first ball: how far to trust it is not known
    /// then. Until it turns out to be too large, it grows twice as fast as others.
    fn cautious_radius(&self, _problem: &Counted<'_, T>, _at: &Iterate<T>) -> Option<f64> {
        None
    }

    /// The radius after a trial: a quarter of the step where the model predicted badly, twice the radius where a step to
    /// the boundary went well.
    fn radius(&self, trial: &RadiusTrial) -> f64 {
        let boundary = trial.length >= 0.999 * trial.radius;
        match trial.ratio {
            _ if !trial.accepted => 0.25 * trial.length.min(trial.radius),
            r if r < 0.25 => 0.25 * trial.length,
            r if r > 0.75 && boundary => 2.0 * trial.radius,
            _ => trial.radius,
        }
    }

    /// Learns from a trial, accepted or not: the step and the gradient there. Only asked for if
    /// [`LEARNS`](Self::LEARNS).
    fn learn(&self, _memory: &mut Self::Memory, _step: &[T], _before: &[T], _after: &[T]) {}

    /// Whether [`learn`](Self::learn) does anything; every rejected trial then costs a gradient.
    const LEARNS: bool = false;

    /// Whether the objective has a Hessian for this model, so that the driver may look for negative curvature by its products.
    const SECOND_ORDER: bool = false;

    /// See [`Method::reads_hessian`].
    fn reads_hessian(&self) -> bool {
        <Self as Subproblem<T>>::SECOND_ORDER
    }
}

/// A trial step, as far as the [radius](Subproblem::radius) depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadiusTrial {
    /// The radius of the ball.
    pub radius: f64,
    /// The length of the step in the norm of the ball.
    pub length: f64,
    /// The fall of f over the one predicted.
    pub ratio: f64,
    /// The fall of f.
    pub fall: f64,
    /// gᵀs.
    pub slope: f64,
    /// Why the solver of the model stopped.
    pub stop: Stop,
    /// Whether the step is taken.
    pub accepted: bool,
}

/// A trust-region method: minimises the [`Subproblem`]'s model in a ball whose radius follows how well the model
/// predicts f (Conn, Gould and Toint, *Trust-Region Methods*, algorithm 6.1.1). An iteration ends with an accepted step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustRegion<S> {
    /// The model.
    pub subproblem: S,
    /// The first radius. `None`, the default, for [what suits the subproblem](Subproblem::first_radius), or 1.
    pub initial_radius: Option<f64>,
    /// The largest radius; infinite.
    pub max_radius: f64,
    /// The least ratio of actual to predicted reduction at which a step is accepted; 1e-4.
    pub accept: f64,
    /// When to stop.
    pub stopping: Stopping,
    /// The test for a saddle before convergence is claimed, where the model is that of the Hessian.
    pub probe: CurvatureProbe,
}

impl<S: Default> Default for TrustRegion<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S> TrustRegion<S> {
    /// The subproblem in a driver with default settings.
    pub fn new(subproblem: S) -> Self {
        Self {
            subproblem,
            initial_radius: None,
            max_radius: f64::MAX,
            accept: 1e-4,
            stopping: Stopping::default(),
            probe: CurvatureProbe::default(),
        }
    }

    /// Takes another stopping rule.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

/// What a trust-region method remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrustState<M> {
    radius: f64,
    first: bool,
    /// Whether the radius is a cautious one that has not yet been too large.
    expanding: bool,
    memory: M,
}

impl<T: Float, S: Subproblem<T>> Method<T> for TrustRegion<S> {
    type State = TrustState<S::Memory>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn reads_hessian(&self) -> bool {
        self.subproblem.reads_hessian()
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("initial_radius", self.initial_radius.unwrap_or(1.0), "positive", |r| {
            r > 0.0 && r.is_finite()
        })?;
        MinimizeError::require("max_radius", self.max_radius, "positive", |r| r > 0.0)?;
        MinimizeError::require("accept", self.accept, "in [0, 0.25)", |a| (0.0..0.25).contains(&a))?;
        self.subproblem.validate()
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        Field("radius").holds(state.radius, "positive", state.radius > 0.0)?;
        self.subproblem.check(&state.memory, dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        let memory = self.subproblem.begin(problem, at)?;
        let known = || self.subproblem.first_radius(at, &memory);
        let radius = self.initial_radius.or_else(known).unwrap_or(1.0).min(self.max_radius);
        Ok(TrustState { radius, first: true, expanding: false, memory })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        let mut trials = Vec::new();
        let result = self.try_steps(problem, at, state, &mut trials);
        if S::LEARNS {
            for (step, gradient) in &trials {
                self.subproblem.learn(&mut state.memory, step, &at.gradient, gradient);
            }
        }
        let (next, length) = match result {
            // What was learned from rejected steps may give a better model.
            Err(Reason::PrecisionLimit | Reason::NoProgress)
                if S::LEARNS && !trials.is_empty() && state.radius > 0.0 =>
            {
                return self.retry_from_gradient(problem, at, state);
            }
            other => other?,
        };
        *at = next;
        Ok(length)
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>, _state: &mut Self::State) -> Escape {
        if S::SECOND_ORDER { self.probe.escape(problem, at) } else { Escape::default() }
    }
}

/// Points tried: the step and the gradient there.
type Trials<T> = Vec<(Vec<T>, Vec<T>)>;

/// Rejected trials after which gradients are asked whether rounding is to blame. Each of these costs a gradient.
const PLAIN_REJECTIONS: usize = 3;

impl<S> TrustRegion<S> {
    /// Shrinks the radius until a step is accepted.
    fn try_steps<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &mut TrustState<S::Memory>,
        trials: &mut Trials<T>,
    ) -> Result<(Iterate<T>, f64), Reason>
    where
        S: Subproblem<T>,
    {
        let TrustState { radius, first, expanding, memory } = state;
        let mut model = self.subproblem.model(problem, at, memory)?;
        let mut solved = model.minimise(*radius);
        if *first
            && self.initial_radius.is_none()
            && solved.stop == Stop::Boundary
            && let Some(cautious) = self.subproblem.cautious_radius(problem, at)
        {
            (*radius, *expanding) = (cautious.min(*radius), true);
            solved = model.minimise(*radius);
        }
        let mut point = at.point.clone();
        let mut seen_finite = false;
        let smallest = T::EPSILON.to_f64() * vector::norm(&at.point).max(f64::MIN_POSITIVE);
        let mut noise = Noise::new(T::EPSILON.to_f64(), at.value).with_equal_values_as_rounding();
        let (mut rejected, mut seen_drowned) = (0, false);
        let mut before_correction = None;
        // Whether the first step has anything to gain.
        let hopeless = noise.covers(solved.reduction, vector::norm(&solved.step), &at.point);
        loop {
            // Products may have been refused, and what came of them is no step.
            problem.granted()?;
            if solved.stop == Stop::IndefinitePreconditioner {
                return Err(Reason::IndefinitePreconditioner);
            }
            let length = vector::norm(&solved.step);
            if !length.is_finite() || solved.reduction.is_nan() || solved.reduction <= 0.0 {
                return Err(Reason::stuck(length.is_finite(), hopeless));
            }
            vector::add_scaled(&at.point, 1.0, &solved.step, &mut point);
            let value = problem.value(&point);
            if value == f64::NEG_INFINITY {
                return Err(Reason::Unbounded);
            }
            seen_finite |= value.is_finite();
            let actual = at.value - value;
            // Where both reductions drown in rounding, or seem to, gradients know better.
            let good = |actual: f64| actual / solved.reduction > self.accept;
            let suspect = rejected >= PLAIN_REJECTIONS || noise.drowns(actual, solved.reduction);
            let mut gradient = Vec::new();
            if value.is_finite() && (suspect || S::LEARNS || good(actual)) {
                gradient = vec![T::ZERO; point.len()];
                problem.gradient(&point, &mut gradient);
            }
            let slope = vector::dot(&at.gradient, &solved.step);
            let (mut actual, mut drowned) = (actual, false);
            if suspect && vector::all_finite(&gradient) && !gradient.is_empty() {
                let fall = noise.fall(actual, &solved.step, [&at.gradient, &gradient]);
                drowned = fall != actual;
                actual = fall;
            }
            // Gradients must then shrink, so that rounding errors cannot be followed for ever.
            let accepted = value.is_finite()
                && good(actual)
                && vector::all_finite(&gradient)
                && (!drowned || vector::norm(&gradient) < vector::norm(&at.gradient));
            if S::LEARNS && vector::all_finite(&gradient) && !gradient.is_empty() {
                trials.push((solved.step.clone(), gradient.clone()));
            }
            if std::mem::take(first) {
                *radius = radius.min(solved.length.max(f64::MIN_POSITIVE));
            }
            let trial = RadiusTrial {
                radius: *radius,
                length: solved.length,
                ratio: actual / solved.reduction,
                fall: actual,
                slope,
                stop: solved.stop,
                accepted,
            };
            let before = *radius;
            *expanding &= accepted;
            if accepted {
                let asked = self.subproblem.radius(&trial);
                *expanding &= asked > before;
                *radius = if *expanding { 2.0 * asked } else { asked }.min(self.max_radius);
                return Ok((Iterate { point, value, gradient }, length));
            }
            // A value that was refused is no reason to reject the step, nor to solve for a shorter one.
            problem.granted()?;
            rejected += 1;
            let given_up = drowned && std::mem::replace(&mut seen_drowned, true);
            if length <= smallest || given_up {
                return Err(Reason::stuck(seen_finite, hopeless));
            }
            let trial = match before_correction.take() {
                // What the whole step did, not its correction, tells how good the model is.
                Some(trial) => trial,
                None => {
                    let bent = value.is_finite() && !drowned;
                    if let Some(step) = bent.then(|| model.corrected(&point, &solved)).flatten() {
                        solved.step = step;
                        before_correction = Some(trial);
                        continue;
                    }
                    trial
                }
            };
            // Smaller, whatever the rule: a step may be rejected for its gradient alone.
            let asked = self.subproblem.radius(&trial);
            let half = 0.5 * radius.min(solved.length);
            *radius = if asked < 0.999 * solved.length { asked } else { half };
            let position = solved.shorter.iter().position(|(r, ..)| *r <= *radius * (1.0 + 1e-12));
            solved = match position {
                Some(i) => {
                    let mut rest = solved.shorter.split_off(i);
                    let (smaller, step, reduction) = rest.remove(0);
                    *radius = smaller;
                    TrustStep { step, reduction, length: smaller, shorter: rest, ..solved }
                }
                None => model.minimise(*radius),
            };
        }
    }

    /// One more try with what was learned, in a ball as large as the last step.
    fn retry_from_gradient<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut TrustState<S::Memory>,
    ) -> Result<f64, Reason>
    where
        S: Subproblem<T>,
    {
        state.radius = state.radius.max(1e-3 * vector::norm(&at.point));
        let (next, length) = self.try_steps(problem, at, state, &mut Vec::new())?;
        *at = next;
        Ok(length)
    }
}
