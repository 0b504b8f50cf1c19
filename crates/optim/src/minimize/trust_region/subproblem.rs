//! What a trust-region method minimises in its ball.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::minimize::error::MinimizeError;
use crate::minimize::linear::{Stop, TrustStep};
use crate::minimize::objective::Counted;
use crate::minimize::outcome::Reason;
use crate::minimize::run::Iterate;
use crate::minimize::vector::Float;

/// The model of f at a point. Closures that minimise it in a ball of a radius are some.
///
/// ```
/// use wengert_optim::linear::{Settings, TrustStep, steihaug};
/// use wengert_optim::minimize::LocalModel;
/// use wengert_optim::DenseOperator;
/// let hessian = DenseOperator::with_diagonal(&[1.0f64, 4.0]);
/// // A closure is one.
/// let mut model = |radius: f64| steihaug(&hessian, &[-1.0, -4.0], radius, None, &Settings::default());
/// let whole: TrustStep<f64> = model.minimise(10.0);
/// assert!((whole.reduction - 2.5).abs() < 1e-12 && model.minimise(0.5).reduction < 2.5);
/// ```
pub trait LocalModel<T> {
    /// Minimises the model in a ball.
    fn minimise(&mut self, radius: f64) -> TrustStep<T>;

    /// The last step, which led to `point` and was rejected, corrected by what the model has learned there of f's
    /// curvature along it. `None`, the default, where it has not.
    fn corrected(&mut self, _point: &[T], _step: &TrustStep<T>) -> Option<Vec<T>> {
        None
    }
}

impl<T, F: FnMut(f64) -> TrustStep<T>> LocalModel<T> for F {
    fn minimise(&mut self, radius: f64) -> TrustStep<T> {
        self(radius)
    }
}

/// A [`LocalModel`] of any kind.
pub type Model<'a, T> = Box<dyn LocalModel<T> + 'a>;

/// A model of the objective around a point, and how to minimise it in a ball.
///
/// ```
/// use wengert_optim::linear::{Stop, TrustStep};
/// use wengert_optim::minimize::{Counted, Iterate, Model, Subproblem, TrustRegion};
/// use wengert_optim::{Method, MinimizeError, Problem, Reason};
/// /// A model with the curvature 2 in every direction.
/// struct Round;
/// impl Subproblem<f64> for Round {
///     type Memory = ();
///     fn check(&self, _: &(), _: usize) -> Result<(), MinimizeError> { Ok(()) }
///     fn begin(&self, _: &Counted<'_, f64>, _: &Iterate<f64>) -> Result<(), MinimizeError> { Ok(()) }
///     fn model<'a>(
///         &'a self, _: &'a Counted<'_, f64>, at: &'a Iterate<f64>, _: &'a mut (),
///     ) -> Result<Model<'a, f64>, Reason> {
///         Ok(Box::new(move |radius: f64| {
///             let slope = wengert_optim::vector::norm(&at.gradient);
///             let length = radius.min(0.5 * slope);
///             let step = at.gradient.iter().map(|g| -g / slope * length).collect();
///             let reduction = slope * length - length * length;
///             TrustStep { stop: Stop::Converged, iterations: 1, step, length, reduction, shorter: vec![] }
///         }))
///     }
/// }
/// let f = Problem::new(2, |x: &[f64]| x[0] * x[0] + 0.5 * x[1] * x[1])
///     .with_gradient(|x, g| { g[0] = 2.0 * x[0]; g[1] = x[1]; });
/// assert!(TrustRegion::new(Round).minimize(&f, &[3.0, -1.0])?.value < 1e-8);
/// # Ok::<(), MinimizeError>(())
/// ```
pub trait Subproblem<T: Float> {
    /// What is remembered from step to step.
    type Memory: Serialize + DeserializeOwned;

    /// See [`Method::validate`](crate::minimize::Method::validate).
    ///
    /// # Errors
    /// As there.
    fn validate(&self) -> Result<(), MinimizeError> {
        Ok(())
    }

    /// See [`Method::check`](crate::minimize::Method::check).
    ///
    /// # Errors
    /// As there.
    fn check(&self, memory: &Self::Memory, dimension: usize) -> Result<(), MinimizeError>;

    /// The memory before the first step.
    ///
    /// # Errors
    /// For objectives that lack what the model needs.
    fn begin(&self, problem: &Counted<'_, T>, at: &Iterate<T>) -> Result<Self::Memory, MinimizeError>;

    /// The model at a point.
    ///
    /// # Errors
    /// The reason why there is none.
    fn model<'a>(
        &'a self,
        problem: &'a Counted<'_, T>,
        at: &'a Iterate<T>,
        memory: &'a mut Self::Memory,
    ) -> Result<Model<'a, T>, Reason>;

    /// The first radius, if the subproblem knows one.
    fn first_radius(&self, _at: &Iterate<T>, _memory: &Self::Memory) -> Option<f64> {
        None
    }

    /// A short first radius, for the case that the model's minimum is outside the first ball: how far to trust it is not known
    /// then. Until it turns out to be too large, it grows twice as fast as others.
    fn cautious_radius(&self, _problem: &Counted<'_, T>, _at: &Iterate<T>) -> Option<f64> {
        None
    }

    /// The radius after a trial: a quarter of the step where the model predicted badly, twice the radius where a step to
    /// the boundary went well.
    fn radius(&self, trial: &RadiusTrial) -> f64 {
        let boundary = trial.length >= 0.999 * trial.radius;
        match trial.ratio {
            _ if !trial.accepted => 0.25 * trial.length.min(trial.radius),
            r if r < 0.25 => 0.25 * trial.length,
            r if r > 0.75 && boundary => 2.0 * trial.radius,
            _ => trial.radius,
        }
    }

    /// Learns from a trial, accepted or not: the step and the gradient there. Only asked for if
    /// [`LEARNS`](Self::LEARNS).
    fn learn(&self, _memory: &mut Self::Memory, _step: &[T], _before: &[T], _after: &[T]) {}

    /// Forgets what may have led to a bad model; false if there was nothing.
    fn forget(&self, _memory: &mut Self::Memory) -> bool {
        false
    }

    /// Whether [`learn`](Self::learn) does anything; every rejected trial then costs a gradient.
    const LEARNS: bool = false;

    /// Whether the objective has a Hessian for this model, so that the driver may look for negative curvature by its products.
    const SECOND_ORDER: bool = false;

    /// See [`Method::reads_residuals`](crate::minimize::Method::reads_residuals).
    const READS_RESIDUALS: bool = false;

    /// See [`Method::reads_hessian`](crate::minimize::Method::reads_hessian).
    fn reads_hessian(&self) -> bool {
        <Self as Subproblem<T>>::SECOND_ORDER
    }
}

/// A trial step, as far as the [radius](Subproblem::radius) depends on it.
///
/// ```
/// use wengert_optim::linear::Stop;
/// use wengert_optim::minimize::{KrylovModel, RadiusTrial, Subproblem};
/// // A step to the boundary that went as predicted: twice the radius.
/// let trial = RadiusTrial {
///     radius: 1.0, length: 1.0, ratio: 0.9, fall: 0.5, slope: -1.0, stop: Stop::Boundary, accepted: true,
/// };
/// assert_eq!(Subproblem::<f64>::radius(&KrylovModel::default(), &trial), 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadiusTrial {
    /// The radius of the ball.
    pub radius: f64,
    /// The length of the step in the norm of the ball.
    pub length: f64,
    /// The fall of f over the one predicted.
    pub ratio: f64,
    /// The fall of f.
    pub fall: f64,
    /// gᵀs.
    pub slope: f64,
    /// Why the solver of the model stopped.
    pub stop: Stop,
    /// Whether the step is taken.
    pub accepted: bool,
}
