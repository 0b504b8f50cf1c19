//! Hessian-free optimisation.

use crate::minimize::rounding;
use serde::{Deserialize, Serialize};

use super::{ANY_FALL, curvature_scale};
use crate::minimize::error::MinimizeError;
use crate::minimize::field::Field;
use crate::minimize::forcing::Forcing;
use crate::minimize::linear::{Bend, Conjugate, InUnits};
use crate::minimize::method::Method;
use crate::minimize::objective::{Counted, Curvatures, Objective};
use crate::minimize::operator::{Damped, Operator};
use crate::minimize::outcome::Reason;
use crate::minimize::preconditioning::{Preconditioning, PreconditioningMemory};
use crate::minimize::probe::{CurvatureProbe, Escape};
use crate::minimize::run::Iterate;
use crate::minimize::stopping::Stopping;
use crate::minimize::trial::{Trial, Trials};
use crate::minimize::vector::{self, Float, axpy, dot};

/// Hessian-free optimisation (Martens, 2010): conjugate gradients on the damped generalised Gauss–Newton matrix, stopped
/// when the model's progress slows, started from the last solution, and gone back through until the objective agrees.
///
/// Value and gradient are those of the whole objective; with [`curvature_batches`](Self::curvature_batches) the products are
/// over one [mini-batch](Objective::batch) an iteration. For objectives without a Gauss–Newton matrix their Hessian
/// serves, with the damping raised where its curvature is negative.
///
/// ```
/// use wengert_optim::{HessianFree, LeastSquares, Method};
/// // eᵃ = 2, by the Gauss–Newton matrix of the one residual.
/// let fit = LeastSquares::new(1, 1, |a: &[f64], r| r[0] = a[0].exp() - 2.0, |a, j| j[0] = a[0].exp());
/// let outcome = HessianFree { max_products: 20, ..HessianFree::default() }.minimize(&fit, &[0.0])?;
/// assert!((outcome.point[0] - 2f64.ln()).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HessianFree {
    /// The first damping λ, relative to ‖G g‖/‖g‖; 0.1.
    pub initial: f64,
    /// The factor on the last solution that starts the next; 0.95. 0 for no warm start.
    pub warm_start: f64,
    /// Conjugate gradients stop when their progress per iteration over the last max(10, k/10) falls below this fraction;
    /// 5e-4. But for products of mini-batches they also stop at a residual of min(½, √(‖g‖/‖g₀‖)) of the gradient.
    pub progress: f64,
    /// Products a step; 250.
    pub max_products: usize,
    /// Takes products from mini-batches, where the objective has them; off.
    pub curvature_batches: bool,
    /// How conjugate gradients are preconditioned; the [objective's own](crate::Preconditioned) does not see the damping.
    pub preconditioning: Preconditioning,
    /// When to stop.
    pub stopping: Stopping,
    /// The test for a saddle before convergence is claimed, by the Hessian where the objective has one.
    pub probe: CurvatureProbe,
}

impl Default for HessianFree {
    fn default() -> Self {
        Self {
            initial: 0.1,
            warm_start: 0.95,
            progress: 5e-4,
            max_products: 250,
            curvature_batches: false,
            preconditioning: Preconditioning::default(),
            stopping: Stopping::default(),
            probe: CurvatureProbe::default(),
        }
    }
}

/// What [`HessianFree`] remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct HessianFreeState<T: Float> {
    damping: f64,
    scale: f64,
    iteration: u64,
    /// The last solution.
    #[serde(with = "vector::serde")]
    solution: Vec<T>,
    preconditioning: PreconditioningMemory<T>,
    forcing: Forcing,
}

/// What conjugate gradients have gone through.
struct Path<T> {
    iterates: Vec<Kept<T>>,
    /// How negative the curvature was that stopped them, if that did.
    below: f64,
}

/// An iterate of conjugate gradients.
struct Kept<T> {
    step: Vec<T>,
    /// By how much f would fall if it were the quadratic model without its damping.
    predicted: f64,
}

impl<T: Float> Method<T> for HessianFree {
    type State = HessianFreeState<T>;

    fn stopping(&self) -> &Stopping {
        &self.stopping
    }

    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }

    fn validate(&self) -> Result<(), MinimizeError> {
        MinimizeError::require("initial", self.initial, "positive", |i| i > 0.0 && i.is_finite())?;
        MinimizeError::require("warm_start", self.warm_start, "in [0, 1]", |w| (0.0..=1.0).contains(&w))?;
        MinimizeError::require("progress", self.progress, "in (0, 1)", |p| p > 0.0 && p < 1.0)?;
        MinimizeError::at_least_one("max_products", Some(self.max_products as u64))?;
        self.preconditioning.validate()
    }

    fn check(&self, state: &Self::State, dimension: usize) -> Result<(), MinimizeError> {
        Field("damping").non_negative(state.damping)?;
        Field("scale").positive(state.scale)?;
        Field("solution").vector(&state.solution, dimension)?;
        state.forcing.check()?;
        state.preconditioning.check(dimension)
    }

    fn begin(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>) -> Result<Self::State, MinimizeError> {
        let operator = curvature(problem, &at.point).ok_or(MinimizeError::Missing {
            method: "HessianFree",
            what: "a Gauss–Newton matrix or a Hessian",
        })?;
        let scale = curvature_scale(&*operator, at);
        let solution = vec![T::ZERO; at.point.len()];
        Ok(HessianFreeState {
            damping: self.initial * scale,
            scale,
            iteration: 0,
            solution,
            forcing: Forcing::begin(at),
            preconditioning: PreconditioningMemory::begin(self.preconditioning, problem, at)?,
        })
    }

    fn advance(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut Self::State,
    ) -> Result<f64, Reason> {
        let batch = if self.curvature_batches { problem.batch(state.iteration) } else { None };
        state.iteration = state.iteration.saturating_add(1);
        let Some(batch) = batch else {
            let operator = curvature(problem, &at.point).ok_or(Reason::NonFinite)?;
            return self.step(problem, at, state, &*operator, true);
        };
        let part = problem.part(&*batch);
        let operator = curvature(&part, &at.point).ok_or(Reason::NonFinite)?;
        self.step(problem, at, state, &*operator, false)
    }

    fn escape(&self, problem: &Counted<'_, T>, at: &mut Iterate<T>, state: &mut Self::State) -> Escape {
        let escape = self.probe.escape(problem, at);
        if escape.step.is_some() {
            state.solution.fill(T::ZERO);
        }
        escape
    }
}

fn curvature<'a, T: Float>(problem: &'a Counted<'_, T>, x: &[T]) -> Option<Box<dyn Operator<T> + 'a>> {
    problem.gauss_newton(x).or_else(|| problem.hessian(x))
}

impl HessianFree {
    /// One iteration with `operator` for the curvature, that of the `whole` objective or of a batch.
    fn step<T: Float>(
        &self,
        problem: &Counted<'_, T>,
        at: &mut Iterate<T>,
        state: &mut HessianFreeState<T>,
        operator: &dyn Operator<T>,
        whole: bool,
    ) -> Result<f64, Reason> {
        let mut trials = Trials::new(problem, at, ANY_FALL);
        // Steps of a batch are no better for being exact, and the damping for it must not fall at once.
        let tolerance = if whole { state.forcing.since_the_start(problem, at) } else { 0.0 };
        let mut gentle = false;
        for _ in 0..60 {
            problem.granted()?;
            let shifted = Damped::new(operator, state.damping);
            vector::scale(self.warm_start, &mut state.solution);
            let (inverse, matrix) =
                state.preconditioning.split(self.preconditioning, problem, &at.point, shifted);
            let Path { iterates: path, below } = self.conjugate_gradients(
                &matrix,
                inverse.as_deref(),
                &at.gradient,
                state.damping,
                tolerance,
                &mut state.solution,
            )?;
            let raised = 1.5 * state.damping.max(1e-10 * state.scale);
            let Some(last) = path.last() else {
                // Negative curvature at once: more damping.
                state.damping = (4.0 * raised).max(state.damping + 2.0 * below);
                state.solution.fill(T::ZERO);
                continue;
            };
            state.solution.clone_from(&last.step);
            let (trial, step) = backtrack(&mut trials, &path)?;
            if below > 0.0 {
                state.damping += 2.0 * below;
            } else if trial.ratio < 0.25 || trial.ratio.is_nan() {
                state.damping = raised;
            } else if trial.ratio > 0.9 && whole {
                state.damping *= 0.1;
            } else if trial.ratio > 0.75 {
                state.damping *= 2.0 / 3.0;
            }
            if trial.accepted {
                *at = trial.into_iterate();
                return Ok(vector::norm(&step));
            }
            state.damping = state.damping.max(4.0 * raised);
            state.solution.fill(T::ZERO);
            if trial.is_flat() {
                // Steps of a batch may be too long for the gradient to shrink, too short for f to tell: the last is one whose
                // length the whole objective's curvature gives.
                let last = if whole || gentle { None } else { curvature(problem, &at.point) };
                let Some(curvature) = last else { break };
                gentle = true;
                state.damping = state.damping.max(2.0 * curvature_scale(&*curvature, at));
            }
        }
        Err(trials.stuck())
    }

    /// Minimises ½ xᵀAx + gᵀx from `x`, which it overwrites; returns ever later iterates, spaced geometrically, the last
    /// one last. Fails on a preconditioner that is not positive definite.
    fn conjugate_gradients<T: Float>(
        &self,
        a: &dyn Operator<T>,
        inverse: Option<&dyn Operator<T>>,
        gradient: &[T],
        damping: f64,
        tolerance: f64,
        x: &mut [T],
    ) -> Result<Path<T>, Reason> {
        if let Some(system) = InUnits::of(a, gradient) {
            let damping = damping / system.unit;
            let mut path =
                self.conjugate_gradients(&system, inverse, &system.vector, damping, tolerance, x)?;
            path.below *= system.unit;
            path.iterates.iter_mut().for_each(|kept| kept.predicted *= system.unit);
            return Ok(path);
        }
        let mut below = 0.0;
        let model = Model { gradient };
        let mut gradients = Conjugate::new(model.start(a, x), inverse);
        let target = rounding::relative::<T>(1.0).max(tolerance) * vector::norm(gradient);
        let mut values = vec![model.value(x, &gradients.residual)];
        let mut spaced = Spaced { damping, kept: Vec::new(), next: 1.0 };
        for k in 1..=self.max_products {
            if !gradients.rz.is_finite() || gradients.rz < 0.0 {
                if vector::all_finite(&gradients.residual) {
                    return Err(Reason::IndefinitePreconditioner);
                }
                break;
            }
            let alpha = match gradients.bend(a) {
                Bend::Positive(bend) => gradients.rz / bend,
                Bend::NotPositive(bend) => {
                    below = -bend / dot(&gradients.direction, &gradients.direction);
                    break;
                }
                Bend::NonFinite => break,
            };
            axpy(alpha, &gradients.direction, x);
            gradients.go_on(alpha);
            let value = model.value(x, &gradients.residual);
            values.push(value);
            let end = self.is_slow(&values)
                || (value < 0.0 && vector::norm(&gradients.residual) <= target)
                || k == self.max_products;
            spaced.note(k, end, x, value);
            if end {
                break;
            }
        }
        if spaced.kept.last().is_none_or(|last| last.step[..] != *x) {
            // Stopped by curvature between two kept iterates.
            if vector::norm_inf(x) > 0.0 {
                spaced.keep(x, model.value(x, &gradients.residual));
            }
        }
        Ok(Path { iterates: spaced.kept, below })
    }

    /// Whether the last tenth of the iterations, of which these are the model's values, has lowered it by too little.
    fn is_slow(&self, values: &[f64]) -> bool {
        let k = values.len() - 1;
        let (window, value) = ((k / 10).max(10), values[k]);
        k > window && value < 0.0 && (value - values[k - window]) / value < window as f64 * self.progress
    }
}

/// φ(x) = ½ xᵀAx + gᵀx.
struct Model<'a, T> {
    gradient: &'a [T],
}

impl<T: Float> Model<'_, T> {
    /// φ(x) = ½ (r + g)ᵀx, from the residual r = A x + g.
    fn value(&self, x: &[T], residual: &[T]) -> f64 {
        0.5 * (dot(residual, x) + dot(self.gradient, x))
    }

    /// The residual at the start x, which becomes 0 if a warm start is worse than none.
    fn start(&self, a: &dyn Operator<T>, x: &mut [T]) -> Vec<T> {
        let mut residual = vec![T::ZERO; x.len()];
        if vector::norm_inf(x) > 0.0 {
            a.apply(x, &mut residual);
        }
        axpy(1.0, self.gradient, &mut residual);
        if self.value(x, &residual) > 0.0 {
            x.fill(T::ZERO);
            residual.copy_from_slice(self.gradient);
        }
        residual
    }
}

/// The iterates that are kept: ever later ones.
struct Spaced<T> {
    damping: f64,
    kept: Vec<Kept<T>>,
    /// The number of the next one.
    next: f64,
}

impl<T: Float> Spaced<T> {
    /// An iterate, which may be the one to keep; the last is.
    fn note(&mut self, number: usize, last: bool, x: &[T], value: f64) {
        if last || number as f64 >= self.next {
            self.keep(x, value);
            self.next = (1.3 * self.next).ceil().max(self.next + 1.0);
        }
    }

    /// Its step, with −m(x) without the damping.
    fn keep(&mut self, x: &[T], value: f64) {
        let predicted = 0.5 * self.damping * dot(x, x) - value;
        self.kept.push(Kept { step: x.to_vec(), predicted });
    }
}

/// Goes back along the path while that lowers f; then halves the step while it does not lower f at all.
fn backtrack<T: Float>(
    trials: &mut Trials<'_, '_, T>,
    path: &[Kept<T>],
) -> Result<(Trial<T>, Vec<T>), Reason> {
    let (problem, at) = trials.around();
    let evaluate = |step: &[T]| {
        let mut point = at.point.clone();
        axpy(1.0, step, &mut point);
        let value = problem.value(&point);
        (value, point)
    };
    let mut best = path.len() - 1;
    let (mut value, mut point) = evaluate(&path[best].step);
    while best > 0 {
        // A fall that the model does not promise before is not looked for there.
        if at.value - value >= path[best - 1].predicted {
            break;
        }
        problem.granted()?;
        let (earlier, there) = evaluate(&path[best - 1].step);
        // Nor is a fall that may be rounding.
        let lower = value - earlier > trials.rounding();
        if value.is_finite() && !lower {
            break;
        }
        (best, value, point) = (best - 1, earlier, there);
    }
    let mut step = path[best].step.clone();
    // The damping follows the ratio of the whole step, before any halving.
    let predicted = path[best].predicted;
    trials.begin_anew();
    let mut trial = trials.judge(&step, point, value, predicted);
    let ratio = trial.ratio;
    for _ in 0..20 {
        if trial.accepted || trial.is_flat() {
            break;
        }
        problem.granted()?;
        vector::scale(0.5, &mut step);
        trial = trials.step(&step, 0.5 * predicted);
    }
    trial.ratio = ratio;
    Ok((trial, step))
}
