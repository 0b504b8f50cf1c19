//! Losses of models as objectives of the closure methods: where `nn` and `optim`, which do not know each other, meet.

use wengert_nn::{Ctx, FlatLoss, GaussNewton, Hessian, Params};
use wengert_optim::{Objective, Operator};
use wengert_tape::Var;
use wengert_tensor::Float;

/// The loss of a model as a function of its flat parameter vector: made by [`Objectives`].
pub struct ModelObjective<'a, T: Float = f32>(FlatLoss<'a, T>);

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
}

impl<T: Float> Objectives<T> for Params<T> {
    fn objective<'a>(&self, loss: impl Fn(&Ctx<T>) -> Var<T> + 'a) -> ModelObjective<'a, T> {
        ModelObjective(self.flat_loss(loss))
    }

    fn model_objective<'a>(
        &self,
        outputs: impl Fn(&Ctx<T>) -> Var<T> + 'a,
        loss: impl Fn(&Var<T>) -> Var<T> + 'a,
    ) -> ModelObjective<'a, T> {
        ModelObjective(self.flat_model(outputs, loss))
    }
}

impl<T: Float> Objective<T> for ModelObjective<'_, T> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn value(&self, x: &[T]) -> f64 {
        self.0.value(x).to_f64()
    }

    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.0.value_and_gradient(x, gradient).to_f64()
    }

    fn hessian(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        Some(Box::new(HessianAt(self.0.hessian(x))))
    }

    fn gauss_newton(&self, x: &[T]) -> Option<Box<dyn Operator<T> + '_>> {
        self.0.gauss_newton(x).map(|matrix| Box::new(GaussNewtonAt(matrix)) as Box<dyn Operator<T>>)
    }
}

struct HessianAt<T: Float>(Hessian<T>);

impl<T: Float> Operator<T> for HessianAt<T> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.0.apply(v, out);
    }
}

struct GaussNewtonAt<T: Float>(GaussNewton<T>);

impl<T: Float> Operator<T> for GaussNewtonAt<T> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        self.0.apply(v, out);
    }
}
