//! Functions of a vector, written in operations on [`Var`], as objectives and constraints: their derivatives are
//! the tape's.

use std::rc::Rc;

use wengert_nn::Watched;
use wengert_optim::constrained::Constraints;
use wengert_optim::{CurvatureAt, Objective, Operator, Want};
use wengert_tape::{HessianOperator, Var, hvp, value_and_grad};
use wengert_tensor::{Float, Tensor};

use crate::flat_loss::Function;

/// A scalar function of a vector as an objective with exact gradient and Hessian. Products with the Hessian at one
/// point share one recording of the gradient.
///
/// Evaluated, it panics if the function's value does not have exactly one element.
///
/// ```
/// use wengert_curvature::FunctionObjective;
/// use wengert_optim::{Method, TrustRegionNewton};
/// use wengert_tape::Var;
///
/// let rosenbrock = FunctionObjective::new(2, |x: &Var<f64>| {
///     let (x, y) = (x.select(0, 0), x.select(0, 1));
///     (1.0 - &x).powi(2) + (y - x.powi(2)).powi(2) * 100.0
/// });
/// let outcome = TrustRegionNewton::default().minimize(&rosenbrock, &[-1.2, 1.0])?;
/// assert!(outcome.converged() && (outcome.point[0] - 1.0).abs() < 1e-8);
/// # Ok::<(), wengert_optim::MinimizeError>(())
/// ```
pub struct FunctionObjective<'a, T: Float = f64> {
    dimension: usize,
    function: Function<'a, Var<T>, T>,
}

impl<'a, T: Float> FunctionObjective<'a, T> {
    /// `function` of a vector of `dimension` elements.
    pub fn new(dimension: usize, function: impl Fn(&Var<T>) -> Var<T> + 'a) -> Self {
        FunctionObjective { dimension, function: Box::new(function) }
    }
}

impl<T: Float> Objective<T> for FunctionObjective<'_, T> {
    fn dimension(&self) -> usize {
        self.dimension
    }

    #[track_caller]
    fn value(&self, x: &[T]) -> f64 {
        self.check(x);
        value("FunctionObjective", &*self.function, x)
    }

    #[track_caller]
    fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> f64 {
        self.check(x);
        self::gradient("FunctionObjective", &*self.function, x, gradient).item().to_f64()
    }

    #[track_caller]
    fn curvature(&self, want: Want, x: &[T]) -> Option<CurvatureAt<'_, T>> {
        match want {
            Want::Hessian => Some(CurvatureAt::operator(self.hessian_at(x))),
            _ => None,
        }
    }

    #[track_caller]
    fn second_order(&self, x: &[T], gradient: &mut [T]) -> Option<(f64, Box<dyn Operator<T> + '_>)> {
        let hessian = self.hessian_at(x);
        write("FunctionObjective", &hessian.operator.gradient(), gradient);
        Some((hessian.operator.value().item().to_f64(), Box::new(hessian)))
    }
}

impl<T: Float> FunctionObjective<'_, T> {
    #[track_caller]
    fn check(&self, x: &[T]) {
        let (found, dimension) = (x.len(), self.dimension);
        assert!(found == dimension, "FunctionObjective: a point of {found} elements, not {dimension}");
    }

    #[track_caller]
    fn hessian_at(&self, x: &[T]) -> HessianAt<T> {
        self.check(x);
        let function = Watched::new(&*self.function);
        let operator = HessianOperator::new(|x: &Var<T>| function.value(x), &var(x));
        function.check("FunctionObjective");
        HessianAt { dimension: self.dimension, operator }
    }
}

struct HessianAt<T: Float> {
    dimension: usize,
    operator: HessianOperator<T, Var<T>>,
}

impl<T: Float> Operator<T> for HessianAt<T> {
    fn dimension(&self) -> usize {
        self.dimension
    }
    fn apply(&self, v: &[T], out: &mut [T]) {
        write("FunctionObjective", &self.operator.apply(&var(v)), out);
    }
}

/// [`Constraints`] written in operations on [`Var`], with exact gradients and Hessians.
///
/// Evaluated, they panic if a constraint's value does not have exactly one element. Where it is infinite or NaN, methods
/// step back.
pub trait FunctionConstraints<'f, T: Float>: Sized {
    /// Adds `c(x) = 0`.
    ///
    /// ```
    /// use wengert_curvature::{FunctionConstraints, FunctionObjective};
    /// use wengert_optim::Method;
    /// use wengert_optim::constrained::{Bounds, Constraints, InteriorPoint};
    /// use wengert_tape::Var;
    ///
    /// // Hock and Schittkowski's problem 71.
    /// let f = FunctionObjective::new(4, |x: &Var<f64>| {
    ///     x.select(0, 0) * x.select(0, 3) * x.slice(..3).sum() + x.select(0, 2)
    /// });
    /// let constraints = Constraints::new(4)
    ///     .equality_of(|x| x.square().sum() - 40.0)
    ///     .inequality_of(|x| x.prod() - 25.0)
    ///     .with_bounds(Bounds::uniform(4, 1.0, 5.0)?);
    /// let outcome = InteriorPoint::new(&constraints).minimize(&f, &[1.0, 5.0, 5.0, 1.0])?;
    /// assert!(outcome.converged() && (outcome.value - 17.0140173).abs() < 1e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn equality_of(self, c: impl Fn(&Var<T>) -> Var<T> + 'f) -> Self;

    /// Adds `c(x) ≥ 0`: see [`equality_of`](Self::equality_of).
    fn inequality_of(self, c: impl Fn(&Var<T>) -> Var<T> + 'f) -> Self;
}

impl<'f, T: Float> FunctionConstraints<'f, T> for Constraints<'f, T> {
    fn equality_of(self, c: impl Fn(&Var<T>) -> Var<T> + 'f) -> Self {
        let index = self.equalities();
        let c = Rc::new(c);
        let (f, g, h) = (Rc::clone(&c), Rc::clone(&c), c);
        self.equality(
            move |x| value("equality_of", &*f, x),
            move |x, out| drop(gradient("equality_of", &*g, x, out)),
        )
        .with_equality_hvp(index, move |x, v, out| product("equality_of", &*h, x, v, out))
    }

    fn inequality_of(self, c: impl Fn(&Var<T>) -> Var<T> + 'f) -> Self {
        let index = self.inequalities();
        let c = Rc::new(c);
        let (f, g, h) = (Rc::clone(&c), Rc::clone(&c), c);
        self.inequality(
            move |x| value("inequality_of", &*f, x),
            move |x, out| drop(gradient("inequality_of", &*g, x, out)),
        )
        .with_inequality_hvp(index, move |x, v, out| product("inequality_of", &*h, x, v, out))
    }
}

#[track_caller]
fn value<T: Float>(operation: &str, f: impl Fn(&Var<T>) -> Var<T>, x: &[T]) -> f64 {
    let function = Watched::new(f);
    let value = function.value(&var(x));
    function.check(operation);
    value.item().to_f64()
}

#[track_caller]
fn gradient<T: Float>(operation: &str, f: impl Fn(&Var<T>) -> Var<T>, x: &[T], out: &mut [T]) -> Var<T> {
    let function = Watched::new(f);
    let (value, found) = value_and_grad(|x: &Var<T>| function.value(x), &var(x));
    function.check(operation);
    write(operation, &found, out);
    value
}

fn product<T: Float>(operation: &str, f: impl Fn(&Var<T>) -> Var<T>, x: &[T], v: &[T], out: &mut [T]) {
    let function = Watched::new(f);
    let found = hvp(|x: &Var<T>| function.value(x), &var(x), &var(v));
    function.check(operation);
    write(operation, &found, out);
}

fn var<T: Float>(x: &[T]) -> Var<T> {
    Var::constant(Tensor::vector(x))
}

/// Writes the elements of a result to a slice, which must have as many.
#[track_caller]
pub(crate) fn write<T: Float>(operation: &str, found: &Var<T>, out: &mut [T]) {
    let (length, elements) = (out.len(), found.len());
    assert!(length == elements, "{operation}: a slice of {length} elements to write {elements} to");
    let found = found.value().contiguous();
    out.copy_from_slice(found.as_slice().expect("contiguous"));
}
