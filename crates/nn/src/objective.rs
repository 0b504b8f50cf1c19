//! A loss as a function of the flat parameter vector, with its curvature: what second-order methods minimise.

mod flat;
mod gauss_newton;
mod hessian;
mod likelihood;
mod output_curvature;
mod watched;

pub use gauss_newton::GaussNewton;
pub use hessian::Hessian;
pub use likelihood::{Family, Likelihood};
pub use watched::Watched;

use std::sync::Arc;

use wengert_tape::{HessianOperator, Tape, Var, grad};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use crate::ctx::{Ctx, Mode};
use crate::loss::Reduction;
use crate::params::{Layout, leaves, pieces, pull_back, scalar, tracked_leaves};
use flat::{check_length, write_pieces};
use gauss_newton::RecordedModel;
use output_curvature::{empirical, examples};

/// A loss as a function of the flat parameter vector: made by [`Params::flat_loss`](crate::Params::flat_loss) and
/// [`Params::flat_model`](crate::Params::flat_model).
///
/// It is a pure function: layers are in train mode, but dropout draws the same masks every time, and running
/// statistics that a layer updates are forgotten.
///
/// Where a method here evaluates the loss, it panics if the loss is not a scalar, if the vector's length is not
/// [`dimension`](FlatLoss::dimension), or, differentiating, if the loss does not depend on a parameter (unless that is frozen or
/// [allowed](crate::Params::allow_unreached)).
pub struct FlatLoss<'a, T: Float = f32> {
    pub(crate) layout: Arc<Layout>,
    pub(crate) buffers: Vec<Tensor<T>>,
    pub(crate) generator: Generator,
    pub(crate) allow_unreached: bool,
    pub(crate) outputs: Function<'a, Ctx<T>, T>,
    /// Without it, the outputs are the loss.
    pub(crate) loss: Option<Function<'a, Var<T>, T>>,
}

pub(crate) type Function<'a, A, T> = Box<dyn Fn(&A) -> Var<T> + 'a>;

impl<T: Float> FlatLoss<'_, T> {
    /// The number of parameters.
    pub fn dimension(&self) -> usize {
        self.layout.len()
    }

    /// The loss at `x`.
    #[track_caller]
    pub fn value(&self, x: &[T]) -> T {
        let cx = self.ctx(leaves(&self.layout, &self.flat("value", x), |_, value| Var::constant(value)));
        scalar("value", &self.total(&cx))
    }

    /// The loss at `x`, with its gradient written to `gradient`.
    #[track_caller]
    pub fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> T {
        let (tape, cx) = self.recording("value_and_gradient", x);
        let loss = self.total(&cx);
        let value = scalar("value_and_gradient", &loss);
        match pieces(&self.layout, pull_back(&tape, &cx, &loss), self.allow_unreached) {
            Ok(pieces) => write_pieces("value_and_gradient", &self.layout, &pieces, gradient),
            Err(error) => panic!("value_and_gradient: {error}"),
        }
        value
    }

    /// The Hessian at `x`, as an operator: the gradient is recorded now, and each product is one sweep.
    #[track_caller]
    pub fn hessian(&self, x: &[T]) -> Hessian<T> {
        let (tape, cx) = self.recording("hessian", x);
        let loss = self.total(&cx);
        Hessian::new(tape, &cx, &loss, self)
    }

    /// The generalised Gauss–Newton matrix Jᵀ·H·J at `x`, as an operator: J is the Jacobian of the model's outputs, H the
    /// Hessian of the loss as a function of them. `None` unless made by
    /// [`Params::flat_model`](crate::Params::flat_model), which tells them apart.
    #[track_caller]
    pub fn gauss_newton(&self, x: &[T]) -> Option<GaussNewton<T>> {
        let loss = Watched::new(self.loss.as_ref()?);
        let model = RecordedModel::new("gauss_newton", self, x);
        let curvature = HessianOperator::new(|y: &Var<T>| loss.value(y), &model.outputs());
        loss.check("gauss_newton");
        Some(GaussNewton::new(model, Box::new(curvature)))
    }

    /// The Fisher matrix at `x`, exactly: the mean over targets drawn from the model's own distribution of the outer
    /// products of the gradients (Amari, "Natural gradient works efficiently in learning", 1998), which is Jᵀ·F·J with F the
    /// [`Likelihood`]'s Fisher matrix of the outputs. Given a loss, it has that loss's scale; targets are not read.
    ///
    /// ```
    /// use wengert_nn::{CrossEntropy, Layer, Linear, Params};
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 2, 3);
    /// let (x, labels) = (Var::from([[1.0, 2.0], [0.5, -1.0]]), Tensor::from([2u32, 0]));
    /// let loss = params.flat_model(|cx| model.forward(cx, &x), |y| CrossEntropy::default().loss(y, &labels));
    /// let fisher = loss.fisher(params.values(), CrossEntropy::default());
    /// let gauss_newton = loss.gauss_newton(params.values()).unwrap();
    /// let (v, mut a, mut b) = ([1.0; 9], [0.0; 9], [0.0; 9]);
    /// fisher.apply(&v, &mut a);
    /// gauss_newton.apply(&v, &mut b);
    /// assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15));
    /// ```
    ///
    /// # Panics
    /// Unless made by [`Params::flat_model`](crate::Params::flat_model), or if the outputs do not have the likelihood's axis.
    #[track_caller]
    pub fn fisher(&self, x: &[T], likelihood: impl Into<Likelihood>) -> GaussNewton<T> {
        let likelihood = likelihood.into();
        self.require_outputs("fisher");
        let model = RecordedModel::new("fisher", self, x);
        let curvature = likelihood.information("fisher", &model.outputs());
        GaussNewton::new(model, curvature)
    }

    /// An unbiased estimate of [the Fisher matrix](FlatLoss::fisher) at `x` by Monte Carlo, from `samples` targets drawn for
    /// each distribution now. A product costs what one with the exact matrix costs; the estimate has the rank of a matrix
    /// of single gradients.
    ///
    /// # Panics
    /// Like [`fisher`](FlatLoss::fisher), or if `samples` is 0.
    #[track_caller]
    pub fn fisher_sampled(
        &self,
        x: &[T],
        likelihood: impl Into<Likelihood>,
        samples: usize,
        generator: &mut Generator,
    ) -> GaussNewton<T> {
        let likelihood = likelihood.into();
        self.require_outputs("fisher_sampled");
        assert!(samples > 0, "fisher_sampled: at least one sample is needed");
        let model = RecordedModel::new("fisher_sampled", self, x);
        let curvature =
            likelihood.sampled_information("fisher_sampled", &model.outputs(), samples, generator);
        GaussNewton::new(model, curvature)
    }

    /// The empirical Fisher matrix at `x`: the mean (or sum) over the examples of the outer products gₙgₙᵀ of their gradients
    /// for the targets given. The examples are along the outputs' first axis, and the loss must be the mean (or sum) of
    /// theirs, as `reduction` says. It costs no gradient of a single example: gₙ = Jₙᵀ·∂ℓₙ/∂yₙ.
    ///
    /// It is not the Fisher matrix, even at a minimum, unless the model is the truth (Kunstner, Balles and Hennig,
    /// "Limitations of the empirical Fisher approximation for natural gradient descent", 2019).
    ///
    /// # Panics
    /// Unless made by [`Params::flat_model`](crate::Params::flat_model).
    #[track_caller]
    pub fn empirical_fisher(&self, x: &[T], reduction: Reduction) -> GaussNewton<T> {
        let loss = Watched::new(self.require_outputs("empirical_fisher"));
        let model = RecordedModel::new("empirical_fisher", self, x);
        let outputs = model.outputs();
        let gradient = grad(|y: &Var<T>| loss.value(y), &outputs);
        loss.check("empirical_fisher");
        // The part of a mean is a share of it: (1/N) Σ gₙgₙᵀ = N Σ (gₙ/N)(gₙ/N)ᵀ.
        let weight = if reduction == Reduction::Mean { examples(outputs.shape()) as f64 } else { 1.0 };
        GaussNewton::new(model, empirical(gradient, weight))
    }

    /// Panics in the name of `operation` unless made by [`Params::flat_model`](crate::Params::flat_model).
    #[doc(hidden)]
    #[track_caller]
    pub fn check_outputs(&self, operation: &str) {
        self.require_outputs(operation);
    }

    /// The loss of the outputs.
    #[track_caller]
    fn require_outputs(&self, operation: &str) -> &Function<'_, Var<T>, T> {
        match &self.loss {
            Some(loss) => loss,
            None => panic!("{operation}: the loss and the model's outputs must be apart: use `flat_model`"),
        }
    }

    #[track_caller]
    fn total(&self, cx: &Ctx<T>) -> Var<T> {
        let outputs = (self.outputs)(cx);
        match &self.loss {
            Some(loss) => loss(&outputs),
            None => outputs,
        }
    }

    /// A recording of what `operation`, which panics name, computes at `x`.
    #[track_caller]
    pub(crate) fn recording(&self, operation: &str, x: &[T]) -> (Tape<T>, Ctx<T>) {
        let tape = Tape::nested();
        let cx = self.ctx(tracked_leaves(&tape, &self.layout, &self.flat(operation, x)));
        (tape, cx)
    }

    fn ctx(&self, leaves: Vec<Var<T>>) -> Ctx<T> {
        let layout = Arc::clone(&self.layout);
        Ctx::new(layout, leaves, Mode::Train, self.generator.clone(), self.buffers.clone())
    }

    #[track_caller]
    fn flat(&self, operation: &str, x: &[T]) -> Tensor<T> {
        check_length(operation, "parameter vector", x.len(), &self.layout);
        Tensor::vector(x)
    }
}
