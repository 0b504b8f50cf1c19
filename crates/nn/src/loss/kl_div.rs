//! The Kullback–Leibler divergence.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// t·(ln t − x) for logarithms of probabilities x and target probabilities t (0 where t is 0), whose sum over a distribution is
/// the Kullback–Leibler divergence KL(t ‖ eˣ).
///
/// The mean over all elements, the default as in PyTorch, is not the mean divergence: that is
/// `KlDiv { batch_mean: true, ..KlDiv::default() }`, the sum divided by the length of the first axis.
///
/// ```
/// use wengert_nn::KlDiv;
/// use wengert_tape::Var;
/// let (x, t) = (Var::from([[0.5f64, 0.5]]).ln(), Var::from([[1.0, 0.0]]));
/// let divergence = KlDiv { batch_mean: true, ..KlDiv::default() }.loss(&x, &t);
/// assert_eq!(divergence.item(), 2f64.ln());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "KLDivLoss")]
pub struct KlDiv {
    /// Mean over all elements, sum or neither.
    pub reduction: Reduction,
    /// Instead, the sum divided by the length of the first axis.
    pub batch_mean: bool,
    /// Whether the target is given by its logarithms.
    pub log_target: bool,
}

impl KlDiv {
    /// The loss of logarithms of probabilities.
    ///
    /// # Panics
    /// If the shapes differ, or the mean over the batch of something without axes is asked for.
    #[track_caller]
    pub fn loss<T: Float>(&self, log_probabilities: &Var<T>, target: &Var<T>) -> Var<T> {
        let x = log_probabilities;
        same_shape("kl_div", x, target);
        let losses = if self.log_target {
            target.exp() * (target - x)
        } else {
            // The limit of t ln t at 0, and nothing of x there.
            let none = target.equal(0.0);
            let log = target.masked_fill(&none, 1.0).ln();
            target * (log - x.masked_fill(none, 0.0))
        };
        if !self.batch_mean {
            return self.reduction.apply(losses);
        }
        assert!(x.rank() > 0, "kl_div: shape {} has no axis of examples", x.shape());
        losses.sum() / x.shape()[0] as f64
    }
}
