//! Fisher matrices of objectives.

use wengert_nn::{Reduction, Watched};
use wengert_optim::{Batched, Operator, Ridge};
use wengert_tape::{Var, grad};
use wengert_tensor::Float;
use wengert_tensor::random::Generator;

use crate::examples::Examples;
use crate::flat_loss::FlatLoss;
use crate::gauss_newton::{GaussNewton, RecordedModel};
use crate::likelihood::Likelihood;
use crate::output_curvature::empirical;

/// Fisher matrices of objectives made from [models](crate::Objectives::model_objective), over single batches or
/// [several](Batched), with or without [a penalty](Ridge).
///
/// ```
/// use wengert_curvature::{FisherInformation, Objectives};
/// use wengert_nn::{CrossEntropy, Layer, Linear, Losses, Params};
/// use wengert_optim::{Objective, Operator};
/// use wengert_tape::Var;
/// use wengert_tensor::{Tensor, random::Generator};
///
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::new(params.root(), 2, 3);
/// let (x, labels) = (Var::from([[1.0, 2.0], [0.5, -1.0]]), Tensor::from([2u32, 0]));
/// let objective = params.model_objective(|cx| model.forward(cx, &x), |y| y.cross_entropy(&labels));
/// let exact = objective.fisher(params.values(), CrossEntropy::default());
/// let sampled = objective.fisher_sampled(
///     params.values(), CrossEntropy::default(), 2000, &mut Generator::seeded(0),
/// );
/// assert!((exact.trace() - sampled.trace()).abs() < 0.05 * exact.trace());
/// ```
///
/// # Panics
/// All methods do if the objective was not made from outputs and a loss apart.
pub trait FisherInformation<T: Float> {
    /// The Fisher matrix of that kind at `x`.
    #[track_caller]
    fn fisher_matrix(&self, x: &[T], kind: &Fisher) -> Box<dyn Operator<T> + '_>;

    /// Panics if there are no such matrices: for implementations of which a part is asked out of the caller's sight.
    #[doc(hidden)]
    #[track_caller]
    fn check_fisher(&self, _kind: &Fisher) {}

    /// The Fisher matrix at `x`, exactly: the mean over targets drawn from the model's own distribution of the outer
    /// products of the gradients (Amari, "Natural gradient works efficiently in learning", 1998), which is Jᵀ·F·J with F the
    /// [`Likelihood`]'s Fisher matrix of the outputs. Given a loss, it has that loss's scale; targets are not read.
    ///
    /// # Panics
    /// Unless made of [outputs and a loss apart](crate::Objectives::model_objective), or if the outputs do not have the
    /// likelihood's axis.
    #[track_caller]
    fn fisher(&self, x: &[T], likelihood: impl Into<Likelihood>) -> Box<dyn Operator<T> + '_> {
        self.fisher_matrix(x, &Fisher::Exact(likelihood.into()))
    }

    /// An unbiased estimate of [the Fisher matrix](FisherInformation::fisher) at `x` by Monte Carlo, from `samples` targets
    /// drawn for each distribution now. A product costs what one with the exact matrix costs; the estimate has the rank of
    /// a matrix of single gradients.
    ///
    /// # Panics
    /// Like [`fisher`](FisherInformation::fisher), or if `samples` is 0.
    #[track_caller]
    fn fisher_sampled(
        &self,
        x: &[T],
        likelihood: impl Into<Likelihood>,
        samples: usize,
        generator: &mut Generator,
    ) -> Box<dyn Operator<T> + '_> {
        let (likelihood, generator) = (likelihood.into(), generator.split());
        self.fisher_matrix(x, &Fisher::Sampled { likelihood, samples, generator })
    }

    /// The empirical Fisher matrix at `x`: the mean (or sum) over the examples of the outer products gₙgₙᵀ of their gradients
    /// for the targets given. The examples are along the outputs' first axis, and the loss must be the mean (or sum) of
    /// theirs, as `reduction` says. It costs no gradient of a single example: gₙ = Jₙᵀ·∂ℓₙ/∂yₙ.
    ///
    /// It is not the Fisher matrix, even at a minimum, unless the model is the truth (Kunstner, Balles and Hennig,
    /// "Limitations of the empirical Fisher approximation for natural gradient descent", 2019).
    ///
    /// # Panics
    /// Unless made of [outputs and a loss apart](crate::Objectives::model_objective).
    #[track_caller]
    fn empirical_fisher(&self, x: &[T], reduction: Reduction) -> Box<dyn Operator<T> + '_> {
        self.fisher_matrix(x, &Fisher::Empirical(reduction))
    }
}

/// The kinds of Fisher matrices.
///
/// ```
/// use wengert_curvature::{Fisher, FisherInformation, Objectives};
/// use wengert_nn::{Layer, Linear, Losses, Params, Reduction};
/// use wengert_optim::Operator;
/// use wengert_tape::Var;
/// let mut params: Params<f64> = Params::seeded(0);
/// let model = Linear::builder(1, 1).no_bias().build(params.root());
/// let (x, y) = (Var::from([[2.0]]), Var::from([[1.0]]));
/// let objective = params.model_objective(|cx| model.forward(cx, &x), |out| out.mse(&y));
/// // The square of the one example's gradient.
/// let empirical = objective.fisher_matrix(&[0.0], &Fisher::Empirical(Reduction::Mean));
/// let mut product = [0.0];
/// empirical.apply(&[1.0], &mut product);
/// assert!((product[0] - 16.0).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fisher {
    /// Over all targets that the model may draw.
    Exact(Likelihood),
    /// Over targets drawn from the model: the same ones whenever the same value is used.
    Sampled {
        /// The distribution they are drawn from.
        likelihood: Likelihood,
        /// How many are drawn for each distribution.
        samples: usize,
        /// Their randomness.
        generator: Generator,
    },
    /// Over the targets given, with a loss that is their mean or sum.
    Empirical(Reduction),
}

impl<T: Float> FisherInformation<T> for FlatLoss<'_, T> {
    #[track_caller]
    fn fisher_matrix(&self, x: &[T], kind: &Fisher) -> Box<dyn Operator<T> + '_> {
        self.check_fisher(kind);
        let operation = kind.operation();
        let model = RecordedModel::new(operation, self, x);
        let outputs = model.outputs();
        let curvature = match kind {
            Fisher::Exact(likelihood) => likelihood.information(operation, &outputs),
            Fisher::Sampled { likelihood, samples, generator } => {
                likelihood.sampled_information(operation, &outputs, *samples, &mut generator.clone())
            }
            Fisher::Empirical(reduction) => {
                let loss = Watched::new(self.require_outputs(operation));
                let gradient = grad(|y: &Var<T>| loss.value(y), &outputs);
                loss.check(operation);
                // The part of a mean is a share of it: (1/N) Σ gₙgₙᵀ = N Σ (gₙ/N)(gₙ/N)ᵀ.
                let mean = *reduction == Reduction::Mean;
                let weight = if mean { outputs.examples() as f64 } else { 1.0 };
                empirical(gradient, weight)
            }
        };
        Box::new(GaussNewton::new(model, curvature))
    }

    fn check_fisher(&self, kind: &Fisher) {
        self.require_outputs(kind.operation());
        if let Fisher::Sampled { samples, .. } = kind {
            assert!(*samples > 0, "fisher_sampled: at least one sample is needed");
        }
    }
}

impl Fisher {
    /// What makes it.
    fn operation(&self) -> &'static str {
        match self {
            Fisher::Exact(_) => "fisher",
            Fisher::Sampled { .. } => "fisher_sampled",
            Fisher::Empirical(_) => "empirical_fisher",
        }
    }
}

impl<T: Float, O: FisherInformation<T>> FisherInformation<T> for Batched<O> {
    #[track_caller]
    fn fisher_matrix(&self, x: &[T], kind: &Fisher) -> Box<dyn Operator<T> + '_> {
        self.check_fisher(kind);
        let (x, kind) = (x.to_vec(), kind.clone());
        self.sum_of(move |i, part| match &kind {
            // The targets of a part are its own, and the same each time that it is recorded.
            Fisher::Sampled { likelihood, samples, generator } => {
                let (likelihood, samples, generator) = (*likelihood, *samples, generator.fork(i as u64));
                part.fisher_matrix(&x, &Fisher::Sampled { likelihood, samples, generator })
            }
            kind => part.fisher_matrix(&x, kind),
        })
    }

    fn check_fisher(&self, kind: &Fisher) {
        self.parts()[0].check_fisher(kind);
    }
}

impl<T: Float, O: FisherInformation<T>> FisherInformation<T> for Ridge<O> {
    #[track_caller]
    fn fisher_matrix(&self, x: &[T], kind: &Fisher) -> Box<dyn Operator<T> + '_> {
        self.damped(self.objective().fisher_matrix(x, kind))
    }

    fn check_fisher(&self, kind: &Fisher) {
        self.objective().check_fisher(kind);
    }
}
