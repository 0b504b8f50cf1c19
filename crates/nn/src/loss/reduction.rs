//! What becomes of the losses of the single examples.

use wengert_tape::Var;
use wengert_tensor::Float;

/// What a loss returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// The mean.
    #[default]
    Mean,
    /// The sum.
    Sum,
    /// Each on its own.
    None,
}

impl Reduction {
    /// Applies the reduction.
    ///
    /// ```
    /// use wengert_nn::Reduction;
    /// use wengert_tape::Var;
    /// let losses = || Var::from([1.0f64, 3.0]);
    /// assert_eq!([Reduction::Mean, Reduction::Sum].map(|r| r.apply(losses()).item()), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn apply<T: Float>(self, losses: Var<T>) -> Var<T> {
        match self {
            Reduction::Mean => losses.mean(),
            Reduction::Sum => losses.sum(),
            Reduction::None => losses,
        }
    }
}
