//! Residuals written in operations on [`Var`], for least squares.

use wengert_optim::{Jacobian, Residuals};
use wengert_tape::{Sweep, Tape, Var};
use wengert_tensor::{Float, Tensor};

use crate::flat::split;
use crate::flat_loss::{FlatLoss, Function};
use crate::function::write;
use crate::gauss_newton::RecordedModel;

/// Residuals of a vector, written in operations on [`Var`]: their Jacobian is the tape's, recorded once for all products at a
/// point.
///
/// ```
/// use wengert_curvature::FunctionResiduals;
/// use wengert_optim::{LeastSquares, LevenbergMarquardt, Method};
/// use wengert_tape::Var;
///
/// // a·exp(−b·t) through points of 5·exp(−t/2).
/// let t = Var::from([0.0, 1.0, 2.0, 3.0]);
/// let y = (&t * -0.5).exp() * 5.0;
/// let residuals = FunctionResiduals::new(2, 4, |x: &Var<f64>| {
///     x.select(0, 0) * (x.select(0, 1) * -&t).exp() - &y
/// });
/// let fit = LevenbergMarquardt::default().minimize(&LeastSquares::from_residuals(residuals), &[1.0, 1.0])?;
/// assert!(fit.converged() && (fit.point[0] - 5.0).abs() < 1e-6 && (fit.point[1] - 0.5).abs() < 1e-6);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct FunctionResiduals<'a, T: Float = f64> {
    dimension: usize,
    count: usize,
    function: Function<'a, Var<T>, T>,
}

impl<'a, T: Float> FunctionResiduals<'a, T> {
    /// `count` residuals, in a variable of any shape, of a vector of `dimension` elements.
    ///
    /// Evaluated, they panic if the function gives another number of them, or if a vector has another length.
    pub fn new(dimension: usize, count: usize, function: impl Fn(&Var<T>) -> Var<T> + 'a) -> Self {
        FunctionResiduals { dimension, count, function: Box::new(function) }
    }

    #[track_caller]
    fn of(&self, x: &Var<T>) -> Var<T> {
        let residuals = (self.function)(x);
        check("FunctionResiduals", "residuals", residuals.len(), self.count);
        residuals
    }
}

impl<T: Float> Residuals<T> for FunctionResiduals<'_, T> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn count(&self) -> usize {
        self.count
    }

    #[track_caller]
    fn evaluate(&self, x: &[T], out: &mut [T]) {
        check("FunctionResiduals", "variables", x.len(), self.dimension);
        write("FunctionResiduals", &self.of(&Var::constant(Tensor::vector(x))), out);
    }

    #[track_caller]
    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_> {
        check("FunctionResiduals", "variables", x.len(), self.dimension);
        let tape = Tape::nested();
        tape.expect_tangents();
        let x = tape.var(Tensor::vector(x));
        let residuals = self.of(&x);
        Box::new(Recorded { tape, x, residuals })
    }
}

/// A recording of residuals of a vector.
struct Recorded<T: Float> {
    tape: Tape<T>,
    x: Var<T>,
    residuals: Var<T>,
}

impl<T: Float> Jacobian<T> for Recorded<T> {
    #[track_caller]
    fn apply(&self, v: &[T], out: &mut [T]) {
        check("FunctionResiduals", "variables", v.len(), self.x.len());
        let tangent = Var::constant(Tensor::vector(v));
        match self.tape.push_forward(&[&self.residuals], &[&self.x], &[tangent]).remove(0) {
            Some(moved) => write("FunctionResiduals", &moved, out),
            None => out.fill(T::ZERO),
        }
    }

    #[track_caller]
    fn apply_transpose(&self, u: &[T], out: &mut [T]) {
        let u = like("FunctionResiduals", u, &self.residuals);
        match self.tape.pull_back(&self.residuals, u, &[&self.x], Sweep::Retain).remove(0) {
            Some(slopes) => write("FunctionResiduals", &slopes, out),
            None => out.fill(T::ZERO),
        }
    }
}

impl<T: Float> Drop for Recorded<T> {
    fn drop(&mut self) {
        self.tape.close();
    }
}

/// The residuals of a model as functions of the flat parameter vector: made by
/// [`Objectives::least_squares`](crate::Objectives::least_squares).
///
/// ```
/// use wengert_curvature::{FlatResiduals, Objectives};
/// use wengert_nn::{Init, Params};
/// use wengert_optim::{LeastSquares, LevenbergMarquardt, Method};
/// let mut params: Params<f64> = Params::seeded(0);
/// let w = params.root().param("w", [1], Init::Ones);
/// let problem: LeastSquares<FlatResiduals<'_, f64>> = params.least_squares(|cx| cx.param(w).exp() - 2.0);
/// let fit = LevenbergMarquardt::default().minimize(&problem, params.values())?;
/// assert!((fit.point[0] - 2f64.ln()).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct FlatResiduals<'a, T: Float = f32> {
    /// Its outputs are the residuals.
    model: FlatLoss<'a, T>,
    count: usize,
}

impl<'a, T: Float> FlatResiduals<'a, T> {
    /// As many residuals as the model has outputs at `x`.
    #[track_caller]
    pub(crate) fn new(model: FlatLoss<'a, T>, x: &[T]) -> Self {
        let count = model.outputs_at("least_squares", x).len();
        FlatResiduals { model, count }
    }
}

impl<T: Float> Residuals<T> for FlatResiduals<'_, T> {
    fn dimension(&self) -> usize {
        self.model.model.layout().len()
    }

    fn count(&self) -> usize {
        self.count
    }

    #[track_caller]
    fn evaluate(&self, x: &[T], out: &mut [T]) {
        write("least_squares", &self.model.outputs_at("least_squares", x), out);
    }

    #[track_caller]
    fn jacobian(&self, x: &[T]) -> Box<dyn Jacobian<T> + '_> {
        Box::new(RecordedModel::new("least_squares", &self.model, x))
    }
}

/// Rows and columns of frozen parameters are zero.
impl<T: Float> Jacobian<T> for RecordedModel<T> {
    #[track_caller]
    fn apply(&self, v: &[T], out: &mut [T]) {
        let (wanted, tangents) = split("least_squares", &self.layout, &self.trained, v);
        match self.push_forward(&wanted, &tangents) {
            Some(moved) => write("least_squares", &moved, out),
            None => out.fill(T::ZERO),
        }
    }

    #[track_caller]
    fn apply_transpose(&self, u: &[T], out: &mut [T]) {
        let u = like("least_squares", u, &self.outputs());
        self.pull_back("least_squares", u, out);
    }
}

/// A vector as a variable of the residuals' shape.
#[track_caller]
fn like<T: Float>(operation: &str, u: &[T], residuals: &Var<T>) -> Var<T> {
    check(operation, "residuals", u.len(), residuals.len());
    Var::constant(Tensor::vector(u).reshape(residuals.shape()))
}

#[track_caller]
fn check(operation: &str, what: &str, found: usize, expected: usize) {
    assert!(found == expected, "{operation}: {found} {what}, not {expected}");
}
