//! What a minimisation method is.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_state::State;

use super::drive::{counted, drive};
use super::error::MinimizeError;
use super::objective::{Counted, Objective};
use super::outcome::{Outcome, Reason};
use super::probe::Escape;
use super::run::{Iterate, Progress, Run};
use super::stopping::Stopping;
use super::vector::{self, Float};

/// A minimisation method: what one iteration does. The loop around it is here and is the same for all.
///
/// Users call [`minimize`](Self::minimize), [`minimize_with`](Self::minimize_with) and [`resume`](Self::resume).
///
/// ```
/// use std::ops::ControlFlow;
/// use wengert_optim::minimize::{Counted, Iterate};
/// use wengert_optim::{Method, MinimizeError, Problem, Reason, Stopping};
/// /// Gradient descent with steps of a tenth of the gradient.
/// struct Tenths(Stopping);
/// impl Method<f64> for Tenths {
///     type State = ();
///     fn stopping(&self) -> &Stopping { &self.0 }
///     fn stopping_mut(&mut self) -> &mut Stopping { &mut self.0 }
///     fn check(&self, _: &(), _: usize) -> Result<(), MinimizeError> { Ok(()) }
///     fn begin(&self, _: &Counted<'_, f64>, _: &mut Iterate<f64>) -> Result<(), MinimizeError> { Ok(()) }
///     fn advance(&self, problem: &Counted<'_, f64>, at: &mut Iterate<f64>, _: &mut ()) -> Result<f64, Reason> {
///         let next = at.point.iter().zip(&at.gradient).map(|(x, g)| x - 0.1 * g).collect();
///         *at = Iterate::at(problem, next);
///         Ok(0.1 * wengert_optim::vector::norm(&at.gradient))
///     }
/// }
/// let f = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// let method = Tenths(Stopping::gradient(1e-6));
/// assert!(method.minimize(&f, &[3.0])?.converged());
/// // Watched, and stopped after 5 steps.
/// let five = |run: &wengert_optim::Run<f64, ()>| match run.iterations {
///     5 => ControlFlow::Break(()),
///     _ => ControlFlow::Continue(()),
/// };
/// assert_eq!(method.minimize_with(&f, &[3.0], five)?.iterations, 5);
/// # Ok::<(), MinimizeError>(())
/// ```
pub trait Method<T: Float> {
    /// What the method remembers between iterations.
    type State: Serialize + DeserializeOwned;

    /// Whether the iterate of least value is the best; not so where constraints may be violated.
    const KEEPS_BEST: bool = true;

    /// When to stop.
    fn stopping(&self) -> &Stopping;

    /// When to stop, to be changed.
    fn stopping_mut(&mut self) -> &mut Stopping;

    /// Whether the Hessian is read at every iterate, so that it is [made with the gradient](Objective::second_order) where
    /// that saves work.
    fn reads_hessian(&self) -> bool {
        false
    }

    /// Whether the [residuals](Objective::residuals), of objectives that have some, are read at every iterate, so that values and
    /// gradients are made of them, and they are evaluated once a point.
    fn reads_residuals(&self) -> bool {
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
    /// run, and may keep what it is given as a checkpoint: see [`Run::to_state`].
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
        problem.begin_run(0.0, self.stopping().first_limits());
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
        problem.restore(run.counts, &run.current.point);
        let earlier = run.seconds;
        Ok(drive(self, &problem, run, Instant::now(), earlier, callback))
    }
}

/// A [`Method`] whose kind is chosen at run time, from a command line say: `Box<dyn Minimizer<f32>>`.
///
/// ```
/// use std::ops::ControlFlow;
/// use wengert_optim::{Bfgs, Lbfgs, Minimizer, Problem, Reason, Stopping};
///
/// let methods: [Box<dyn Minimizer<f64>>; 2] = [Box::new(Lbfgs::default()), Box::new(Bfgs::default())];
/// let square = Problem::new(1, |x: &[f64]| x[0] * x[0]).with_gradient(|x, g| g[0] = 2.0 * x[0]);
/// for mut method in methods {
///     method.set_stopping(Stopping::gradient(1e-9));
///     assert!(method.run(&square, &[3.0]).unwrap().converged());
///     let first = |progress: &wengert_optim::Progress<'_, f64>| match progress.iterations {
///         0 => ControlFlow::Continue(()),
///         _ => ControlFlow::Break(()),
///     };
///     assert_eq!(method.run_with(&square, &[3.0], &mut { first }).unwrap().reason, Reason::Callback);
///
///     let mut state = None;
///     let mut save = |progress: &wengert_optim::Progress<'_, f64>| {
///         state = progress.to_state().ok();
///         ControlFlow::Break(())
///     };
///     method.run_with(&square, &[3.0], &mut save).unwrap();
///     let mut go_on = |_: &wengert_optim::Progress<'_, f64>| ControlFlow::Continue(());
///     assert!(method.run_from(&square, &state.unwrap(), &mut go_on).unwrap().converged());
/// }
/// ```
pub trait Minimizer<T: Float> {
    /// As [`Method::minimize`].
    ///
    /// # Errors
    /// As [`Method::minimize`].
    fn run(&self, objective: &dyn Objective<T>, start: &[T]) -> Result<Outcome<T>, MinimizeError>;

    /// As [`Method::minimize_with`]; what methods remember is not seen, since each remembers something else.
    ///
    /// # Errors
    /// As [`Method::minimize`].
    fn run_with(
        &self,
        objective: &dyn Objective<T>,
        start: &[T],
        callback: &mut dyn FnMut(&Progress<'_, T>) -> ControlFlow<()>,
    ) -> Result<Outcome<T>, MinimizeError>;

    /// Continues from the [state](Progress::to_state) of a run of this method on this objective: the outcome has the bits of
    /// the run that was not interrupted.
    ///
    /// # Errors
    /// As [`Method::resume`], and [`MinimizeError::State`] if it is not the state of a run of this method.
    fn run_from(
        &self,
        objective: &dyn Objective<T>,
        state: &State,
        callback: &mut dyn FnMut(&Progress<'_, T>) -> ControlFlow<()>,
    ) -> Result<Outcome<T>, MinimizeError>;

    /// Takes another stopping rule.
    fn set_stopping(&mut self, stopping: Stopping);
}

impl<T: Float, M: Method<T>> Minimizer<T> for M {
    fn run(&self, objective: &dyn Objective<T>, start: &[T]) -> Result<Outcome<T>, MinimizeError> {
        self.minimize(objective, start)
    }

    fn run_with(
        &self,
        objective: &dyn Objective<T>,
        start: &[T],
        callback: &mut dyn FnMut(&Progress<'_, T>) -> ControlFlow<()>,
    ) -> Result<Outcome<T>, MinimizeError> {
        self.minimize_with(objective, start, |run| callback(&run.progress()))
    }

    fn run_from(
        &self,
        objective: &dyn Objective<T>,
        state: &State,
        callback: &mut dyn FnMut(&Progress<'_, T>) -> ControlFlow<()>,
    ) -> Result<Outcome<T>, MinimizeError> {
        self.resume(objective, Run::from_state(state)?, |run| callback(&run.progress()))
    }

    fn set_stopping(&mut self, stopping: Stopping) {
        *self.stopping_mut() = stopping;
    }
}
