//! A loss as a function of the flat parameter vector, with its curvature: what second-order methods minimise.

use wengert_nn::{Ctx, Snapshot, Watched, pieces, pull_back, scalar};
use wengert_optim::{CurvatureAt, Objective, Operator, Want};
use wengert_tape::{HessianOperator, Tape, Var};
use wengert_tensor::{Float, Tensor};

use crate::flat::{check_length, write_pieces};
use crate::gauss_newton::{GaussNewton, RecordedModel};
use crate::hessian::Hessian;
use crate::kfac::Targets;
#[cfg(doc)]
use crate::objectives::Objectives;

/// A loss as a function of the flat parameter vector: made by [`Objectives`], and an [`Objective`] with gradient and
/// Hessian; made of a model and a loss apart, also with Gauss–Newton matrix, Kronecker factors and
/// [Fisher matrices](crate::FisherInformation).
///
/// It is a pure function: layers are in train mode, but dropout draws the same masks every time, and running
/// statistics that a layer updates are forgotten.
///
/// Where a method here evaluates the loss, it panics if the loss is not a scalar, if the vector's length is not
/// [`dimension`](Objective::dimension), or, differentiating, if the loss does not depend on a parameter (unless that is
/// frozen or [allowed](wengert_nn::Params::allow_unreached)).
///
/// ```
/// use wengert_curvature::{FlatLoss, Objectives};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::{Lbfgs, Method, Objective};
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [2], Init::Ones);
/// let loss: FlatLoss<'_, f64> = params.objective(|cx| (cx.param(w) - 3.0).square().sum());
/// assert_eq!((loss.dimension(), loss.value(&[3.0, 5.0])), (2, 4.0));
/// let found = Lbfgs::default().minimize(&loss, params.values())?;
/// params.set_values(&found.point);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct FlatLoss<'a, T: Float = f32> {
    pub(crate) model: Snapshot<T>,
    pub(crate) outputs: Function<'a, Ctx<T>, T>,
    /// Without it, the outputs are the loss.
    pub(crate) loss: Option<Function<'a, Var<T>, T>>,
}

pub(crate) type Function<'a, A, T> = Box<dyn Fn(&A) -> Var<T> + 'a>;

impl<T: Float> FlatLoss<'_, T> {
    /// The Hessian at `x`, as an operator that also has the value and the gradient: the gradient is recorded now, and each
    /// product is one sweep.
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Init, Params};
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let w = params.root().param("w", [2], Init::Ones);
    /// let hessian = params.objective(|cx| cx.param(w).powi(3).sum()).hessian_operator(&[1.0, 2.0]);
    /// // One product is all that is needed.
    /// let mut product = [0.0; 2];
    /// hessian.apply_once(&[1.0, 1.0], &mut product);
    /// assert_eq!(product, [6.0, 12.0]);
    /// ```
    #[track_caller]
    pub fn hessian_operator(&self, x: &[T]) -> Hessian<T> {
        let (tape, cx) = self.recording("hessian", x);
        tape.expect_tangents();
        let loss = self.total(&cx);
        Hessian::new(tape, &cx, &loss, self)
    }

    /// The generalised Gauss–Newton matrix Jᵀ·H·J at `x`, as an operator: J is the Jacobian of the model's outputs, H the
    /// Hessian of the loss as a function of them. `None` unless made by
    /// [`Objectives::model_objective`](crate::Objectives::model_objective), which tells them apart.
    ///
    /// ```
    /// use wengert_curvature::Objectives;
    /// use wengert_nn::{Layer, Linear, Losses, Params};
    /// use wengert_tape::Var;
    /// let mut params: Params<f64> = Params::seeded(0);
    /// let model = Linear::builder(1, 1).no_bias().build(params.root());
    /// let (x, y) = (Var::from([[2.0]]), Var::from([[1.0]]));
    /// let apart = params.model_objective(|cx| model.forward(cx, &x), |out| out.mse(&y));
    /// assert!(apart.gauss_newton_operator(&[0.5]).is_some());
    /// // Of the loss alone nothing is known but its Hessian.
    /// let whole = params.objective(|cx| model.forward(cx, &x).mse(&y));
    /// assert!(whole.gauss_newton_operator(&[0.5]).is_none());
    /// ```
    #[track_caller]
    pub fn gauss_newton_operator(&self, x: &[T]) -> Option<GaussNewton<T>> {
        let loss = Watched::new(self.loss.as_ref()?);
        let model = RecordedModel::new("gauss_newton", self, x);
        let curvature = HessianOperator::new(|y: &Var<T>| loss.value(y), &model.outputs());
        loss.check("gauss_newton");
        Some(GaussNewton::new(model, Box::new(curvature)))
    }

    /// The loss of the outputs.
    #[track_caller]
    pub(crate) fn require_outputs(&self, operation: &str) -> &Function<'_, Var<T>, T> {
        match &self.loss {
            Some(loss) => loss,
            None => {
                panic!("{operation}: the loss and the model's outputs must be apart: use `model_objective`")
            }
        }
    }

    /// What the model gives at `x`, without a recording.
    #[track_caller]
    pub(crate) fn outputs_at(&self, operation: &str, x: &[T]) -> Var<T> {
        (self.outputs)(&self.model.context(&self.flat(operation, x)))
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
        self.model.recording(&self.flat(operation, x))
    }

    #[track_caller]
    fn flat(&self, operation: &str, x: &[T]) -> Tensor<T> {
        check_length(operation, "parameter vector", x.len(), self.model.layout());
        Tensor::vector(x)
    }
}

impl<T: Float> Objective<T> for FlatLoss<'_, T> {
    fn dimension(&self) -> usize {
        self.model.layout().len()
    }

    #[track_caller]
    fn value(&self, x: &[T]) -> f64 {
        let cx = self.model.context(&self.flat("value", x));
        scalar("value", &self.total(&cx)).to_f64()
    }

    #[track_caller]
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        let (tape, cx) = self.recording("value_and_gradient", x);
        let loss = self.total(&cx);
        let value = scalar("value_and_gradient", &loss);
        match pieces(self.model.layout(), pull_back(&tape, &cx, &loss), self.model.allows_unreached()) {
            Ok(pieces) => write_pieces("value_and_gradient", self.model.layout(), &pieces, gradient),
            Err(error) => panic!("value_and_gradient: {error}"),
        }
        value.to_f64()
    }

    #[track_caller]
    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        Some(match want {
            Want::Hessian => CurvatureAt::operator(self.hessian_operator(x)),
            Want::GaussNewton => CurvatureAt::operator(self.gauss_newton_operator(x)?),
            Want::Kronecker { seed } => {
                CurvatureAt::Kronecker(self.kronecker_factors(x, Targets::Model, seed)?)
            }
            _ => return None,
        })
    }

    #[track_caller]
    fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        let hessian = self.hessian_operator(x);
        hessian.gradient(gradient);
        Some((hessian.value().to_f64(), Box::new(hessian)))
    }
}
