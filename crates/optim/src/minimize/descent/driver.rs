//! Methods that search along a line: a [`Direction`], a [line search](crate::minimize::search), a stopping rule.

use crate::minimize::rounding;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::method::Method;
use crate::minimize::noise::Noise;
use crate::minimize::objective::{Counted, Curvatures};
use crate::minimize::outcome::Reason;
use crate::minimize::probe::Escape;
use crate::minimize::run::Iterate;
use crate::minimize::search::{Line, LineSearch, Ray, SearchFailure, Start};
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};

/// Where to search next.
///
/// ```
/// use wengert_optim::minimize::{Counted, Descent, Direction, Iterate};
/// use wengert_optim::search::MoreThuente;
/// use wengert_optim::{Method, MinimizeError, Problem, Reason, Stopping};
/// /// Down along the coordinate of the steepest slope.
/// struct Coordinate;
/// impl Direction<f64> for Coordinate {
///     type Memory = ();
///     fn check(&self, _: &(), _: usize) -> Result<(), MinimizeError> { Ok(()) }
///     fn begin(&self, _: &Counted<'_, f64>, _: &Iterate<f64>) -> Result<(), MinimizeError> { Ok(()) }
///     fn compute(
///         &self, _: &Counted<'_, f64>, at: &Iterate<f64>, _: &mut (), direction: &mut [f64],
///     ) -> Result<f64, Reason> {
///         let steepest = |&i: &usize, &j: &usize| at.gradient[i].abs().total_cmp(&at.gradient[j].abs());
///         let i = (0..direction.len()).max_by(steepest).unwrap();
///         direction.fill(0.0);
///         direction[i] = -at.gradient[i];
///         Ok(1.0)
///     }
/// }
/// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + 0.5 * x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = x[1]; });
/// let search = std::sync::Arc::new(MoreThuente::default());
/// let method = Descent { direction: Coordinate, search, stopping: Stopping::default() };
/// assert!(method.minimize(&f, &[3.0, -1.0])?.converged());
/// # Ok::<(), MinimizeError>(())
/// ```
pub trait Direction<T: Float> {
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
    /// For objectives that lack what the direction needs.
    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<Self::Memory, MinimizeError>;

    /// Writes the direction and returns the step length to try first. Should the direction not be one of descent, the
    /// driver forgets the memory and takes that of steepest descent.
    ///
    /// # Errors
    /// The reason why there is none.
    fn compute(
        &self,
        problem: &Counted<'_, T>,
        at: &Iterate<T>,
        memory: &mut Self::Memory,
        direction: &mut [T],
    ) -> Result<f64, Reason>;

    /// Learns from a step that was taken.
    fn learn(&self, _memory: &mut Self::Memory, _taken: &Taken<'_, T>) {}

    /// Forgets what may have led to a bad direction; false if there was nothing.
    fn forget(&self, _memory: &mut Self::Memory) -> bool {
        false
    }

    /// See [`Method::escape`].
    fn escape(&self, _problem: &Counted<'_, T>, _at: &mut Iterate<T>) -> Escape {
        Escape::default()
    }

    /// See [`Method::reads_hessian`].
    const READS_HESSIAN: bool = false;

    /// See [`Method::reads_residuals`].
    const READS_RESIDUALS: bool = false;
}

/// A step along a line that was taken.
///
/// ```
/// use wengert_optim::minimize::{Iterate, Taken};
/// let at = |x: f64| Iterate { point: vec![x], value: x * x, gradient: vec![2.0 * x] };
/// let (before, after) = (at(3.0), at(1.0));
/// let taken = Taken {
///     alpha: 0.5, direction: &[-4.0], step: &[-2.0], change: &[-4.0], before: &before, after: &after,
/// };
/// // The curvature that the step has shown, yᵀs/sᵀs.
/// let curvature = taken.change[0] * taken.step[0] / taken.step[0].powi(2);
/// assert_eq!((curvature, taken.after.value), (2.0, 1.0));
/// ```
pub struct Taken<'a, T: Float> {
    /// α.
    pub alpha: f64,
    /// d.
    pub direction: &'a [T],
    /// α d, as it was rounded.
    pub step: &'a [T],
    /// The change of the gradient.
    pub change: &'a [T],
    /// Where the step began.
    pub before: &'a Iterate<T>,
    /// Where it ended.
    pub after: &'a Iterate<T>,
}

/// What a [`Descent`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DescentState<M> {
    /// What the direction remembers.
    pub memory: M,
    /// The rounding of values that searches have found beyond their precision, where f is a small difference of large terms.
    rounding: f64,
    /// Steps in a row that changed the value by nothing and did not shrink the gradient.
    idle: u32,
}

/// A direction's defaults in a [`Descent`].
///
/// ```
/// use wengert_optim::minimize::{BfgsDirection, DescentDefaults};
/// // What `Bfgs::default` searches with.
/// assert!(format!("{:?}", BfgsDirection::search()).starts_with("MoreThuente"));
/// ```
pub trait DescentDefaults: Default {
    /// The line search that suits it.
    fn search() -> Arc<dyn LineSearch>;
}

/// A method that goes along a [`Direction`] as far as a [line search](crate::minimize::search) says.
///
/// ```
/// use wengert_optim::search::HagerZhang;
/// use wengert_optim::{Lbfgs, Method, Problem, Stopping};
///
/// let quartic = Problem::new(1, |x: &[f64]| (x[0] - 1.0).powi(4)).with_gradient(|x, g| g[0] = 4.0 * (x[0] - 1.0).powi(3));
/// let method = Lbfgs::default().with_search(HagerZhang::default()).with_stopping(Stopping::gradient(1e-9));
/// assert!(method.minimize(&quartic, &[4.0]).unwrap().converged());
/// ```
#[derive(Clone, Debug)]
pub struct Descent<D> {
    /// Where to go.
    pub direction: D,
    /// How far.
    pub search: Arc<dyn LineSearch>,
    /// When to stop.
    pub stopping: Stopping,
}

impl<D: DescentDefaults> Default for Descent<D> {
    fn default() -> Self {
        Self::new(D::default())
    }
}

impl<D: DescentDefaults> Descent<D> {
    /// The direction with the line search that suits it and the default stopping rule.
    pub fn new(direction: D) -> Self {
        Self { direction, search: D::search(), stopping: Stopping::default() }
    }
}

impl<D> Descent<D> {
    /// Takes another line search.
    pub fn with_search(mut self, search: impl LineSearch + 'static) -> Self {
        self.search = Arc::new(search);
        self
    }

    /// Takes another stopping rule.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

/// Idle steps in a row that are taken: where rounding is coarse, a better step may follow.
const IDLE: u32 = 10;

/// The first trial along a gradient whose scale is unknown: a step of length 1.
pub(super) fn unit_length<T: Float>(direction: &[T]) -> f64 {
    1.0 / vector::norm(direction)
}

impl<T: Float, D: Direction<T>> Method<T> for Descent<D> {
    type State = DescentState<D::Memory>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn reads_hessian(&self) -> bool {
        D::READS_HESSIAN
    }

    fn reads_residuals(&self) -> bool {
        D::READS_RESIDUALS
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        self.search.validate()?;
        self.direction.validate()
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        Field("rounding").non_negative(state.rounding)?;
        self.direction.check(&state.memory, dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        Ok(DescentState { memory: self.direction.begin(problem, at)?, rounding: 0.0, idle: 0 })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        let mut direction = vec![T::ZERO; at.point.len()];
        let (mut steepest, mut drowned) = (false, None);
        loop {
            problem.granted()?;
            let mut alpha = if steepest {
                f64::NAN
            } else {
                self.direction.compute(problem, at, &mut state.memory, &mut direction)?
            };
            alpha *= into_range(&at.gradient, &mut direction);
            let usable = alpha > 0.0 && alpha.is_finite();
            if !usable || !is_descent(&at.gradient, &direction) {
                if self.direction.forget(&mut state.memory) {
                    continue;
                }
                vector::scaled(-1.0, &at.gradient, &mut direction);
                into_range(&at.gradient, &mut direction);
                alpha = unit_length(&direction);
                steepest = true;
            }
            // Products may have been refused, and what came of them is no direction.
            problem.granted()?;
            // Whether the first direction, that of the method, has anything to gain.
            let drowned = *drowned.get_or_insert_with(|| {
                let noise = Noise::of::<T>(at.value);
                if is_steepest(&at.gradient, &direction) {
                    noise.hides(&at.point, vector::norm(&at.gradient))
                } else {
                    let fall = -alpha * vector::dot(&at.gradient, &direction);
                    noise.covers(fall, alpha * vector::norm(&direction), &at.point)
                }
            });
            let failure = match self.search_along(problem, at, state, &direction, alpha) {
                Ok(length) => return Ok(length),
                Err(failure) => failure,
            };
            if failure != SearchFailure::Unbounded {
                if self.direction.forget(&mut state.memory) {
                    continue;
                }
                // With nothing to forget, the last resort is a step of length 1 along the gradient, if this was not that.
                let same = alpha == unit_length(&direction) && is_steepest(&at.gradient, &direction);
                if !std::mem::replace(&mut steepest, true) && !same {
                    continue;
                }
            }
            return Err(match failure {
                SearchFailure::Unbounded => Reason::Unbounded,
                failure => Reason::stuck(failure != SearchFailure::NonFinite, drowned),
            });
        }
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>, _: &mut Self::State) -> Escape {
        self.direction.escape(problem, at)
    }
}

impl<D> Descent<D> {
    fn search_along<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut DescentState<D::Memory>,
        direction: &[T],
        alpha: f64,
    ) -> Result<f64, SearchFailure>
    where
        D: Direction<T>,
    {
        let mut ray = Ray::new(problem, &at.point, direction).with_rounding(state.rounding);
        let start = Start::new(at.value, vector::dot(&at.gradient, direction), alpha);
        let found = self.search.search(&mut ray, start);
        state.rounding = ray.rounding();
        let found = found?;
        let (point, value, gradient) = ray.accept(found.step);
        let after = Iterate { point, value, gradient };
        if !after.is_finite() {
            return Err(SearchFailure::NonFinite);
        }
        let (mut step, mut change) = (vec![T::ZERO; direction.len()], vec![T::ZERO; direction.len()]);
        vector::subtract(&after.point, &at.point, &mut step);
        let length = vector::norm(&step);
        state.idle = if at.is_idle(&after, found.satisfied) { state.idle.saturating_add(1) } else { 0 };
        if length == 0.0 || state.idle > IDLE {
            return Err(SearchFailure::NoProgress);
        }
        vector::subtract(&after.gradient, &at.gradient, &mut change);
        let taken =
            Taken { alpha: found.step, direction, step: &step, change: &change, before: at, after: &after };
        self.direction.learn(&mut state.memory, &taken);
        *at = after;
        Ok(length)
    }
}

/// Refuses objectives without a Hessian.
pub(super) fn need_hessian<T: Float>(
    method: &'static str,
    problem: &Counted<'_, T>,
    at: &Iterate<T>,
) -> Result<(), MinimizeError> {
    match problem.hessian(&at.point) {
        Some(_) => Ok(()),
        None => Err(MinimizeError::Missing { method, what: "a Hessian" }),
    }
}

/// Shortens a direction to length 1 whose slope is beyond the range of numbers; by what it was divided.
fn into_range<T: Float>(gradient: &[T], direction: &mut [T]) -> f64 {
    let size = vector::norm(direction);
    if size.is_finite() && vector::dot(gradient, direction).is_infinite() {
        direction.iter_mut().for_each(|d| *d = T::from_f64(d.to_f64() / size));
        size
    } else {
        1.0
    }
}

/// Whether gᵀd is negative beyond rounding, relative to the lengths.
fn is_descent<T: Float>(gradient: &[T], direction: &[T]) -> bool {
    let slope = vector::dot(gradient, direction);
    slope < -rounding::of_product::<T>(vector::norm(gradient), vector::norm(direction))
}

/// Whether d is along −g.
fn is_steepest<T: Float>(gradient: &[T], direction: &[T]) -> bool {
    let lengths = vector::norm(gradient) * vector::norm(direction);
    vector::dot(gradient, direction) <= -(1.0 - 1e-12) * lengths
}
