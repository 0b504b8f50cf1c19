//! The loop that every method shares: budgets, convergence, trace, best point, callback, checkpoint.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::probe::Escape;
use crate::objective::{Counted, Counts, Objective};
use crate::outcome::{MinimizeError, Outcome, Reason, Record};
use crate::search::Noise;
use crate::stopping::Stopping;
use crate::vector::{self, Float};

/// A point with its value and gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Iterate<T: Float> {
    /// x.
    #[serde(with = "vector::serde")]
    pub point: Vec<T>,
    /// f(x).
    pub value: f64,
    /// ∇f(x).
    #[serde(with = "vector::serde")]
    pub gradient: Vec<T>,
}

impl<T: Float> Iterate<T> {
    /// Evaluates `objective` at `point`.
    pub fn at(objective: &dyn Objective<T>, point: Vec<T>) -> Self {
        let mut gradient = vec![T::ZERO; point.len()];
        let value = objective.value_and_gradient(&point, &mut gradient);
        Self { point, value, gradient }
    }

    /// Becomes `next`, and returns how far that is.
    pub(crate) fn move_to(&mut self, next: Self) -> f64 {
        let mut step = next.point.clone();
        vector::axpy(-1.0, &self.point, &mut step);
        *self = next;
        vector::norm(&step)
    }

    /// Whether a step to `after` is one that rounding could lead round for ever: by a search whose conditions do not hold there,
    /// to a value that is no lower and a gradient that has not shrunk.
    pub(crate) fn is_idle(&self, after: &Self, satisfied: bool) -> bool {
        let shrank = vector::norm(&after.gradient) < vector::norm(&self.gradient);
        !satisfied && after.value >= self.value && !shrank
    }

    /// Why a method that knows no curvature has no further step from here, where the norm that it wants to vanish is this.
    pub(crate) fn stuck(&self, seen_finite: bool, norm: f64) -> Reason {
        let noise = Noise::new(T::EPSILON.to_f64(), self.value);
        Reason::stuck(seen_finite, noise.hides(&self.point, norm))
    }

    /// Whether value and gradient are finite.
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && vector::all_finite(&self.gradient)
    }
}

/// A minimisation in progress: what a callback sees. It serialises, so that it is a checkpoint from which
/// [`Method::resume`] continues with the same bits (with `serde_json` that takes its feature `float_roundtrip`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "S: Serialize + DeserializeOwned")]
pub struct Run<T: Float, S> {
    /// Where the method is.
    pub current: Iterate<T>,
    /// The point of least value so far, if that is not the current one.
    pub best: Option<Iterate<T>>,
    /// What the method remembers between iterations.
    pub state: S,
    /// Iterations so far.
    pub iterations: u64,
    /// Evaluations so far.
    pub counts: Counts,
    /// Seconds so far.
    pub seconds: f64,
    /// The norm of the gradient at the start.
    pub initial_norm: f64,
    /// One record for the start and for every iteration.
    pub trace: Vec<Record>,
}

/// A minimisation method: what one iteration does. The loop around it is here and is the same for all.
///
/// Users call [`minimize`](Self::minimize), [`minimize_with`](Self::minimize_with) and [`resume`](Self::resume).
pub trait Method<T: Float> {
    /// What the method remembers between iterations.
    type State: Serialize + DeserializeOwned;

    /// Whether the iterate of least value is the best; not so where constraints may be violated.
    const KEEPS_BEST: bool = true;

    /// When to stop.
    fn stopping(&self) -> &Stopping;

    /// Whether the Hessian is read at every iterate, so that it is [made with the gradient](Objective::second_order) where
    /// that saves work.
    fn reads_hessian(&self) -> bool {
        false
    }

    /// Refuses settings that mean nothing.
    ///
    /// # Errors
    /// [`MinimizeError::InvalidSetting`] with the name of the setting.
    fn validate(&self) -> Result<(), MinimizeError> {
        Ok(())
    }

    /// Moves a start to where the method can begin: into bounds, say.
    ///
    /// # Errors
    /// If there is no such point, or the method is for problems of another dimension.
    fn place(&self, _start: &mut [T]) -> Result<(), MinimizeError> {
        Ok(())
    }

    /// Whether `state`, which comes from a checkpoint of a problem of `dimension` variables and so from outside, can be gone
    /// on from: lengths, counts, numbers. What is let through must never lead to a panic.
    ///
    /// # Errors
    /// [`MinimizeError::Checkpoint`] with the name of the field at fault.
    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError>;

    /// The memory for the first iteration. May move `at`, keeping its value and gradient true.
    ///
    /// # Errors
    /// For objectives that lack what the method needs.
    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError>;

    /// One iteration: moves `at`. Returns the length of the step.
    ///
    /// # Errors
    /// The reason why there is no further iteration; `at` is then as it was.
    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason>;

    /// The norm that must vanish at a solution.
    fn optimality(&self, at: &Iterate<T>, _state: &Self::State) -> f64 {
        vector::norm_inf(&at.gradient)
    }

    /// Called where the norm is small, before convergence is claimed: a method with second derivatives looks for
    /// negative curvature, and if it finds a lower point moves there.
    fn escape(&self, _problem: &Counted<'_, T>, _at: &mut Iterate<T>, _state: &mut Self::State) -> Escape {
        Escape::default()
    }

    /// Adds to the outcome what only this method knows.
    fn finish(&self, _state: &Self::State, _outcome: &mut Outcome<T>) {}

    /// Minimises `objective` from `start`.
    ///
    /// # Errors
    /// If the minimisation cannot start: see [`MinimizeError`]. Whatever happens afterwards is an outcome.
    fn minimize(&self, objective: &dyn Objective<T>, start: &[T]) -> Result<Outcome<T>, MinimizeError>
    where
        Self: Sized,
    {
        self.minimize_with(objective, start, |_| ControlFlow::Continue(()))
    }

    /// As [`minimize`](Self::minimize), calling `callback` at the start and after every iteration; it may stop the
    /// run, and may serialise what it is given as a checkpoint.
    ///
    /// # Errors
    /// As [`minimize`](Self::minimize).
    fn minimize_with(
        &self,
        objective: &dyn Objective<T>,
        start: &[T],
        callback: impl FnMut(&Run<T, Self::State>) -> ControlFlow<()>,
    ) -> Result<Outcome<T>, MinimizeError>
    where
        Self: Sized,
    {
        self.stopping().validate()?;
        self.validate()?;
        MinimizeError::start(start, objective.dimension())?;
        let mut start = start.to_vec();
        self.place(&mut start)?;
        let clock = Instant::now();
        let problem = counted(self, objective);
        let mut current = Iterate::at(&problem, start);
        if !current.is_finite() {
            return Err(MinimizeError::UndefinedAtStart { value: current.value });
        }
        let state = self.begin(&problem, &mut current)?;
        if !current.is_finite() {
            return Err(MinimizeError::UndefinedAtStart { value: current.value });
        }
        let initial_norm = self.optimality(&current, &state);
        let mut run = Run {
            current,
            best: None,
            state,
            iterations: 0,
            counts: problem.counts(),
            seconds: 0.0,
            initial_norm,
            trace: Vec::new(),
        };
        run.record(initial_norm, 0.0, clock.elapsed().as_secs_f64());
        Ok(drive(self, &problem, run, clock, 0.0, callback))
    }

    /// Continues a run from a checkpoint that a callback took.
    ///
    /// # Errors
    /// If the checkpoint cannot be one of this method on this objective: every field is checked first.
    fn resume(
        &self,
        objective: &dyn Objective<T>,
        run: Run<T, Self::State>,
        callback: impl FnMut(&Run<T, Self::State>) -> ControlFlow<()>,
    ) -> Result<Outcome<T>, MinimizeError>
    where
        Self: Sized,
    {
        self.stopping().validate()?;
        self.validate()?;
        let dimension = objective.dimension();
        if dimension == 0 {
            return Err(MinimizeError::ZeroDimension);
        }
        run.check(dimension)?;
        self.check(&run.state, dimension)?;
        let problem = counted(self, objective);
        problem.add(run.counts);
        let earlier = run.seconds;
        Ok(drive(self, &problem, run, Instant::now(), earlier, callback))
    }
}

fn counted<'a, T: Float, M: Method<T> + ?Sized>(
    method: &M,
    objective: &'a dyn Objective<T>,
) -> Counted<'a, T> {
    let problem = Counted::new(objective);
    if method.reads_hessian() {
        problem.expect_hessians();
    }
    problem
}

impl<T: Float, S> Run<T, S> {
    fn record(&mut self, gradient_norm: f64, step: f64, seconds: f64) {
        self.seconds = seconds;
        self.trace.push(Record {
            iteration: self.iterations,
            value: self.current.value,
            gradient_norm,
            step,
            counts: self.counts,
            seconds,
        });
    }

    /// Notes the current point as the best, or the best as better than the current.
    fn keep_best(&mut self, before: &mut Iterate<T>) {
        if self.best.as_ref().is_some_and(|best| self.current.value <= best.value) {
            self.best = None;
        } else if self.best.is_none() && self.current.value > before.value {
            self.best = Some(before.clone());
        }
        before.clone_from(&self.current);
    }
}

/// Iterates until there is a reason not to. `clock` began when the run had taken `earlier` seconds.
fn drive<T: Float, M: Method<T> + ?Sized>(
    method: &M,
    problem: &Counted<'_, T>,
    mut run: Run<T, M::State>,
    clock: Instant,
    earlier: f64,
    mut callback: impl FnMut(&Run<T, M::State>) -> ControlFlow<()>,
) -> Outcome<T> {
    let stopping = method.stopping();
    let tolerance = stopping.tolerance(run.initial_norm);
    problem.set_aim(tolerance);
    problem.set_limits(stopping.limits(clock, earlier));
    let seconds = || earlier + clock.elapsed().as_secs_f64();
    let mut before = run.current.clone();
    let mut curvature = None;
    let reason = loop {
        let norm = method.optimality(&run.current, &run.state);
        if callback(&run).is_break() {
            break Reason::Callback;
        }
        if stopping.target_value.is_some_and(|target| run.current.value <= target) {
            break Reason::TargetReached;
        }
        let escaped = if norm <= tolerance {
            let last = run.iterations >= stopping.max_iterations;
            let saddle = last.then(|| run.current.clone());
            let escape = method.escape(problem, &mut run.current, &mut run.state);
            if escape.step.is_none() {
                curvature = escape.curvature;
                break Reason::Converged;
            }
            // The way down would be an iteration too many.
            if let Some(saddle) = saddle {
                run.current = saddle;
                break Reason::MaxIterations;
            }
            escape.step
        } else {
            None
        };
        if escaped.is_none()
            && let Some(reason) = stopping.exhausted(run.iterations, problem.counts(), seconds())
        {
            break reason;
        }
        let step = match escaped {
            Some(step) => step,
            None => match method.advance(problem, &mut run.current, &mut run.state) {
                Ok(step) => step,
                // Evaluations refused in the middle of an iteration may have looked like trouble to the method.
                Err(reason) => {
                    break stopping.exhausted(run.iterations, problem.counts(), seconds()).unwrap_or(reason);
                }
            },
        };
        run.iterations = run.iterations.saturating_add(1);
        run.counts = problem.counts();
        if M::KEEPS_BEST {
            run.keep_best(&mut before);
        }
        let norm = method.optimality(&run.current, &run.state);
        run.record(norm, step, seconds());
    };
    Outcome { curvature, ..conclude(method, problem, run, reason, seconds()) }
}

/// The part of its value at the start to which a gradient has fallen where rounding may be all that is left.
const SMALL: f64 = 1e-4;

fn conclude<T: Float, M: Method<T> + ?Sized>(
    method: &M,
    problem: &Counted<'_, T>,
    mut run: Run<T, M::State>,
    mut reason: Reason,
    seconds: f64,
) -> Outcome<T> {
    let tolerance = method.stopping().tolerance(run.initial_norm);
    if reason != Reason::Converged
        && let Some(best) = run.best.take()
    {
        run.current = best;
    }
    let gradient_norm = method.optimality(&run.current, &run.state);
    // The last word: nothing is called converged, or left uncalled, but by the test at the returned point.
    match reason {
        _ if gradient_norm <= tolerance => {
            if let Reason::PrecisionLimit | Reason::NoProgress | Reason::NonFinite = reason {
                reason = Reason::Converged;
            }
        }
        Reason::Converged => reason = Reason::NoProgress,
        // Steps that are as short as rounding although the gradient is as large as ever: a kink.
        Reason::PrecisionLimit if gradient_norm > SMALL * run.initial_norm => {
            let noise = Noise::new(T::EPSILON.to_f64(), run.current.value);
            if !noise.hides(&run.current.point, vector::norm(&run.current.gradient)) {
                reason = Reason::NoProgress;
            }
        }
        _ => {}
    }
    let mut outcome = Outcome {
        point: run.current.point,
        value: run.current.value,
        gradient: run.current.gradient,
        gradient_norm,
        tolerance,
        reason,
        iterations: run.iterations,
        counts: problem.counts(),
        seconds,
        trace: run.trace,
        multipliers: None,
        curvature: None,
    };
    method.finish(&run.state, &mut outcome);
    outcome
}

/// A [`Method`] whose kind is chosen at run time, from a command line say: `Box<dyn Minimizer<f32>>`.
///
/// ```
/// use wengert_optim::{Bfgs, Lbfgs, Minimizer, Problem};
///
/// let methods: [Box<dyn Minimizer<f64>>; 2] = [Box::new(Lbfgs::default()), Box::new(Bfgs::default())];
/// let square = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// for method in methods {
///     assert!(method.run(&square, &[3.0]).unwrap().converged());
/// }
/// ```
pub trait Minimizer<T: Float> {
    /// As [`Method::minimize`].
    ///
    /// # Errors
    /// As [`Method::minimize`].
    fn run(&self, objective: &dyn Objective<T>, start: &[T]) -> Result<Outcome<T>, MinimizeError>;
}

impl<T: Float, M: Method<T>> Minimizer<T> for M {
    fn run(&self, objective: &dyn Objective<T>, start: &[T]) -> Result<Outcome<T>, MinimizeError> {
        self.minimize(objective, start)
    }
}
