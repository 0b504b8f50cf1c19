//! Losses of models as objectives of the closure methods.

use std::rc::Rc;

use wengert_nn::{Ctx, Params};
use wengert_optim::{Batched, LeastSquares};
use wengert_tape::Var;
use wengert_tensor::Float;

use crate::examples::Examples;
#[cfg(doc)]
use crate::fisher::FisherInformation;
use crate::flat_loss::FlatLoss;
use crate::residuals::FlatResiduals;

/// Objectives from the parameters of a model.
pub trait Objectives<T: Float> {
    /// A loss as an objective with gradient and Hessian: a function of the flat parameter vector.
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::{Method, TrustRegionNewton};
    /// use wengert_tape::Var;
    ///
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 1, 1);
    /// let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    /// let objective = params.objective(|cx| model.forward(cx, &x).mse(&y));
    /// let outcome = TrustRegionNewton::default().minimize(&objective, params.values())?;
    /// assert!(outcome.converged());
    /// params.set_values(&outcome.point);
    /// assert!((params.get("weight").unwrap()[0] - 2.0).abs() < 1e-6);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    fn objective<'a>(&self, loss: impl Fn(&Ctx<T>) -> Var<T> + 'a) -> FlatLoss<'a, T>;

    /// A model and a loss of its outputs as an objective with gradient, Hessian and Gauss–Newton matrix.
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::{Curvatures, Operator};
    /// use wengert_tape::Var;
    ///
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 1, 1);
    /// let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    /// let objective = params.model_objective(|cx| model.forward(cx, &x), |out| out.mse(&y));
    /// let matrix = objective.gauss_newton(params.values()).unwrap();
    /// // The model is linear and the loss quadratic: it is the Hessian.
    /// let hessian = objective.hessian(params.values()).unwrap();
    /// assert!(matrix.dense().iter().zip(hessian.dense()).all(|(a, b)| (a - b).abs() < 1e-12));
    /// ```
    fn model_objective<'a>(
        &self,
        outputs: impl Fn(&Ctx<T>) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>) -> Var<T> + 'a,
    ) -> FlatLoss<'a, T>;

    /// Half the sum of the squares of residuals, a variable of any shape, as a function of the flat parameter vector: what
    /// Levenberg–Marquardt methods minimise.
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Layer, Linear, Params};
    /// use wengert_optim::{LevenbergMarquardt, Method};
    /// use wengert_tape::Var;
    ///
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 1, 1);
    /// let (x, y) = (Var::from([[0.0], [1.0], [2.0]]), Var::from([[3.0], [5.0], [7.0]]));
    /// let problem = params.least_squares(|cx| model.forward(cx, &x) - &y);
    /// let fit = LevenbergMarquardt::default().minimize(&problem, params.values())?;
    /// assert!(fit.converged() && (fit.point[0] - 2.0).abs() < 1e-6);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    fn least_squares<'a>(
        &self,
        residuals: impl Fn(&Ctx<T>) -> Var<T> + 'a,
    ) -> LeastSquares<FlatResiduals<'a, T>>;

    /// The mean over all examples of a loss that is the mean over those of a batch: value, gradient and Hessian are weighted
    /// sums over the batches, a smaller last one counting for less, and stochastic methods get the batches one by one (see
    /// [`Batched`], also for the memory that curvature takes).
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Layer, Linear, Losses, Params, accuracy};
    /// use wengert_optim::{Method, Ridge, TrustRegionNewton};
    /// use wengert_tape::Var;
    /// use wengert_tensor::{Tensor, random::Generator};
    ///
    /// // Points of the plane, and on which side of a line each is.
    /// let points = Tensor::normal([500, 2], 0.0, 1.0, &mut Generator::seeded(0));
    /// let sides = Tensor::from_fn([500], |i| u32::from(points.at([i[0], 0]) > 2.0 * points.at([i[0], 1])));
    /// let batches = [0..200, 200..400, 400..500]
    ///     .map(|range| (Var::constant(points.slice(range.clone())), sides.slice(range)));
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 2, 2);
    /// let objective =
    ///     params.objective_over(&batches, |cx, (x, sides)| model.forward(cx, x).cross_entropy(sides));
    /// let ridge = Ridge::new(objective, 1e-2);
    /// let outcome = TrustRegionNewton::default().minimize(&ridge, params.values())?;
    /// assert!(outcome.converged());
    /// params.set_values(&outcome.point);
    /// let scores = params.infer(|cx| model.forward(cx, &Var::constant(points)));
    /// assert!(accuracy(&scores, &sides) > 0.95);
    /// # Ok::<(), wengert_optim::MinimizeError>(())
    /// ```
    ///
    /// # Panics
    /// If there are no batches, or no examples in them.
    fn objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        loss: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
    ) -> Batched<FlatLoss<'a, T>>;

    /// Like [`objective_over`](Objectives::objective_over), with the model's outputs and the loss of the outputs apart, so that
    /// there are a Gauss–Newton matrix and [Fisher matrices](FisherInformation).
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_optim::Curvatures;
    /// use wengert_tape::Var;
    ///
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::new(params.root(), 1, 1);
    /// let batches = [
    ///     (Var::from([[0.0], [1.0]]), Var::from([[3.0], [5.0]])),
    ///     (Var::from([[2.0], [3.0]]), Var::from([[7.0], [9.0]])),
    /// ];
    /// let objective =
    ///     params.model_objective_over(&batches, |cx, (x, _)| model.forward(cx, x), |out, (_, y)| out.mse(y));
    /// assert!(objective.gauss_newton(params.values()).is_some() && objective.kronecker(params.values(), 0).is_some());
    /// ```
    ///
    /// # Panics
    /// If there are no batches, or no examples in them.
    fn model_objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        outputs: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>, &B) -> Var<T> + 'a,
    ) -> Batched<FlatLoss<'a, T>>;
}

impl<T: Float> Objectives<T> for Params<T> {
    fn objective<'a>(&self, loss: impl Fn(&Ctx<T>) -> Var<T> + 'a) -> FlatLoss<'a, T> {
        FlatLoss { model: self.snapshot(), outputs: Box::new(loss), loss: None }
    }

    fn model_objective<'a>(
        &self,
        outputs: impl Fn(&Ctx<T>) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>) -> Var<T> + 'a,
    ) -> FlatLoss<'a, T> {
        FlatLoss { model: self.snapshot(), outputs: Box::new(outputs), loss: Some(Box::new(loss)) }
    }

    #[track_caller]
    fn least_squares<'a>(
        &self,
        residuals: impl Fn(&Ctx<T>) -> Var<T> + 'a,
    ) -> LeastSquares<FlatResiduals<'a, T>> {
        LeastSquares::from_residuals(FlatResiduals::new(self.objective(residuals), self.values()))
    }

    #[track_caller]
    fn objective_over<'a, B: Examples>(
        &self,
        batches: &'a [B],
        loss: impl Fn(&Ctx<T>, &B) -> Var<T> + 'a,
    ) -> Batched<FlatLoss<'a, T>> {
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
    ) -> Batched<FlatLoss<'a, T>> {
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
    part: impl Fn(&'a B) -> FlatLoss<'a, T>,
) -> Batched<FlatLoss<'a, T>> {
    let examples: Vec<usize> = batches.iter().map(Examples::examples).collect();
    Batched::mean(batches.iter().map(part).collect(), &examples)
}
