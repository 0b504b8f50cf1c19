//! Proximable terms, and the proximal gradient method.

use crate::minimize::rounding;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::minimize::bounds::Bounds;
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::method::Method;
use crate::minimize::noise::{Noise, is_short};
use crate::minimize::objective::{Counted, Objective};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float, dot};

/// A convex term h whose proximal map is cheap.
///
/// ```
/// use wengert_optim::constrained::{ProjectedGradient, Proximable};
/// use wengert_optim::{Method, Problem};
/// /// The ball of radius 1.
/// #[derive(Debug)]
/// struct Ball;
/// impl Proximable<f64> for Ball {
///     fn value(&self, x: &[f64]) -> f64 {
///         if wengert_optim::vector::norm(x) <= 1.0 + 1e-12 { 0.0 } else { f64::INFINITY }
///     }
///     fn proximal(&self, x: &mut [f64], _: f64) {
///         let length = wengert_optim::vector::norm(x);
///         wengert_optim::vector::scale(1.0 / length.max(1.0), x);
///     }
/// }
/// // The nearest point to (3, 4).
/// let f = Problem::new(2, |x: &[f64]| 0.5 * ((x[0] - 3.0).powi(2) + (x[1] - 4.0).powi(2)))
///     .with_gradient(|x, g| { g[0] = x[0] - 3.0; g[1] = x[1] - 4.0; });
/// let outcome = ProjectedGradient::new(Ball).minimize(&f, &[0.0, 0.0])?;
/// assert!((outcome.point[0] - 0.6).abs() < 1e-6 && (outcome.point[1] - 0.8).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub trait Proximable<T: Float>: std::fmt::Debug + Send + Sync {
    /// h(x); infinite outside the domain.
    fn value(&self, x: &[T]) -> f64;
    /// x ← argmin_z h(z) + ‖z − x‖²/(2t).
    fn proximal(&self, x: &mut [T], t: f64);
    /// Whether the term makes sense for `dimension` variables; yes by default.
    ///
    /// # Errors
    /// If not: minimisations do not start then.
    fn check(&self, _dimension: usize) -> Result<(), MinimizeError> {
        Ok(())
    }
}

/// λ‖x‖₁: its proximal map is soft thresholding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L1(pub f64);

impl<T: Float> Proximable<T> for L1 {
    fn value(&self, x: &[T]) -> f64 {
        add_l1(0.0, self.0, x)
    }
    fn proximal(&self, x: &mut [T], t: f64) {
        let threshold = T::from_f64(self.0 * t);
        for x in x {
            *x = x.sign() * (x.abs() - threshold).maximum(T::ZERO);
        }
    }
    fn check(&self, _: usize) -> Result<(), MinimizeError> {
        check_weight::<T>(self.0)
    }
}

/// The indicator of the box: its proximal map is the projection.
impl<T: Float> Proximable<T> for Bounds<T> {
    fn value(&self, x: &[T]) -> f64 {
        let inside = x.iter().zip(self.lower()).zip(self.upper()).all(|((x, l), u)| l <= x && x <= u);
        if inside { 0.0 } else { f64::INFINITY }
    }
    fn proximal(&self, x: &mut [T], _: f64) {
        self.project(x);
    }
    fn check(&self, dimension: usize) -> Result<(), MinimizeError> {
        MinimizeError::length("the bounds", self.lower().len(), dimension)
    }
}

/// Refuses a factor λ on an L1 term that is negative or, in the precision of `T`, not finite.
pub(super) fn check_weight<T: Float>(lambda: f64) -> Result<(), MinimizeError> {
    MinimizeError::require("lambda", lambda, "at least 0", |l| l >= 0.0 && T::from_f64(l).is_finite())
}

/// Moves a start outside of the domain of a term into it.
pub(super) fn place<T: Float>(term: &dyn Proximable<T>, start: &mut [T]) -> Result<(), MinimizeError> {
    term.check(start.len())?;
    if !term.value(start).is_finite() {
        term.proximal(start, 1.0);
    }
    Ok(())
}

/// A first move of length about 1.
pub(super) fn first_step(norm: f64) -> f64 {
    let step = norm.recip();
    if step.is_finite() && step > 0.0 { step } else { 1.0 }
}

/// prox(x − t ∇f), and how far that is from x.
pub(super) fn proximal_step<T: Float>(term: &dyn Proximable<T>, at: &Iterate<T>, t: f64) -> (Vec<T>, Vec<T>) {
    let mut point = at.point.clone();
    vector::axpy(-t, &at.gradient, &mut point);
    term.proximal(&mut point, t);
    let mut step = point.clone();
    vector::axpy(-1.0, &at.point, &mut step);
    (point, step)
}

/// The part of a first step, of length about 1, by which the gradient map is told before any step was tried.
const UNTRIED: f64 = 1e-3;

pub(super) fn add_l1<T: Float>(value: f64, lambda: f64, x: &[T]) -> f64 {
    if lambda == 0.0 { value } else { value + lambda * vector::norm_1(x) }
}

/// Proximal gradient for f + h with smooth f and [`Proximable`] h; accelerated it is FISTA (Beck and Teboulle, 2009), with
/// backtracking and O'Donoghue and Candès's restart where the value rises.
///
/// The outcome's value includes h; its gradient is that of f alone; the norm is that of the gradient map (x − prox(x − t∇f))/t
/// for the step t taken last, or before the first move for a short one.
///
/// ```
/// use wengert_optim::constrained::{L1, ProximalGradient};
/// use wengert_optim::{Method, Problem};
///
/// let f = Problem::new(2, |x: &[f64]| 0.5 * ((x[0] - 3.0).powi(2) + 9.0 * (x[1] - 0.1).powi(2)))
///     .with_gradient(|x, g| { g[0] = x[0] - 3.0; g[1] = 9.0 * (x[1] - 0.1); });
/// let outcome = ProximalGradient::new(L1(1.0)).minimize(&f, &[1.0, 1.0])?;
/// assert!(outcome.converged() && outcome.point[1] == 0.0 && (outcome.point[0] - 2.0).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProximalGradient<T> {
    /// h.
    pub term: Arc<dyn Proximable<T>>,
    /// Whether to accelerate (FISTA); yes.
    pub accelerated: bool,
    /// When to stop.
    pub stopping: Stopping,
}

impl<T: Float> ProximalGradient<T> {
    /// FISTA with default settings.
    pub fn new(term: impl Proximable<T> + 'static) -> Self {
        Self { term: Arc::new(term), accelerated: true, stopping: Stopping::default() }
    }
}

/// What [`ProximalGradient`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ProximalState<T: Float> {
    /// The step size t.
    step: f64,
    /// Whether a step of that size was taken.
    tried: bool,
    momentum: f64,
    #[serde(with = "vector::serde")]
    previous: Vec<T>,
}

impl<T: Float> Method<T> for ProximalGradient<T> {
    type State = ProximalState<T>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn place(&self, start: &mut [T]) -> Result<(), MinimizeError> {
        place(&*self.term, start)
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        self.term.check(dimension)?;
        Field("step").positive(state.step)?;
        Field("momentum").holds(state.momentum, "at least 1", state.momentum >= 1.0)?;
        Field("previous").vector(&state.previous, dimension)
    }

    fn begin(&self, _: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        let step = first_step(vector::norm(&at.gradient));
        at.value += self.term.value(&at.point);
        Ok(ProximalState { step, tried: false, momentum: 1.0, previous: at.point.clone() })
    }

    fn optimality(&self, at: &Iterate<T>, state: &Self::State) -> f64 {
        // A step that is too long for the curvature makes the gradient map small, and before the first move t is a guess.
        let t = if state.tried { state.step } else { UNTRIED * state.step };
        // Over a step so short that it is lost in the rounding of x every map is 0.
        let seen = rounding::half_digits::<T>() * vector::norm(&at.point) / vector::norm(&at.gradient);
        let t = if seen.is_finite() { t.max(seen) } else { t };
        vector::norm_inf(&proximal_step(&*self.term, at, t).1) / t
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        // The extrapolated point y and f, ∇f there.
        let next_momentum = 0.5 * (1.0 + (1.0 + 4.0 * state.momentum * state.momentum).sqrt());
        let weight = if self.accelerated { (state.momentum - 1.0) / next_momentum } else { 0.0 };
        let smooth = at.value - self.term.value(&at.point);
        let mut y = Iterate { value: smooth, ..at.clone() };
        if weight > 0.0 {
            let mut point = at.point.clone();
            vector::scale(1.0 + weight, &mut point);
            vector::axpy(-weight, &state.previous, &mut point);
            let extrapolated = Iterate::at(problem, point);
            if extrapolated.is_finite() {
                y = extrapolated;
            }
        }
        let noise = Noise::of::<T>(y.value);
        // Steps may grow again, slowly.
        let mut t = 1.1 * state.step;
        let mut seen_finite = false;
        for _ in 0..80 {
            problem.granted()?;
            let (point, step) = proximal_step(&*self.term, &y, t);
            let length = vector::norm(&step);
            let value = problem.value(&point);
            seen_finite |= value.is_finite();
            let excess = value - (y.value + dot(&y.gradient, &step) + dot(&step, &step) / (2.0 * t));
            if value == f64::NEG_INFINITY {
                return Err(Reason::Unbounded);
            }
            if noise.allows(excess) {
                let mut gradient = vec![T::ZERO; point.len()];
                problem.gradient(&point, &mut gradient);
                let next = Iterate { value: value + self.term.value(&point), point, gradient };
                // What only rounding allows must shrink the gradient map, as it does where gradients are true.
                let shrank = || vector::norm(&proximal_step(&*self.term, &next, t).1) < length;
                if next.is_finite() && (excess <= 0.0 || shrank()) {
                    return Ok(self.accept(at, state, next, t, next_momentum));
                }
            }
            if is_short(length, &y.point) {
                break;
            }
            t *= 0.5;
        }
        Err(at.stuck(seen_finite, self.optimality(at, state)))
    }
}

impl<T: Float> ProximalGradient<T> {
    fn accept(
        &self,
        at: &mut Iterate<T>,
        state: &mut ProximalState<T>,
        next: Iterate<T>,
        t: f64,
        momentum: f64,
    ) -> f64 {
        let mut step = next.point.clone();
        vector::axpy(-1.0, &at.point, &mut step);
        (state.step, state.tried) = (t, true);
        // Momentum that leads uphill is dropped.
        state.momentum = if next.value > at.value { 1.0 } else { momentum };
        let old = std::mem::replace(at, next);
        state.previous = if state.momentum == 1.0 { at.point.clone() } else { old.point };
        vector::norm(&step)
    }
}
