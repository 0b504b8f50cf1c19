//! Losses must be scalars, also those that are evaluated out of the caller's reach.

use std::cell::OnceCell;

use wengert_tape::Var;
use wengert_tensor::{Float, Shape};

/// The value of a loss.
#[track_caller]
pub fn scalar<T: Float>(operation: &str, loss: &Var<T>) -> T {
    if loss.len() != 1 {
        no_scalar(operation, loss.shape());
    }
    loss.item()
}

#[cold]
#[track_caller]
fn no_scalar(operation: &str, loss: &Shape) -> ! {
    panic!("{operation}: the loss has shape {loss}, not that of a scalar: take its mean or sum")
}

/// A loss that is evaluated where a panic would not name the caller's line: what it returns instead of a scalar is
/// remembered, to be refused afterwards.
pub struct Watched<F> {
    loss: F,
    refused: OnceCell<Shape>,
}

impl<F> Watched<F> {
    /// Watches `loss`.
    pub fn new(loss: F) -> Self {
        Watched { loss, refused: OnceCell::new() }
    }

    /// The loss, or the sum of what is no scalar.
    pub fn value<A: ?Sized, T: Float>(&self, argument: &A) -> Var<T>
    where
        F: Fn(&A) -> Var<T>,
    {
        let loss = (self.loss)(argument);
        if loss.len() == 1 {
            return loss;
        }
        self.refused.get_or_init(|| loss.shape().clone());
        loss.sum()
    }

    /// Panics in the name of `operation` if a value was no scalar.
    #[doc(hidden)]
    #[track_caller]
    pub fn check(&self, operation: &str) {
        if let Some(shape) = self.refused.get() {
            no_scalar(operation, shape);
        }
    }
}
