//! Operations that move elements to where indices say.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::data::{Data, Given};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply_given};
use crate::var::Var;

/// An operation that is linear in its only floating-point input, and whose other operand says which element goes where.
/// The tangent goes the same way, the cotangent back.
pub(crate) trait Routing<T: Float>: Clone + 'static {
    /// The name in messages.
    fn name(&self) -> &str;
    /// What distinguishes this operation from others of its name: see [`Op::describe`].
    fn describe(&self, _attributes: &mut Attributes) {}
    /// The value.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, route: &Data<T>) -> Tensor<T>;
    /// The transposed operation, for an input of shape `input`.
    fn transpose(&self, cotangent: &Var<T>, route: &Given<T>, input: &Shape) -> Var<T>;
    /// The shape of the output: see [`Op::output_shape`].
    #[track_caller]
    fn output_shape(&self, _input: &Shape) -> Option<Shape> {
        None
    }
    /// The operation for a recording: see [`Op::shared`].
    fn shared(self) -> Rc<dyn Op<T>> {
        Rc::new(RoutingOp(self))
    }
}

/// Applies such an operation.
#[track_caller]
pub(crate) fn routed<T: Float>(x: &Var<T>, operation: impl Routing<T>, route: &Given<T>) -> Var<T> {
    apply_given(RoutingOp(operation), &[x], &[route])
}

pub(crate) struct RoutingOp<R>(pub(crate) R);

impl<T: Float, R: Routing<T>> Op<T> for RoutingOp<R> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: evaluated with its route", self.0.name())
    }

    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(self.0.forward(inputs[0], given[0]))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || self.0.transpose(cotangent, at.given(0), at.input(0).shape()));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| routed(t, self.0.clone(), at.given(0)))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        self.0.output_shape(inputs[0])
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        self.0.shared()
    }
}
