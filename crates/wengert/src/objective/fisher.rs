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
    /// The exact Fisher matrix at `x`: see [`FlatLoss::fisher`](wengert_nn::FlatLoss::fisher).
    #[track_caller]
    fn fisher(&self, x: &[T], likelihood: impl Into<Likelihood>) -> Box<dyn Operator<T> + '_>;

    /// A Monte Carlo estimate of it: see [`FlatLoss::fisher_sampled`](wengert_nn::FlatLoss::fisher_sampled).
    #[track_caller]
    fn fisher_sampled(
        &self,
        x: &[T],
        likelihood: impl Into<Likelihood>,
        samples: usize,
        generator: &mut Generator,
    ) -> Box<dyn Operator<T> + '_>;

    /// The empirical Fisher matrix at `x`: see [`FlatLoss::empirical_fisher`](wengert_nn::FlatLoss::empirical_fisher).
    #[track_caller]
    fn empirical_fisher(&self, x: &[T], reduction: Reduction) -> Box<dyn Operator<T> + '_>;
}

impl<T: Float, O: FisherInformation<T>> FisherInformation<T> for Batched<O> {
    #[track_caller]
    fn fisher(&self, x: &[T], likelihood: impl Into<Likelihood>) -> Box<dyn Operator<T> + '_> {
        let (x, likelihood) = (x.to_vec(), likelihood.into());
        self.sum_of(move |_, part| part.fisher(&x, likelihood))
    }

    #[track_caller]
    fn fisher_sampled(
        &self,
        x: &[T],
        likelihood: impl Into<Likelihood>,
        samples: usize,
        generator: &mut Generator,
    ) -> Box<dyn Operator<T> + '_> {
        let (x, likelihood, generator) = (x.to_vec(), likelihood.into(), generator.split());
        // The targets of a part are the same each time it is recorded.
        self.sum_of(move |i, part| {
            part.fisher_sampled(&x, likelihood, samples, &mut generator.fork(i as u64))
        })
    }

    #[track_caller]
    fn empirical_fisher(&self, x: &[T], reduction: Reduction) -> Box<dyn Operator<T> + '_> {
        let x = x.to_vec();
        self.sum_of(move |_, part| part.empirical_fisher(&x, reduction))
    }
}

impl<T: Float, O: FisherInformation<T>> FisherInformation<T> for Ridge<O> {
    #[track_caller]
    fn fisher(&self, x: &[T], likelihood: impl Into<Likelihood>) -> Box<dyn Operator<T> + '_> {
        self.damped(self.objective().fisher(x, likelihood))
    }

    #[track_caller]
    fn fisher_sampled(
        &self,
        x: &[T],
        likelihood: impl Into<Likelihood>,
        samples: usize,
        generator: &mut Generator,
    ) -> Box<dyn Operator<T> + '_> {
        self.damped(self.objective().fisher_sampled(x, likelihood, samples, generator))
    }

    #[track_caller]
    fn empirical_fisher(&self, x: &[T], reduction: Reduction) -> Box<dyn Operator<T> + '_> {
        self.damped(self.objective().empirical_fisher(x, reduction))
    }
}
