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
///
/// ```
/// use wengert_optim::minimize::{KrylovModel, TrustRegion};
/// use wengert_optim::{Method, Problem};
/// let f = Problem::new(1, |x: &[f64]| x[0].cosh())
///     .with_gradient(|x, g| g[0] = x[0].sinh())
///     .with_hvp(|x, v, out| out[0] = x[0].cosh() * v[0]);
/// let method = TrustRegion { initial_radius: Some(0.5), ..TrustRegion::new(KrylovModel::default()) };
/// assert!(method.minimize(&f, &[3.0])?.point[0].abs() < 1e-5);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
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
        let (mut result, learned) = self.learning_steps(problem, at, state);
        // What was learned from rejected steps may give a better model.
        if learned && is_stuck(&result) {
            result = self.in_a_ball_again(problem, at, state);
        }
        // Or what was learned far away gives a bad one, of which "nothing left to gain" says nothing.
        if is_stuck(&result) && self.subproblem.forget(&mut state.memory) {
            result = self.in_a_ball_again(problem, at, state);
        }
        let (next, length) = result?;
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

    /// The same, learning from every trial; and whether there was one to learn from.
    fn learning_steps<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &mut TrustState<S::Memory>,
    ) -> (Result<(Iterate<T>, f64), Reason>, bool)
    where
        S: Subproblem<T>,
    {
        let mut trials = Vec::new();
        let result = self.try_steps(problem, at, state, &mut trials);
        for (step, gradient) in &trials {
            self.subproblem.learn(&mut state.memory, step, &at.gradient, gradient);
        }
        (result, !trials.is_empty())
    }

    /// One more try, in a ball that a step need not be short in.
    fn in_a_ball_again<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        state: &mut TrustState<S::Memory>,
    ) -> Result<(Iterate<T>, f64), Reason>
    where
        S: Subproblem<T>,
    {
        state.radius = state.radius.max(1e-3 * vector::norm(&at.point)).max(f64::MIN_POSITIVE);
        self.learning_steps(problem, at, state).0
    }
}

/// Whether no step was found that another model might find.
fn is_stuck<A>(result: &Result<A, Reason>) -> bool {
    matches!(result, Err(Reason::PrecisionLimit | Reason::NoProgress))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minimize::linear::{Settings, gltr};
    use crate::minimize::objective::Problem;
    use crate::minimize::operator::DenseOperator;

    /// A model with curvature of 1e300 until it is told to forget that.
    struct Misled;

    impl Subproblem<f64> for Misled {
        type Memory = bool;
        const LEARNS: bool = true;

        fn check(&self, _: &bool, _: usize) -> Result<(), MinimizeError> {
            Ok(())
        }
        fn begin(&self, _: &Counted<'_, f64>, _: &Iterate<f64>) -> Result<bool, MinimizeError> {
            Ok(true)
        }
        fn model<'a>(
            &'a self,
            _: &'a Counted<'_, f64>,
            at: &'a Iterate<f64>,
            misled: &'a mut bool,
        ) -> Result<Model<'a, f64>, Reason> {
            let curvature = if *misled { 1e300 } else { 1.0 };
            let operator = DenseOperator::with_diagonal(&[curvature; 2]);
            let settings = Settings { tolerance: 1e-6, max_iterations: None };
            Ok(Box::new(move |radius| gltr(&operator, &at.gradient, radius, &settings)))
        }
        fn forget(&self, misled: &mut bool) -> bool {
            std::mem::take(misled)
        }
    }

    #[test]
    fn a_model_that_promises_nothing_is_forgotten_before_giving_up() {
        let bowl = Problem::new(2, |x: &[f64]| 3.0 + 0.5 * x.iter().map(|x| (x - 1.0).powi(2)).sum::<f64>())
            .with_gradient(|x, g| g.iter_mut().zip(x).for_each(|(g, x)| *g = x - 1.0));
        let outcome = TrustRegion::new(Misled).minimize(&bowl, &[3.0, -2.0]).unwrap();
        assert!(outcome.converged(), "{outcome}");
    }
}
