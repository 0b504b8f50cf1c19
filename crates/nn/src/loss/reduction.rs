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
    #[track_caller]
    pub fn apply<T: Float>(self, losses: Var<T>) -> Var<T> {
        match self {
            Reduction::Mean => losses.mean(),
            Reduction::Sum => losses.sum(),
            Reduction::None => losses,
        }
    }
}
