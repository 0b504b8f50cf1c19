//! Losses, one file each: a struct with options, and a method of [`Losses`] for the defaults.

mod accuracy;
mod bce;
mod cross_entropy;
mod huber;
mod l1;
mod mse;
mod reduction;
mod scalar;

pub use accuracy::accuracy;
pub use bce::{Bce, BceWithLogits};
pub use cross_entropy::{CrossEntropy, Target};
pub use huber::{Huber, SmoothL1};
pub use l1::L1;
pub use mse::Mse;
pub use reduction::Reduction;
#[doc(hidden)]
pub use scalar::{Watched, scalar};

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

    /// The mean absolute error: see [`L1`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn l1(&self, target: &Var<T>) -> Var<T>;

    /// The mean of Huber's loss with δ = 1: see [`Huber`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn huber(&self, target: &Var<T>) -> Var<T>;

    /// The mean smooth L1 loss with β = 1: see [`SmoothL1`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn smooth_l1(&self, target: &Var<T>) -> Var<T>;

    /// The mean binary cross-entropy of probabilities: see [`Bce`].
    ///
    /// # Panics
    /// If the shapes differ or a prediction is outside [0, 1].
    #[track_caller]
    fn bce(&self, target: &Var<T>) -> Var<T>;

    /// The mean binary cross-entropy of logits: see [`BceWithLogits`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn bce_with_logits(&self, target: &Var<T>) -> Var<T>;
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
    #[track_caller]
    fn l1(&self, target: &Var<T>) -> Var<T> {
        L1::default().loss(self, target)
    }
    #[track_caller]
    fn huber(&self, target: &Var<T>) -> Var<T> {
        Huber::default().loss(self, target)
    }
    #[track_caller]
    fn smooth_l1(&self, target: &Var<T>) -> Var<T> {
        SmoothL1::default().loss(self, target)
    }
    #[track_caller]
    fn bce(&self, target: &Var<T>) -> Var<T> {
        Bce::default().loss(self, target)
    }
    #[track_caller]
    fn bce_with_logits(&self, target: &Var<T>) -> Var<T> {
        BceWithLogits::default().loss(self, target)
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
