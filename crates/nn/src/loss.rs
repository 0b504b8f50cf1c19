//! Losses, one file each: a struct with options, and a method of [`Losses`] for the defaults.

mod accuracy;
mod cross_entropy;
mod mse;
mod reduction;

pub use accuracy::accuracy;
pub use cross_entropy::{CrossEntropy, Target};
pub use mse::Mse;
pub use reduction::Reduction;

use wengert_tape::Var;
use wengert_tensor::Float;

/// The losses with their default options, as methods of predictions.
pub trait Losses<T: Float> {
    /// The mean softmax cross-entropy of logits `[…, classes]` against labels (`&Tensor<u32>` of shape `[…]`) or
    /// probabilities (`&Var`): see [`CrossEntropy`].
    ///
    /// # Panics
    /// If the shapes do not fit or a label is not a class.
    #[track_caller]
    fn cross_entropy<'a>(&self, target: impl Into<Target<'a, T>>) -> Var<T>;

    /// The mean squared error: see [`Mse`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn mse(&self, target: &Var<T>) -> Var<T>;
}

impl<T: Float> Losses<T> for Var<T> {
    #[track_caller]
    fn cross_entropy<'a>(&self, target: impl Into<Target<'a, T>>) -> Var<T> {
        CrossEntropy::default().loss(self, target)
    }
    #[track_caller]
    fn mse(&self, target: &Var<T>) -> Var<T> {
        Mse::default().loss(self, target)
    }
}

/// Panics unless prediction and target have the same shape: a loss does not broadcast.
#[track_caller]
fn same_shape<T: Float>(operation: &str, prediction: &Var<T>, target: &Var<T>) {
    assert!(
        prediction.shape() == target.shape(),
        "{operation}: the prediction has shape {}, the target {}",
        prediction.shape(),
        target.shape()
    );
}
