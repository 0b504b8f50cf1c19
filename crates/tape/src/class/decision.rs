//! Functions whose value is no floating-point number.

use std::rc::Rc;

use wengert_tensor::{Float, Tensor};

use crate::data::{Data, Discrete, DiscreteElement, Given};
use crate::describe::Attributes;
use crate::op::{self, Cotangents, Op, Point, Saves};
use crate::var::Var;

/// A function whose values are indices or truth values: a comparison, a sort order, the position of a maximum. It has no
/// derivative. Complete recordings hold it; others only the value, where it goes into an operation.
pub(crate) trait Decision<T: Float>: Sized + 'static {
    /// `u32` or `bool`.
    type Element: DiscreteElement;
    /// The name in messages.
    fn name(&self) -> &str;
    /// What distinguishes this function from others of its name: see [`Op::describe`].
    fn describe(&self, _attributes: &mut Attributes) {}
    /// The value.
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<Self::Element>;
    /// The operation for a recording: see [`Op::shared`].
    fn shared(self) -> Rc<dyn Op<T>> {
        Rc::new(DecisionOp(self))
    }
}

/// Applies a function whose value is no floating-point number.
#[track_caller]
pub(crate) fn decision<T: Float, D: Decision<T>>(
    function: D,
    inputs: &[&Var<T>],
    given: &[&Given<T>],
) -> Discrete<D::Element, T> {
    Discrete::of(op::decide(DecisionOp(function), inputs, given))
}

pub(crate) struct DecisionOp<D>(pub(crate) D);

impl<T: Float, D: Decision<T>> Op<T> for DecisionOp<D> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("{}: the value is no floating-point number", self.0.name())
    }

    #[track_caller]
    fn evaluate(&self, inputs: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        D::Element::to_data(self.0.forward(inputs, given))
    }

    fn vjp(&self, _: &Point<T>, _: &Var<T>, _: &mut Cotangents<T>) {}

    fn jvp(&self, _: &Point<T>, _: &[Option<Var<T>>]) -> Option<Var<T>> {
        None
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        self.0.shared()
    }
}
