//! Methods that minimise a model in a ball: a [`Subproblem`], the radius, a stopping rule.

use serde::{Deserialize, Serialize};

use super::subproblem::{Model, RadiusTrial, Subproblem};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::linear::{Stop, TrustStep};
use crate::minimize::method::Method;
use crate::minimize::noise::is_short;
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::trial::{Rule, Trial, Trials};
use crate::minimize::vector::{self, Float};

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

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn reads_hessian(&self) -> bool {
        self.subproblem.reads_hessian()
    }

    fn reads_residuals(&self) -> bool {
        S::READS_RESIDUALS
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
type Learned<T> = Vec<(Vec<T>, Vec<T>)>;

/// Rejected trials after which gradients are asked whether rounding is to blame. Each of these costs a gradient.
const PLAIN_REJECTIONS: usize = 3;

/// The ball of a [`TrustState`].
struct Ball<'a> {
    radius: &'a mut f64,
    first: &'a mut bool,
    expanding: &'a mut bool,
}

impl<S> TrustRegion<S> {
    /// Shrinks the radius until a step is accepted.
    fn try_steps<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &mut TrustState<S::Memory>,
        learned: &mut Learned<T>,
    ) -> Result<(Iterate<T>, f64), Reason>
    where
        S: Subproblem<T>,
    {
        let TrustState { radius, first, expanding, memory } = state;
        let mut ball = Ball { radius, first, expanding };
        let mut model = self.subproblem.model(problem, at, memory)?;
        let mut solved = self.first_step(problem, at, &mut ball, &mut model);
        let rule = Rule { accept: self.accept, patience: PLAIN_REJECTIONS, gradients: S::LEARNS };
        let mut trials = Trials::new(problem, at, rule);
        let (mut seen_drowned, mut before_correction) = (false, None);
        loop {
            // Products may have been refused, and what came of them is no step.
            problem.granted()?;
            let length = usable(&solved, &mut trials)?;
            let trial = trials.step(&solved.step, solved.reduction);
            if trial.value == f64::NEG_INFINITY {
                return Err(Reason::Unbounded);
            }
            if S::LEARNS && trial.has_gradient() {
                learned.push((solved.step.clone(), trial.gradient.clone()));
            }
            let seen = ball.seen(&trial, &solved, vector::dot(&at.gradient, &solved.step));
            if trial.accepted {
                ball.grow(self.subproblem.radius(&seen), self.max_radius);
                return Ok((trial.into_iterate(), length));
            }
            // A value that was refused is no reason to reject the step, nor to solve for a shorter one.
            problem.granted()?;
            let given_up = trial.drowned && std::mem::replace(&mut seen_drowned, true);
            if is_short(length, &at.point) || given_up {
                return Err(trials.stuck());
            }
            // What the whole step did, not its correction, tells how good the model is.
            let whole = before_correction.take();
            if whole.is_none()
                && trial.value.is_finite()
                && !trial.drowned
                && let Some(step) = model.corrected(&trial.point, &solved)
            {
                solved.step = step;
                before_correction = Some(seen);
                continue;
            }
            ball.shrink(self.subproblem.radius(&whole.unwrap_or(seen)), solved.length);
            solved = ball.step_within(solved, &mut model);
        }
    }

    /// The model's minimum in the first ball that is tried.
    fn first_step<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        ball: &mut Ball<'_>,
        model: &mut Model<'_, T>,
    ) -> TrustStep<T>
    where
        S: Subproblem<T>,
    {
        let solved = model.minimise(*ball.radius);
        if *ball.first
            && self.initial_radius.is_none()
            && solved.stop == Stop::Boundary
            && let Some(cautious) = self.subproblem.cautious_radius(problem, at)
        {
            *ball.radius = cautious.min(*ball.radius);
            *ball.expanding = true;
            return model.minimise(*ball.radius);
        }
        solved
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

/// The length of a step that promises a fall.
fn usable<T: Float>(solved: &TrustStep<T>, trials: &mut Trials<'_, '_, T>) -> Result<f64, Reason> {
    if solved.stop == Stop::IndefinitePreconditioner {
        return Err(Reason::IndefinitePreconditioner);
    }
    let length = vector::norm(&solved.step);
    let hopeless = trials.expect(solved.reduction, length);
    if length.is_finite() && solved.reduction > 0.0 {
        Ok(length)
    } else {
        Err(Reason::stuck(length.is_finite(), hopeless))
    }
}

impl Ball<'_> {
    /// A trial as the radius depends on it. The first step sets how large the ball is.
    fn seen<T: Float>(&mut self, trial: &Trial<T>, solved: &TrustStep<T>, slope: f64) -> RadiusTrial {
        if std::mem::take(self.first) {
            *self.radius = self.radius.min(solved.length.max(f64::MIN_POSITIVE));
        }
        *self.expanding &= trial.accepted;
        RadiusTrial {
            radius: *self.radius,
            length: solved.length,
            ratio: trial.ratio,
            fall: trial.fall,
            slope,
            stop: solved.stop,
            accepted: trial.accepted,
        }
    }

    /// After an accepted step, where the rule asks for this radius.
    fn grow(&mut self, asked: f64, largest: f64) {
        *self.expanding &= asked > *self.radius;
        *self.radius = if *self.expanding { 2.0 * asked } else { asked }.min(largest);
    }

    /// After a rejected step of this length: smaller, whatever the rule asks for, since a step may be rejected for its gradient
    /// alone.
    fn shrink(&mut self, asked: f64, length: f64) {
        let half = 0.5 * self.radius.min(length);
        *self.radius = if asked < 0.999 * length { asked } else { half };
    }

    /// The model's minimum in the ball: a shorter step that came with the last, if there is one.
    fn step_within<T: Float>(&mut self, mut last: TrustStep<T>, model: &mut Model<'_, T>) -> TrustStep<T> {
        let Some(i) = last.shorter.iter().position(|(r, ..)| *r <= *self.radius * (1.0 + 1e-12)) else {
            return model.minimise(*self.radius);
        };
        let mut rest = last.shorter.split_off(i);
        let (smaller, step, reduction) = rest.remove(0);
        *self.radius = smaller;
        TrustStep { step, reduction, length: smaller, shorter: rest, ..last }
    }
}
