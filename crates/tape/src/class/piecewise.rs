//! Functions whose derivative is zero almost everywhere.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply};
use crate::var::Var;

/// A function of any number of inputs that is constant between jumps: a sign, or which of several is the largest. Its
/// derivative is 0, and what the others' rules choose by is recorded instead of being a constant of one recording.
pub(crate) trait Piecewise<T: Float>: Clone + 'static {
    /// The name in messages.
    fn name(&self) -> &str;
    /// What distinguishes this function from others of its name: see [`Op::describe`].
    fn describe(&self, _attributes: &mut Attributes) {}
    /// The value.
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T>;
    /// The shape of the output: see [`Op::output_shape`].
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape>;
    /// The operation for a recording: see [`Op::shared`].
    fn shared(self) -> Rc<dyn Op<T>> {
        Rc::new(PiecewiseOp(self))
    }
}

/// Applies a function whose derivative is 0.
pub(crate) fn piecewise<T: Float, P: Piecewise<T>>(function: P, inputs: &[&Var<T>]) -> Var<T> {
    apply(PiecewiseOp(function), inputs)
}

pub(crate) struct PiecewiseOp<P>(pub(crate) P);

impl<T: Float, P: Piecewise<T>> Op<T> for PiecewiseOp<P> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.forward(inputs)
    }

    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}

    fn jvp(&self, _: &Point<T>, _: &[Option<Var<T>>]) -> Option<Var<T>> {
        None
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        self.0.output_shape(inputs)
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        self.0.shared()
    }
}
