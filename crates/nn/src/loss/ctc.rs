//! Connectionist temporal classification.

use wengert_tape::{Index, Var};
use wengert_tensor::Float;

use super::Reduction;

/// −ln of the probability that a sequence of classes, with blanks and repetitions taken out, is a sequence of labels (Graves et
/// al., "Connectionist temporal classification", 2006): see [`Var::ctc_loss`].
///
/// As in PyTorch, the mean divides each loss by its number of labels first.
///
/// ```
/// use wengert_nn::{Ctc, Reduction};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let log_p = Var::<f64>::zeros([2, 1, 2]).log_softmax(-1);
/// let counts = (Tensor::from([2u32]), Tensor::from([1u32]));
/// let loss = Ctc::default().loss(&log_p, &Tensor::from([[1u32]]), &counts.0, &counts.1);
/// assert!((loss.item() + 0.75f64.ln()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "CTCLoss")]
pub struct Ctc {
    /// Mean over the sequences, sum or neither.
    pub reduction: Reduction,
    /// The class that stands for no label; default 0.
    pub blank: u32,
    /// Whether infinite losses, of sequences with too few steps for their labels, count as 0; default false.
    pub zero_infinity: bool,
}

impl Ctc {
    /// The loss of logarithms of probabilities `[steps, sequences, classes]` against labels `[sequences, most labels]` or, one
    /// after the other, `[labels]`.
    ///
    /// # Panics
    /// If the shapes do not fit, a number of steps or labels is larger than there are, or a label or the blank is no class.
    #[track_caller]
    pub fn loss<T: Float>(
        &self,
        log_probabilities: &Var<T>,
        labels: impl Into<Index<T>>,
        step_counts: impl Into<Index<T>>,
        label_counts: impl Into<Index<T>>,
    ) -> Var<T> {
        let (labels, counts) = (labels.into(), label_counts.into());
        let labels = if labels.shape().len() == 1 {
            let total: usize = counts.value().to_vec().into_iter().map(|n| n as usize).sum();
            assert!(total == labels.len(), "ctc: {} labels, where the counts come to {total}", labels.len());
            labels.in_rows(&counts)
        } else {
            labels
        };
        let width = labels.shape().last().copied().unwrap_or(0);
        let mut losses = log_probabilities.ctc_loss(labels, step_counts, &counts, self.blank);
        if self.zero_infinity {
            losses = losses.masked_fill(losses.equal(f64::INFINITY), 0.0);
        }
        if self.reduction == Reduction::Mean {
            // By what can be recorded: in a replay there are other numbers of labels.
            let within = counts.positions_within(0..width);
            let ones = Var::ones(within.shape());
            let number = Var::select_where(within, &ones, &Var::scalar(T::ZERO)).sum_axes(0, false);
            losses /= number.clamp(1.0, f64::INFINITY);
        }
        self.reduction.apply(losses)
    }
}
