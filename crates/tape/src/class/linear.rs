//! Operations that are linear in their only input.

use std::rc::Rc;

use wengert_tensor::{Float, Shape, Tensor};

use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Replays, Saves, apply, check_contribution};
use crate::var::Var;

/// An operation that is linear in its only input, such as a transpose, a sum or a gather.
///
/// The tangent goes through the operation itself, the cotangent through its transpose; nothing is kept but shapes.
///
/// ```
/// use wengert_tape::{LinearMap, Var, check_grads};
/// use wengert_tensor::{Float, Shape, Tensor};
///
/// /// The vector backwards.
/// #[derive(Clone)]
/// struct Reverse;
/// impl<T: Float> LinearMap<T> for Reverse {
///     fn name(&self) -> &str { "reverse" }
///     fn forward(&self, x: &Tensor<T>) -> Tensor<T> { x.flip(0) }
///     fn transpose(&self, cotangent: &Var<T>, _input: &Shape) -> Var<T> { cotangent.linear(Reverse) }
/// }
///
/// let x = Var::from([1.0f64, 2.0]);
/// assert_eq!(x.linear(Reverse).value().to_vec(), [2.0, 1.0]);
/// check_grads(|v| v[0].linear(Reverse), &[x], 2).unwrap();
/// ```
pub trait LinearMap<T: Float>: Clone + 'static {
    /// The name in messages.
    fn name(&self) -> &str;
    /// What distinguishes this operation from others of its name: see [`Op::describe`].
    fn describe(&self, _attributes: &mut Attributes) {}
    /// The value.
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T>;
    /// The transposed operation, for an input of shape `input`. The result may also have a shape that `input`
    /// broadcasts to, or one that broadcasts to `input` through [`Var::broadcast_to`].
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T>;
    /// The shape of the output: see [`Op::output_shape`].
    #[track_caller]
    fn output_shape(&self, _input: &Shape) -> Option<Shape> {
        None
    }
    /// How a replay may compute the value: see [`Op`].
    #[doc(hidden)]
    fn replays(&self) -> Replays<'_, T> {
        Replays::default()
    }
    /// The operation for a recording: see [`Op::shared`].
    #[doc(hidden)]
    fn shared(self) -> Rc<dyn Op<T>> {
        Rc::new(LinearOp(self))
    }
}

impl<T: Float> Var<T> {
    /// Applies a linear operation.
    #[track_caller]
    pub fn linear<L: LinearMap<T>>(&self, operation: L) -> Var<T> {
        apply(LinearOp(operation), &[self])
    }
}

pub(crate) struct LinearOp<L>(pub(crate) L);

impl<T: Float, L: LinearMap<T>> Op<T> for LinearOp<L> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn describe(&self, attributes: &mut Attributes) {
        self.0.describe(attributes);
    }

    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.0.forward(inputs[0])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let input = at.input(0).shape();
        into.add(0, || {
            let contribution = self.0.transpose(cotangent, input);
            check_contribution(self.0.name(), 0, input, &contribution);
            contribution
        });
    }

    fn jvp(&self, _: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| t.linear(self.0.clone()))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        self.0.output_shape(inputs[0])
    }

    fn replays(&self) -> Replays<'_, T> {
        self.0.replays()
    }

    fn shared(self) -> Rc<dyn Op<T>> {
        self.0.shared()
    }
}
