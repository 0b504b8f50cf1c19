//! Functions of two numbers.

use std::rc::Rc;

use wengert_tensor::shape::broadcast;
use wengert_tensor::{Float, Shape, Tensor};

use crate::cotangent;
use crate::op::{Cotangents, Op, Point, Saves, apply};
use crate::var::Var;

/// A function of two numbers, applied to the elements at the same position, after broadcasting. Both modes multiply by the
/// same two slopes.
pub(crate) trait Pairwise<T: Float>: Clone + 'static {
    /// The name in messages.
    fn name(&self) -> &str;
    /// The value.
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T>;
    /// `v`, a cotangent or a tangent, times the slope in the first number.
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T>;
    /// The same in the second.
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T>;
    /// Which values the slopes read: see [`Op::saves`].
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    /// The operation for a recording: see [`Op::shared`].
    fn shared(self) -> Rc<dyn Op<T>> {
        Rc::new(PairwiseOp(self))
    }
}

/// Applies such a function.
#[track_caller]
pub(crate) fn pairwise<T: Float>(function: impl Pairwise<T>, a: &Var<T>, b: &Var<T>) -> Var<T> {
    apply(PairwiseOp(function), &[a, b])
}

pub(crate) struct PairwiseOp<P>(pub(crate) P);

impl<T: Float, P: Pairwise<T>> Op<T> for PairwiseOp<P> {
    fn name(&self) -> &str {
        self.0.name()
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.forward(inputs[0], inputs[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || self.0.along_first(at, cotangent));
        into.add(1, || self.0.along_second(at, cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let whole = |t: Var<T>| t.broadcast_to(at.output().shape());
        let first = tangents[0].as_ref().map(|t| whole(self.0.along_first(at, t)));
        let second = tangents[1].as_ref().map(|t| whole(self.0.along_second(at, t)));
        cotangent::sum(first, second)
    }

    fn saves(&self) -> Saves {
        self.0.saves()
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        self.0.shared()
    }
}
