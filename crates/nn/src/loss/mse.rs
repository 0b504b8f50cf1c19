//! The mean squared error.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// (prediction − target)², by default the mean over all elements.
///
/// ```
/// use wengert_nn::{Mse, Reduction};
/// use wengert_tape::Var;
/// let (p, t) = (Var::from([1.0f64, 2.0]), Var::from([1.0, 5.0]));
/// assert_eq!(Mse::default().loss(&p, &t).item(), 4.5);
/// assert_eq!(Mse { reduction: Reduction::Sum }.loss(&p, &t).item(), 9.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "MSELoss")]
pub struct Mse {
    /// Mean, sum or neither.
    pub reduction: Reduction,
}

impl Mse {
    /// The loss of a prediction.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("mse", prediction, target);
        self.reduction.apply((prediction - target).square())
    }
}
