//! Cross-entropy of a linear layer's output without that output.

use wengert_tape::{Index, Var, checkpoint};
use wengert_tensor::Float;

use super::labels::Examples;
use super::{IGNORED, Reduction};

/// [`CrossEntropy`](super::CrossEntropy) of the logits x·Wᵀ + b, of which no more than `chunk` rows are in memory at a time:
/// where there are many classes, as the words of a vocabulary, the logits and their gradient are most of what a model needs.
/// They are computed again for each derivative, of any order.
///
/// ```
/// use wengert_nn::{LinearCrossEntropy, Losses};
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let (x, weight) = (Var::from([[1.0f64, 2.0], [0.0, 1.0]]), Var::from([[1.0, 0.0], [0.5, 0.5], [0.0, -1.0]]));
/// let labels = Tensor::from([2u32, 0]);
/// let loss = LinearCrossEntropy { chunk: 1, ..LinearCrossEntropy::default() }.loss(&x, &weight, None, &labels);
/// assert!((loss.item() - x.matmul(&weight.t()).cross_entropy(&labels).item()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "linear_cross_entropy")]
pub struct LinearCrossEntropy {
    /// Mean over the examples, sum or neither.
    pub reduction: Reduction,
    /// ε in [0, 1]; default 0.
    pub label_smoothing: f64,
    /// The label of examples that do not count; by default [`IGNORED`](super::IGNORED).
    pub ignore_index: u32,
    /// Rows of logits in memory; default 0, which stands for about a million logits.
    pub chunk: usize,
}

impl Default for LinearCrossEntropy {
    fn default() -> Self {
        LinearCrossEntropy {
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
            ignore_index: IGNORED,
            chunk: 0,
        }
    }
}

/// Logits in memory if nothing else is said.
const LOGITS: usize = 1 << 20;

impl LinearCrossEntropy {
    /// The loss of features `[…, width]`, a weight `[classes, width]` and a bias `[classes]` against labels `[…]`.
    ///
    /// # Panics
    /// If the shapes do not fit, a label is neither below the number of classes nor to be ignored, or the smoothing is not in
    /// [0, 1].
    #[track_caller]
    pub fn loss<T: Float>(
        &self,
        x: &Var<T>,
        weight: &Var<T>,
        bias: Option<&Var<T>>,
        labels: impl Into<Index<T>>,
    ) -> Var<T> {
        let smoothing = self.label_smoothing;
        assert!(
            (0.0..=1.0).contains(&smoothing),
            "linear_cross_entropy: the label smoothing {smoothing} is not in [0, 1]"
        );
        let shapes = (x.shape(), weight.shape());
        let fits = x.rank() > 0 && weight.rank() == 2 && shapes.0[x.rank() - 1] == shapes.1[1];
        assert!(fits, "linear_cross_entropy: features of shape {}, weight of {}", shapes.0, shapes.1);
        let classes = weight.shape()[0];
        if let Some(bias) = bias {
            let fits = bias.shape()[..] == [classes];
            assert!(fits, "linear_cross_entropy: bias of shape {} for {classes} classes", bias.shape());
        }
        let last = x.rank() - 1;
        let mut logits = x.shape().to_vec();
        logits[last] = classes;
        let labels = labels.into();
        let examples =
            Examples::new("linear_cross_entropy", &logits.into(), last, &labels, self.ignore_index, None);
        let rows = examples.labels.len();
        let flat = x.reshape([rows, x.shape()[last]]);
        let labels = examples.labels.reshape([rows]);
        let chunk = if self.chunk > 0 { self.chunk } else { (LOGITS / classes.max(1)).max(1) };
        let parts: Vec<Var<T>> = (0..rows.div_ceil(chunk).max(1))
            .map(|i| {
                let (start, end) = (i * chunk, (i * chunk + chunk).min(rows));
                let range = start as isize..end as isize;
                let (labels, part) = (labels.slice(range.clone()), flat.slice(range));
                let losses = move |v: &[Var<T>]| {
                    let logits = v[0].matmul(&v[1].t());
                    let logits = if let Some(bias) = v.get(2) { logits + bias } else { logits };
                    logits.softmax_cross_entropy(&labels, smoothing)
                };
                let inputs: Vec<&Var<T>> = [&part, weight].into_iter().chain(bias).collect();
                checkpoint(losses, &inputs)
            })
            .collect();
        let losses = Var::cat(&parts, 0).reshape(examples.labels.shape());
        examples.reduce(self.reduction, examples.weighted(losses))
    }
}
