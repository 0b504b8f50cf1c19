//! A loss as a function of the flat parameter vector, with its curvature: what second-order methods minimise.

mod gauss_newton;
mod hessian;

pub use gauss_newton::GaussNewton;
pub use hessian::Hessian;

use std::sync::Arc;

use wengert_tape::{Tape, Var};
use wengert_tensor::random::Generator;
use wengert_tensor::{Float, Tensor};

use crate::ctx::{Ctx, Mode};
use crate::params::{Layout, leaves, pieces, pull_back, scalar, tracked_leaves};

/// A loss as a function of the flat parameter vector: made by [`Params::flat_loss`](crate::Params::flat_loss) and
/// [`Params::flat_model`](crate::Params::flat_model).
///
/// It is a pure function: layers are in train mode, but dropout draws the same masks every time, and running
/// statistics that a layer updates are forgotten.
///
/// Where a method here evaluates the loss, it panics if the loss is not a scalar, if the vector's length is not
/// [`dimension`](FlatLoss::dimension), or, differentiating, if the loss does not depend on a parameter (unless that is frozen or
/// [allowed](crate::Params::allow_unreached)).
pub struct FlatLoss<'a, T: Float = f32> {
    pub(crate) layout: Arc<Layout>,
    pub(crate) buffers: Vec<Tensor<T>>,
    pub(crate) generator: Generator,
    pub(crate) allow_unreached: bool,
    pub(crate) outputs: Function<'a, Ctx<T>, T>,
    /// Without it, the outputs are the loss.
    pub(crate) loss: Option<Function<'a, Var<T>, T>>,
}

pub(crate) type Function<'a, A, T> = Box<dyn Fn(&A) -> Var<T> + 'a>;

impl<T: Float> FlatLoss<'_, T> {
    /// The number of parameters.
    pub fn dimension(&self) -> usize {
        self.layout.len()
    }

    /// The loss at `x`.
    #[track_caller]
    pub fn value(&self, x: &[T]) -> T {
        let cx = self.ctx(leaves(&self.layout, &self.flat(x), |_, value| Var::constant(value)));
        scalar("value", &self.total(&cx))
    }

    /// The loss at `x`, with its gradient written to `gradient`.
    #[track_caller]
    pub fn value_and_gradient(&self, x: &[T], gradient: &mut [T]) -> T {
        let (tape, cx) = self.recording(x);
        let loss = self.total(&cx);
        let value = scalar("value_and_gradient", &loss);
        self.write(pull_back(&tape, &cx, &loss), gradient);
        value
    }

    /// The Hessian at `x`, as an operator: the gradient is recorded now, and each product is one sweep.
    #[track_caller]
    pub fn hessian(&self, x: &[T]) -> Hessian<T> {
        let (tape, cx) = self.recording(x);
        let loss = self.total(&cx);
        Hessian::new(tape, &cx, &loss, self)
    }

    /// The generalised Gauss–Newton matrix Jᵀ·H·J at `x`, as an operator: J is the Jacobian of the model's outputs, H the
    /// Hessian of the loss as a function of them. `None` unless made by
    /// [`Params::flat_model`](crate::Params::flat_model), which tells them apart.
    #[track_caller]
    pub fn gauss_newton(&self, x: &[T]) -> Option<GaussNewton<T>> {
        let loss = self.loss.as_ref()?;
        let (tape, cx) = self.recording(x);
        let outputs = (self.outputs)(&cx);
        Some(GaussNewton::new(tape, &cx, outputs, loss, Arc::clone(&self.layout)))
    }

    fn total(&self, cx: &Ctx<T>) -> Var<T> {
        let outputs = (self.outputs)(cx);
        match &self.loss {
            Some(loss) => loss(&outputs),
            None => outputs,
        }
    }

    fn recording(&self, x: &[T]) -> (Tape<T>, Ctx<T>) {
        let tape = Tape::nested();
        let cx = self.ctx(tracked_leaves(&tape, &self.layout, &self.flat(x)));
        (tape, cx)
    }

    fn ctx(&self, leaves: Vec<Var<T>>) -> Ctx<T> {
        let layout = Arc::clone(&self.layout);
        Ctx::new(layout, leaves, Mode::Train, self.generator.clone(), self.buffers.clone())
    }

    #[track_caller]
    fn flat(&self, x: &[T]) -> Tensor<T> {
        check_length("parameter vector", x.len(), &self.layout);
        Tensor::vector(x)
    }

    /// Writes the derivatives of the parameters to their places.
    #[track_caller]
    fn write(&self, found: Vec<Option<Var<T>>>, out: &mut [T]) {
        match pieces(&self.layout, found, self.allow_unreached) {
            Ok(pieces) => write(&self.layout, &pieces, out),
            Err(error) => panic!("{error}"),
        }
    }
}

#[track_caller]
fn check_length(what: &str, length: usize, layout: &Layout) {
    assert!(length == layout.len(), "the {what} has {length} elements, for {} parameters", layout.len());
}

/// The parts of a flat vector that belong to the parameters that are not frozen, as tensors of their shapes.
#[track_caller]
fn split<T: Float>(layout: &Layout, v: &[T]) -> Vec<Var<T>> {
    check_length("vector", v.len(), layout);
    let flat = Tensor::vector(v);
    layout.entries().iter().filter(|e| !e.frozen).map(|e| Var::constant(e.view(&flat))).collect()
}

/// Writes pieces to their places, zeros where there are none.
#[track_caller]
fn write<T: Float>(layout: &Layout, pieces: &[Option<Tensor<T>>], out: &mut [T]) {
    check_length("slice to write to", out.len(), layout);
    for (entry, piece) in layout.entries().iter().zip(pieces) {
        let out = &mut out[entry.range()];
        match piece {
            Some(piece) => {
                out.copy_from_slice(piece.contiguous().as_slice().expect("contiguous"));
            }
            None => out.fill(T::ZERO),
        }
    }
}
