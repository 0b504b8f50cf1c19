//! The K-FAC optimiser.

mod step;

use serde::{Deserialize, Serialize};

use crate::minimize::damped::curvature_scale;
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::method::Method;
use crate::minimize::noise::Noise;
use crate::minimize::objective::{Counted, Counts, Curvatures, Objective};
use crate::minimize::operator::{Kronecker, KroneckerInverse, Operator};
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::vector::{self, Float};
use step::Step;

/// K-FAC (Martens and Grosse, 2015): steps along −(K + λI)⁻¹g, with K the [Kronecker-factored](Kronecker) curvature averaged over
/// the steps, and its length and that of the momentum set by minimising the model with the exact Gauss–Newton
/// matrix, damped by λ. λ follows the ratio of actual to predicted reduction (Levenberg–Marquardt).
///
/// With [mini-batches](Objective::batch) each step has its own, for gradient, factors, products and values alike; an iteration is
/// [`steps`](Self::steps) steps, after which value and gradient of the whole objective are taken for the convergence test and the
/// trace. Without, an iteration is one step that lowers f.
///
/// A step costs a gradient, one value and two products, and every [`factors_every`](Self::factors_every) steps the factors and every
/// [`inverse_every`](Self::inverse_every) their inverses, which are cubic in the widths of the layers. Without a Gauss–Newton
/// matrix, K takes its place in the products. A quadratic penalty is handled exactly if the objective has it in
/// its gradient, its Gauss–Newton matrix and its [Kronecker matrix](Kronecker::shifted).
///
/// ```
/// use wengert_optim::{CurvatureAt, Kfac, Kronecker, KroneckerBlock, Method, Objective, Want};
/// /// ½ · 3 · (w − 1)² of the one weight of a layer, whose factors are A = 3 and G = 1.
/// struct Layer;
/// impl Objective<f64> for Layer {
///     fn dimension(&self) -> usize { 1 }
///     fn value(&self, w: &[f64]) -> f64 { 1.5 * (w[0] - 1.0).powi(2) }
///     fn value_and_gradient(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
///         gradient[0] = 3.0 * (w[0] - 1.0);
///         self.value(w)
///     }
///     fn curvature(&self, want: Want, _: &[f64]) -> Option<CurvatureAt<'_, f64>> {
///         let block = KroneckerBlock::new(0, None, vec![3.0], vec![1.0]);
///         matches!(want, Want::Kronecker { .. })
///             .then(|| CurvatureAt::Kronecker(Kronecker::new(1, vec![block], vec![])))
///     }
/// }
/// assert!((Kfac::default().minimize(&Layer, &[5.0])?.point[0] - 1.0).abs() < 1e-5);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kfac {
    /// The first damping λ, relative to ‖K g‖/‖g‖; 0.1.
    pub initial: f64,
    /// The least damping, on the same scale; 1e-6. On mini-batches, whose models are good on them alone, λ would fall for
    /// ever.
    pub least: f64,
    /// The largest decay of the averaged factors: that of the k-th estimate is min(1 − 1/k, this); 0.95. The factors of an
    /// objective without mini-batches are as old as that too.
    pub decay: f64,
    /// Steps from one estimate of the factors to the next; 5. The first three steps have their own.
    pub factors_every: u64,
    /// Steps from one inversion to the next; 20. The first three steps have their own.
    pub inverse_every: u64,
    /// Steps from one adaptation of λ to the next, each by up to (19/20) to this power; 5.
    pub adapt_every: u64,
    /// Whether the last step takes part in the next; on.
    pub momentum: bool,
    /// Steps an iteration, if there are mini-batches: the number of batches, usually; 100.
    pub steps: u64,
    /// When to stop.
    pub stopping: Stopping,
}

impl Default for Kfac {
    fn default() -> Self {
        Self {
            initial: 0.1,
            least: 1e-6,
            decay: 0.95,
            factors_every: 5,
            inverse_every: 20,
            adapt_every: 5,
            momentum: true,
            steps: 100,
            stopping: Stopping::default(),
        }
    }
}

/// What [`Kfac`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KfacState<T: Float> {
    /// Averaged.
    factors: Kronecker<T>,
    /// Of the factors at some earlier step, with the damping of then.
    inverse: Option<KroneckerInverse<T>>,
    damping: f64,
    scale: f64,
    /// Steps so far.
    step: u64,
    /// Estimates in the averages.
    estimates: u64,
    /// The last step.
    #[serde(with = "vector::serde")]
    last: Vec<T>,
}

impl<T: Float> KfacState<T> {
    /// The damping λ in force.
    pub fn damping(&self) -> f64 {
        self.damping
    }

    fn next_step(&mut self) {
        self.step = self.step.saturating_add(1);
    }

    fn raise(&mut self, factor: f64) {
        self.damping = factor * self.damping.max(1e-10 * self.scale);
        self.inverse = None;
        self.last.fill(T::ZERO);
    }
}

impl<T: Float> Method<T> for Kfac {
    type State = KfacState<T>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("initial", self.initial, "positive", |i| i > 0.0 && i.is_finite())?;
        MinimizeError::require("least", self.least, "at least 0", |l| l >= 0.0 && l.is_finite())?;
        MinimizeError::require("decay", self.decay, "in [0, 1)", |d| (0.0..1.0).contains(&d))?;
        for (name, every) in [
            ("factors_every", self.factors_every),
            ("inverse_every", self.inverse_every),
            ("adapt_every", self.adapt_every),
            ("steps", self.steps),
        ] {
            MinimizeError::at_least_one(name, Some(every))?;
        }
        Ok(())
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        state.factors.check(dimension)?;
        state.inverse.as_ref().map_or(Ok(()), |inverse| inverse.check(dimension))?;
        Field("damping").non_negative(state.damping)?;
        Field("scale").positive(state.scale)?;
        Field("last").vector(&state.last, dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        let first = match problem.batch(0) {
            Some(batch) => {
                problem.add(Counts { gradients: 1, ..Counts::default() });
                batch.kronecker(&at.point, 0)
            }
            None => problem.kronecker(&at.point, 0),
        };
        let factors = first.ok_or(MinimizeError::Missing { method: "Kfac", what: "Kronecker factors" })?;
        MinimizeError::length("the Kronecker factors", factors.dimension(), at.point.len())?;
        let scale = curvature_scale(&factors, at);
        Ok(KfacState {
            factors,
            inverse: None,
            damping: self.initial * scale,
            scale,
            step: 0,
            estimates: 1,
            last: vec![T::ZERO; at.point.len()],
        })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        if problem.batch(state.step).is_some() {
            self.advance_by_batches(problem, at, state)
        } else {
            self.advance_on_the_whole(problem, at, state)
        }
    }
}

impl Kfac {
    fn advance_on_the_whole<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut KfacState<T>,
    ) -> Result<f64, Reason> {
        let (mut seen_finite, mut seen_flat) = (false, false);
        let noise = Noise::of::<T>(at.value);
        // Whether the first step had anything to gain.
        let mut hopeless = None;
        for _ in 0..40 {
            problem.granted()?;
            let step = self.step(problem, at, state);
            state.next_step();
            match step {
                Step::To { point, value, flat } => {
                    seen_finite = true;
                    let mut gradient = vec![T::ZERO; point.len()];
                    problem.gradient(&point, &mut gradient);
                    // Where the fall of f drowns in rounding, the gradient must shrink.
                    let shrank = !flat || vector::norm(&gradient) < vector::norm(&at.gradient);
                    if vector::all_finite(&gradient) && shrank {
                        *at = Iterate { point, value, gradient };
                        return Ok(vector::norm(&state.last));
                    }
                    hopeless.get_or_insert(flat);
                    // Once more without momentum, and that is the end.
                    if flat && std::mem::replace(&mut seen_flat, true) {
                        break;
                    }
                }
                Step::None { finite, predicted } => {
                    hopeless.get_or_insert(noise.covers(predicted, f64::INFINITY, &at.point));
                    seen_finite |= finite;
                }
            }
            state.raise(4.0);
        }
        Err(Reason::stuck(seen_finite, hopeless.unwrap_or(false)))
    }

    fn advance_by_batches<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut KfacState<T>,
    ) -> Result<f64, Reason> {
        for _ in 0..20 {
            problem.granted()?;
            let mut point = at.point.clone();
            for _ in 0..self.steps {
                problem.granted()?;
                let Some(batch) = problem.batch(state.step) else { break };
                let part = problem.part(&*batch);
                let here = Iterate::at(&part, point);
                // Nothing to be had from this batch, and nothing wrong with the damping.
                let stationary = vector::norm_inf(&here.gradient) == 0.0;
                let step = if here.is_finite() && !stationary {
                    self.step(&part, &here, state)
                } else {
                    Step::None { finite: here.is_finite(), predicted: 0.0 }
                };
                state.next_step();
                point = match step {
                    Step::To { point, .. } => point,
                    Step::None { .. } => {
                        if !stationary {
                            state.raise(1.5);
                        }
                        here.point
                    }
                };
            }
            let next = Iterate::at(problem, point);
            if next.is_finite() {
                return Ok(at.move_to(next));
            }
            // Thrown out of the domain: again from the iteration's start, with smaller steps.
            state.raise(10.0);
        }
        Err(at.stuck(at.is_defined(problem), vector::norm(&at.gradient)))
    }
}
