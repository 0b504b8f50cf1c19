//! Hinge losses of several classes.

use wengert_tape::{Index, Var};
use wengert_tensor::{Float, Shape, Tensor};

use super::labels::{Examples, along};
use super::{IGNORED, Reduction, same_shape};

/// 1/K Σ max(0, margin − x\[y\] + x\[i\])ᵖ over the classes i other than the label y, for scores x of K classes along the last
/// axis; times the label's weight, if there are weights.
///
/// ```
/// use wengert_nn::MultiMargin;
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let loss = MultiMargin::default().loss(&Var::from([[0.5f64, 1.0]]), &Tensor::from([0u32]));
/// assert_eq!(loss.item(), 0.75);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "MultiMarginLoss")]
pub struct MultiMargin {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// The power, 1 or 2; default 1.
    pub p: i32,
    /// The margin; default 1.
    pub margin: f64,
    /// The weight of each class; by default none.
    pub class_weights: Option<Vec<f64>>,
}

impl Default for MultiMargin {
    fn default() -> Self {
        MultiMargin { reduction: Reduction::Mean, p: 1, margin: 1.0, class_weights: None }
    }
}

impl MultiMargin {
    /// The loss of scores `[…, classes]` against labels `[…]`.
    ///
    /// # Panics
    /// If the shapes do not fit, a label is no class, there is not a weight for each class, or p is neither 1 nor 2.
    #[track_caller]
    pub fn loss<T: Float>(&self, scores: &Var<T>, labels: impl Into<Index<T>>) -> Var<T> {
        assert!([1, 2].contains(&self.p), "multi_margin: the power {} is neither 1 nor 2", self.p);
        let axis = scores.shape().axis("multi_margin", -1);
        let (labels, classes) = (labels.into(), scores.shape()[axis]);
        let examples = Examples::new(
            "multi_margin",
            scores.shape(),
            axis,
            &labels,
            IGNORED,
            self.class_weights.as_deref(),
        );
        let with_axis: Shape = examples.labels.shape().iter().copied().chain([1]).collect();
        let right = scores.gather(axis, examples.labels.reshape(with_axis));
        // What is not counted is left out, not multiplied by 0: the score may be infinite.
        let own = examples.labels.one_hot(classes).equal(1.0);
        let hinge = (scores - right + self.margin).masked_fill(own, 0.0).relu();
        let hinge = if self.p == 2 { hinge.square() } else { hinge };
        let losses = examples.weighted(hinge.sum_axes(axis, false) / classes as f64);
        // As in PyTorch, the mean is over the examples whatever their weights.
        self.reduction.apply(losses)
    }
}

/// 1/K Σ max(0, 1 − x\[j\] + x\[i\]) over the right classes j and the others i, for scores x of K classes along the last axis.
///
/// ```
/// use wengert_nn::MultiLabelMargin;
/// use wengert_tape::Var;
/// use wengert_tensor::Tensor;
/// let scores = Var::from([[0.1f64, 0.2, 0.4, 0.8]]);
/// // The classes 3 and 0.
/// let right = Tensor::from([[true, false, false, true]]);
/// assert!((MultiLabelMargin::default().loss(&scores, &right).item() - 0.85).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "MultiLabelMarginLoss")]
pub struct MultiLabelMargin {
    /// Mean, sum or neither.
    pub reduction: Reduction,
}

impl MultiLabelMargin {
    /// The loss of scores `[…, classes]`, given which classes are right, of the same shape. (PyTorch lists their numbers
    /// instead.)
    ///
    /// # Panics
    /// If the shapes differ or there is no axis.
    #[track_caller]
    pub fn loss<T: Float>(&self, scores: &Var<T>, right: &Tensor<bool>) -> Var<T> {
        let shapes = (scores.shape(), right.shape());
        assert!(
            shapes.0 == shapes.1,
            "multi_label_margin: scores of shape {}, targets of {}",
            shapes.0,
            shapes.1
        );
        let axis = shapes.0.axis("multi_label_margin", -1);
        let right = Var::constant(right.cast::<T>());
        let (column, row) = (scores.unsqueeze(-1), scores.unsqueeze(-2));
        // Only pairs of a right class and a wrong one count.
        let others = right.unsqueeze(-1).le(right.unsqueeze(-2));
        let hinge = (1.0 - column + row).masked_fill(others, 0.0).relu();
        self.reduction.apply(hinge.sum_axes([-2isize, -1], false) / shapes.0[axis] as f64)
    }
}

/// The mean over K classes, along the last axis, of −w (y ln σ(x) + (1 − y) ln(1 − σ(x))): a binary cross-entropy for each class.
///
/// ```
/// use wengert_nn::MultiLabelSoftMargin;
/// use wengert_tape::Var;
/// let loss = MultiLabelSoftMargin::default().loss(&Var::from([[0.0f64, 0.0]]), &Var::from([[1.0, 0.0]]));
/// assert_eq!(loss.item(), 2f64.ln());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[doc(alias = "MultiLabelSoftMarginLoss")]
pub struct MultiLabelSoftMargin {
    /// Mean over the examples, sum or neither.
    pub reduction: Reduction,
    /// The weight of each class; by default none.
    pub class_weights: Option<Vec<f64>>,
}

impl MultiLabelSoftMargin {
    /// The loss of logits `[…, classes]`, for targets from 0 to 1 of the same shape.
    ///
    /// # Panics
    /// If the shapes differ, there is no axis or not a weight for each class.
    #[track_caller]
    pub fn loss<T: Float>(&self, logits: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("multi_label_soft_margin", logits, target);
        let axis = logits.shape().axis("multi_label_soft_margin", -1);
        let mut losses = target * (-logits).softplus() + (1.0 - target) * logits.softplus();
        if let Some(weights) = &self.class_weights {
            losses *= along("multi_label_soft_margin", weights, logits.shape(), axis);
        }
        self.reduction.apply(losses.mean_axes(axis, false))
    }
}
