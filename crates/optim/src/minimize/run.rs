//! Iterates, and a minimisation in progress.

use serde::{Deserialize, Serialize};
use wengert_state::{State, StateError};

use super::noise::Noise;
use super::objective::{Counted, Counts, Objective};
use super::outcome::{Reason, Record};
use super::saved::WholeRun;
use super::vector::{self, Float};

/// A point with its value and gradient.
///
/// ```
/// use wengert_optim::Problem;
/// use wengert_optim::minimize::Iterate;
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// let at = Iterate::at(&f, vec![3.0]);
/// assert_eq!((at.value, &at.gradient[..]), (9.0, &[6.0][..]));
/// ```
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
        let noise = Noise::of::<T>(self.value);
        Reason::stuck(seen_finite, noise.hides(&self.point, norm))
    }

    /// Whether the objective still has a value here, after trials nearby that had none: if so, the point is at a wall. Searches
    /// along a line end with such a trial, of a step that is lost in rounding.
    pub(crate) fn is_defined(&self, problem: &Counted<'_, T>) -> bool {
        problem.value(&self.point).is_finite()
    }

    /// Whether value and gradient are finite.
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && vector::all_finite(&self.gradient)
    }
}

/// A minimisation in progress: what a callback sees. As a [state](Run::to_state) it is a checkpoint from which
/// [`Method::resume`](super::Method::resume) continues with the same bits; it serialises as that state.
#[derive(Clone, Debug)]
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

/// How far a minimisation is, whatever the method: what the callback of [`Minimizer::run_with`](super::Minimizer::run_with)
/// sees.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a, T: Float> {
    /// Where the method is.
    pub current: &'a Iterate<T>,
    /// The point of least value so far.
    pub best: &'a Iterate<T>,
    /// Iterations so far.
    pub iterations: u64,
    /// Evaluations so far.
    pub counts: Counts,
    /// Seconds so far.
    pub seconds: f64,
    /// One record for the start and for every iteration.
    pub trace: &'a [Record],
    pub(super) run: WholeRun<'a>,
}

impl<T: Float> Progress<'_, T> {
    /// Everything that the method needs to [go on](super::Minimizer::run_from) from here with the same bits.
    ///
    /// # Errors
    /// If what the method remembers cannot be written (see [`State::of`]); the methods of this crate have nothing of the
    /// kind.
    pub fn to_state(&self) -> Result<State, StateError> {
        self.run.0.to_state()
    }
}

impl<T: Float, S: Serialize> Run<T, S> {
    /// How far it is.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use wengert_optim::minimize::Progress;
    /// use wengert_optim::{Lbfgs, Method, Problem};
    /// fn report(progress: Progress<'_, f64>) -> String { format!("f = {}", progress.current.value) }
    /// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
    /// let mut lines = Vec::new();
    /// Lbfgs::default().minimize_with(&f, &[3.0], |run| {
    ///     lines.push(report(run.progress()));
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert!(lines.len() > 1);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    pub fn progress(&self) -> Progress<'_, T> {
        Progress {
            current: &self.current,
            best: self.best.as_ref().unwrap_or(&self.current),
            iterations: self.iterations,
            counts: self.counts,
            seconds: self.seconds,
            trace: &self.trace,
            run: WholeRun(self),
        }
    }
}

impl<T: Float, S> Run<T, S> {
    pub(super) fn record(&mut self, gradient_norm: f64, step: f64, seconds: f64) {
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
    pub(super) fn keep_best(&mut self, before: &mut Iterate<T>) {
        if self.best.as_ref().is_some_and(|best| self.current.value <= best.value) {
            self.best = None;
        } else if self.best.is_none() && self.current.value > before.value {
            self.best = Some(before.clone());
        }
        before.clone_from(&self.current);
    }
}
