//! Losses, one file each: a struct with options, and a method of [`Losses`] for the defaults.

mod accuracy;
mod bce;
mod cross_entropy;
mod ctc;
mod embedding;
mod gaussian_nll;
mod huber;
mod kl_div;
mod l1;
mod labels;
mod linear_cross_entropy;
mod margin;
mod mse;
mod multi_margin;
mod nll;
mod poisson_nll;
mod reduction;
mod scalar;

pub use accuracy::accuracy;
pub use bce::{Bce, BceWithLogits};
pub use cross_entropy::{CrossEntropy, Target};
pub use ctc::Ctc;
pub use embedding::{CosineEmbedding, TripletMargin};
pub use gaussian_nll::GaussianNll;
pub use huber::{Huber, SmoothL1};
pub use kl_div::KlDiv;
pub use l1::L1;
pub use labels::IGNORED;
pub use linear_cross_entropy::LinearCrossEntropy;
pub use margin::{HingeEmbedding, MarginRanking, SoftMargin};
pub use mse::Mse;
pub use multi_margin::{MultiLabelMargin, MultiLabelSoftMargin, MultiMargin};
pub use nll::Nll;
pub use poisson_nll::PoissonNll;
pub use reduction::Reduction;
#[doc(hidden)]
pub use scalar::{Watched, scalar};

use wengert_tape::{Index, Var};
use wengert_tensor::Float;

/// The losses with their default options, as methods of predictions. Those of more than a prediction and a target
/// ([`GaussianNll`], [`TripletMargin`], [`CosineEmbedding`], [`MarginRanking`], [`LinearCrossEntropy`]) are called by their own
/// method `loss`.
///
/// ```
/// use wengert_nn::Losses;
/// use wengert_tape::Var;
/// assert_eq!(Var::from([1.0f64, 3.0]).mse(&Var::from([1.0, 1.0])).item(), 2.0);
/// ```
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

    /// The mean negative log-likelihood of labels, for logarithms of probabilities: see [`Nll`].
    ///
    /// # Panics
    /// If the shapes do not fit or a label is not a class.
    #[track_caller]
    fn nll(&self, labels: impl Into<Index<T>>) -> Var<T>;

    /// The mean over all elements of the Kullback–Leibler divergence's terms, for logarithms of probabilities: see [`KlDiv`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn kl_div(&self, target: &Var<T>) -> Var<T>;

    /// The mean negative log-likelihood of counts, for logarithms of rates: see [`PoissonNll`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn poisson_nll(&self, target: &Var<T>) -> Var<T>;

    /// The mean hinge loss of distances, for targets of 1 and −1: see [`HingeEmbedding`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn hinge_embedding(&self, target: &Var<T>) -> Var<T>;

    /// The mean logistic loss of scores, for targets of 1 and −1: see [`SoftMargin`].
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    fn soft_margin(&self, target: &Var<T>) -> Var<T>;

    /// The mean hinge loss of scores of several classes: see [`MultiMargin`].
    ///
    /// # Panics
    /// If the shapes do not fit or a label is not a class.
    #[track_caller]
    fn multi_margin(&self, labels: impl Into<Index<T>>) -> Var<T>;

    /// The mean binary cross-entropy of logits, averaged over the classes first: see [`MultiLabelSoftMargin`].
    ///
    /// # Panics
    /// If the shapes differ or there is no axis.
    #[track_caller]
    fn multi_label_soft_margin(&self, target: &Var<T>) -> Var<T>;
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
    #[track_caller]
    fn nll(&self, labels: impl Into<Index<T>>) -> Var<T> {
        Nll::default().loss(self, labels)
    }
    #[track_caller]
    fn kl_div(&self, target: &Var<T>) -> Var<T> {
        KlDiv::default().loss(self, target)
    }
    #[track_caller]
    fn poisson_nll(&self, target: &Var<T>) -> Var<T> {
        PoissonNll::default().loss(self, target)
    }
    #[track_caller]
    fn hinge_embedding(&self, target: &Var<T>) -> Var<T> {
        HingeEmbedding::default().loss(self, target)
    }
    #[track_caller]
    fn soft_margin(&self, target: &Var<T>) -> Var<T> {
        SoftMargin::default().loss(self, target)
    }
    #[track_caller]
    fn multi_margin(&self, labels: impl Into<Index<T>>) -> Var<T> {
        MultiMargin::default().loss(self, labels)
    }
    #[track_caller]
    fn multi_label_soft_margin(&self, target: &Var<T>) -> Var<T> {
        MultiLabelSoftMargin::default().loss(self, target)
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
