//! The mean absolute error.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// |prediction − target|, by default the mean over all elements; the subgradient at 0 is 0.
///
/// ```
/// use wengert_nn::L1;
/// use wengert_tape::Var;
/// let (p, t) = (Var::from([1.0f64, 2.0]), Var::from([1.0, 5.0]));
/// assert_eq!(L1::default().loss(&p, &t).item(), 1.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "L1Loss")]
pub struct L1 {
    /// Mean, sum or neither.
    pub reduction: Reduction,
}

impl L1 {
    /// The loss of a prediction.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("l1", prediction, target);
        self.reduction.apply((prediction - target).abs())
    }
}
