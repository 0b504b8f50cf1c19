//! Stochastic L-BFGS.

use serde::{Deserialize, Serialize};

use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::linear::CurvaturePairs;
use crate::minimize::method::Method;
use crate::minimize::objective::{Counted, Counts, Curvatures, Objective};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};

/// Stochastic L-BFGS (Byrd, Hansen, Nocedal and Singer, 2016) for objectives that are means over
/// [mini-batches](Objective::batch): gradients of one batch a step, and curvature pairs from Hessian products of another
/// batch with the difference of averaged iterates, which noise does not spoil.
///
/// An iteration is one epoch of [`steps`](Self::steps) steps, after which value and gradient of the whole objective are
/// taken for the convergence test and the trace. Batches without a Hessian give pairs from differences of their gradients.
///
/// ```
/// use wengert_optim::{Batched, Method, Problem, StochasticLbfgs};
/// // The mean of ½(x − 1)² and ½(x − 3)², one of them a step.
/// let part = |c: f64| Problem::new(1, move |x: &[f64]| 0.5 * (x[0] - c).powi(2))
///     .with_gradient(move |x, g| g[0] = x[0] - c)
///     .with_hvp(|_, v, out| out[0] = v[0]);
/// let mean = Batched::mean(vec![part(1.0), part(3.0)], &[1, 1]);
/// let outcome = StochasticLbfgs { steps: 10, pair_every: 2, ..StochasticLbfgs::default() }.minimize(&mean, &[10.0])?;
/// assert!((outcome.point[0] - 2.0).abs() < 0.2);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StochasticLbfgs {
    /// The first step size. Scaled by the inverse Hessian it is of the order of 1; before there are pairs, the step along
    /// a gradient has this length; 0.1.
    pub learning_rate: f64,
    /// Step k is `learning_rate`/(1 + `decay` · epoch); 0.1.
    pub decay: f64,
    /// Steps an epoch: the number of batches, usually; 100.
    pub steps: u64,
    /// Steps between two pairs; 10.
    pub pair_every: u64,
    /// Pairs remembered; 10.
    pub history: usize,
    /// When to stop.
    pub stopping: Stopping,
}

impl Default for StochasticLbfgs {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            decay: 0.1,
            steps: 100,
            pair_every: 10,
            history: 10,
            stopping: Stopping { max_iterations: 100, ..Stopping::default() },
        }
    }
}

/// What [`StochasticLbfgs`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct StochasticState<T: Float> {
    pairs: CurvaturePairs<T>,
    /// Steps so far.
    step: u64,
    epoch: u64,
    /// The mean of the iterates before the last pair; empty before the first.
    #[serde(with = "vector::serde")]
    anchor: Vec<T>,
    /// The sum of the iterates since.
    #[serde(with = "vector::serde")]
    sum: Vec<T>,
}

impl<T: Float> Method<T> for StochasticLbfgs {
    type State = StochasticState<T>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("learning_rate", self.learning_rate, "positive", |r| {
            r > 0.0 && r.is_finite()
        })?;
        MinimizeError::require("decay", self.decay, "at least 0", |d| d >= 0.0 && d.is_finite())?;
        MinimizeError::at_least_one("steps", Some(self.steps))?;
        MinimizeError::at_least_one("pair_every", Some(self.pair_every))?;
        MinimizeError::at_least_one("history", Some(self.history as u64))
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        state.pairs.check(dimension)?;
        Field("anchor").vector_or_empty(&state.anchor, dimension)?;
        Field("sum").vector(&state.sum, dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        if problem.batch(0).is_none() {
            return Err(MinimizeError::Missing { method: "StochasticLbfgs", what: "mini-batches" });
        }
        Ok(StochasticState {
            pairs: CurvaturePairs::new(at.point.len(), self.history),
            step: 0,
            epoch: 0,
            anchor: Vec::new(),
            sum: vec![T::ZERO; at.point.len()],
        })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        let rate = self.learning_rate / (1.0 + self.decay * state.epoch as f64);
        let mut shrink = 1.0;
        for _ in 0..20 {
            problem.granted()?;
            let mut point = at.point.clone();
            self.epoch(problem, &mut point, state, shrink * rate);
            let next = Iterate::at(problem, point);
            if next.is_finite() {
                state.epoch = state.epoch.saturating_add(1);
                return Ok(at.move_to(next));
            }
            // Thrown out of the domain: again from the epoch's start, with nothing learned and smaller steps.
            state.pairs.clear();
            state.anchor.clear();
            state.sum.fill(T::ZERO);
            shrink *= 0.25;
        }
        Err(at.stuck(at.is_defined(problem), vector::norm(&at.gradient)))
    }
}

impl StochasticLbfgs {
    fn epoch<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        x: &mut [T],
        state: &mut StochasticState<T>,
        rate: f64,
    ) {
        let mut direction = vec![T::ZERO; x.len()];
        for _ in 0..self.steps {
            if problem.exhausted() {
                return;
            }
            let Some(batch) = problem.batch(state.step) else { return };
            problem.part(&*batch).value_and_gradient(x, &mut direction);
            state.step = state.step.saturating_add(1);
            let scale = if state.pairs.is_empty() {
                let norm = vector::norm(&direction);
                if norm > 0.0 { rate / norm } else { 0.0 }
            } else {
                state.pairs.apply_in_place(&mut direction);
                rate
            };
            vector::axpy(-scale, &direction, x);
            vector::axpy(1.0, x, &mut state.sum);
            if state.step.is_multiple_of(self.pair_every) {
                self.learn(problem, state);
            }
        }
    }

    /// A pair from the means of the last two stretches of iterates.
    fn learn<T: Float>(&self, problem: &Counted<'_, T>, state: &mut StochasticState<T>) {
        vector::scale(1.0 / self.pair_every as f64, &mut state.sum);
        let zeros = vec![T::ZERO; state.sum.len()];
        let mean = std::mem::replace(&mut state.sum, zeros);
        let before = std::mem::replace(&mut state.anchor, mean);
        if before.is_empty() {
            return;
        }
        let Some(batch) = problem.batch(state.step) else { return };
        let (mut s, mut y) = (state.anchor.clone(), vec![T::ZERO; state.anchor.len()]);
        vector::axpy(-1.0, &before, &mut s);
        if let Some(hessian) = batch.hessian(&state.anchor) {
            hessian.apply(&s, &mut y);
            problem.add(Counts { products: 1, ..Counts::default() });
        } else {
            let mut old = y.clone();
            batch.gradient(&state.anchor, &mut y);
            batch.gradient(&before, &mut old);
            vector::axpy(-1.0, &old, &mut y);
            problem.add(Counts { gradients: 2, ..Counts::default() });
        }
        state.pairs.push(&s, &y);
    }
}
