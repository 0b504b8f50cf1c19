//! Fisher matrices of objectives.

use wengert_nn::{Likelihood, Reduction};
use wengert_optim::{Batched, Operator, Ridge};
use wengert_tensor::Float;
use wengert_tensor::random::Generator;

/// Fisher matrices of objectives made from [models](super::Objectives::model_objective), over single batches or
/// [several](Batched), with or without [a penalty](Ridge).
///
/// ```
/// use wengert::nn::Likelihood;
/// use wengert::prelude::*;
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

    /// The exact Fisher matrix at `x`: see [`FlatLoss::fisher`](wengert_nn::FlatLoss::fisher).
    #[track_caller]
    fn fisher(&self, x: &[T], likelihood: impl Into<Likelihood>) -> Box<dyn Operator<T> + '_> {
        self.fisher_matrix(x, &Fisher::Exact(likelihood.into()))
    }

    /// A Monte Carlo estimate of it from `samples` targets for each distribution: see
    /// [`FlatLoss::fisher_sampled`](wengert_nn::FlatLoss::fisher_sampled).
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

    /// The empirical Fisher matrix at `x`: see [`FlatLoss::empirical_fisher`](wengert_nn::FlatLoss::empirical_fisher).
    #[track_caller]
    fn empirical_fisher(&self, x: &[T], reduction: Reduction) -> Box<dyn Operator<T> + '_> {
        self.fisher_matrix(x, &Fisher::Empirical(reduction))
    }
}

/// The kinds of Fisher matrices.
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
