//! Losses of models as objectives of the closure methods: where `nn` and `optim`, which do not know each other, meet.

mod examples;
mod fisher;
mod model;

pub use examples::Examples;
pub use fisher::{Fisher, FisherInformation};
pub use model::ModelObjective;

use std::rc::Rc;

use wengert_nn::{Ctx, Params};
use wengert_optim::Batched;
use wengert_tape::Var;
use wengert_tensor::Float;

/// Objectives from the parameters of a model.
pub trait Objectives<T: Float> {
    /// A loss as an objective with gradient and Hessian: see [`Params::flat_loss`].
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 1, 1);
    /// let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    /// let objective = params.objective(|cx| model.forward(cx, &x).mse(&y));
    /// let outcome = TrustRegionNewton::default().minimize(&objective, params.values())?;
    /// assert!(outcome.converged());
    /// params.set_values(&outcome.point);
    /// assert!((params.get("weight").unwrap()[0] - 2.0).abs() < 1e-6);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    fn objective<'a>(&self, loss: impl Fn(&Ctx<T>) -> Var<T> + 'a) -> ModelObjective<'a, T>;

    /// A model and a loss of its outputs as an objective with gradient, Hessian and Gauss–Newton matrix: see
    /// [`Params::flat_model`].
    fn model_objective<'a>(
        &self,
        outputs: impl Fn(&Ctx<T>) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>) -> Var<T> + 'a,
    ) -> ModelObjective<'a, T>;

    /// The mean over all examples of a loss that is the mean over those of a batch: value, gradient and Hessian are weighted
    /// sums over the batches, a smaller last one counting for less, and stochastic methods get the batches one by one (see
    /// [`Batched`], also for the memory that curvature takes).
    ///
    /// ```
    /// use wengert::prelude::*;
    ///
    /// let data = synthetic::digits(500, 0);
    /// let batches: Vec<Batch> = data.batches(200).collect();
    /// let mut params = Params::seeded(0);
    /// let model = Linear::new(params.root(), 784, 10);
    /// let objective = params.objective_over(&batches, |cx, (images, labels)| {
    ///     model.forward(cx, images).cross_entropy(labels)
    /// });
    /// let ridge = Ridge::new(objective, 1e-2);
    /// let outcome = TrustRegionNewton::default().minimize(&ridge, params.values())?;
    /// assert!(outcome.converged());
    /// params.set_values(&outcome.point);
    /// assert!(accuracy(&model, &params, &data) > 0.9);
    /// # Ok::<(), wengert::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there are no batches, or no examples in them.
    fn objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        loss: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
    ) -> Batched<ModelObjective<'a, T>>;

    /// Like [`objective_over`](Objectives::objective_over), with the model's outputs and the loss of the outputs apart, so that
    /// there are a Gauss–Newton matrix and [Fisher matrices](FisherInformation).
    ///
    /// # Panics
    /// If there are no batches, or no examples in them.
    fn model_objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        outputs: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>, &B) -> Var<T> + 'a,
    ) -> Batched<ModelObjective<'a, T>>;
}

impl<T: Float> Objectives<T> for Params<T> {
    fn objective<'a>(&self, loss: impl Fn(&Ctx<T>) -> Var<T> + 'a) -> ModelObjective<'a, T> {
        ModelObjective::new(self.flat_loss(loss))
    }

    fn model_objective<'a>(
        &self,
        outputs: impl Fn(&Ctx<T>) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>) -> Var<T> + 'a,
    ) -> ModelObjective<'a, T> {
        ModelObjective::new(self.flat_model(outputs, loss))
    }

    #[track_caller]
    fn objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        loss: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
    ) -> Batched<ModelObjective<'a, T>> {
        let loss = Rc::new(loss);
        mean_over(batches, |batch| {
            let loss = Rc::clone(&loss);
            self.objective(move |cx| loss(cx, batch))
        })
    }

    #[track_caller]
    fn model_objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        outputs: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>, &B) -> Var<T> + 'a,
    ) -> Batched<ModelObjective<'a, T>> {
        let (outputs, loss) = (Rc::new(outputs), Rc::new(loss));
        mean_over(batches, |batch| {
            let (outputs, loss) = (Rc::clone(&outputs), Rc::clone(&loss));
            self.model_objective(move |cx| outputs(cx, batch), move |y| loss(y, batch))
        })
    }
}

#[track_caller]
fn mean_over<'a, T: Float, B: Examples>(
    batches: &'a [B],
    part: impl Fn(&'a B) -> ModelObjective<'a, T>,
) -> Batched<ModelObjective<'a, T>> {
    let examples: Vec<usize> = batches.iter().map(Examples::examples).collect();
    Batched::mean(batches.iter().map(part).collect(), &examples)
}
