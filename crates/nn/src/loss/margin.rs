//! Losses of pairs that should be apart, or in an order, by a margin.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// max(0, margin − y·(a − b)): a should be above b where y is 1, and below it where y is −1.
///
/// ```
/// use wengert_nn::MarginRanking;
/// use wengert_tape::Var;
/// let (a, b, y) = (Var::from([1.0f64, 1.0]), Var::from([3.0, 3.0]), Var::from([1.0, -1.0]));
/// assert_eq!(MarginRanking::default().loss(&a, &b, &y).item(), 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[doc(alias = "MarginRankingLoss")]
pub struct MarginRanking {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// By how much; default 0.
    pub margin: f64,
}

impl MarginRanking {
    /// The loss of two scores, for targets of 1 and −1.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, a: &Var<T>, b: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("margin_ranking", a, b);
        same_shape("margin_ranking", a, target);
        self.reduction.apply((self.margin - target * (a - b)).relu())
    }
}

/// x where y is 1, max(0, margin − x) where y is −1: distances x should be small or at least the margin. (Elsewhere the sum of
/// both, as in PyTorch.)
///
/// ```
/// use wengert_nn::HingeEmbedding;
/// use wengert_tape::Var;
/// let (x, y) = (Var::from([0.5f64, 0.25]), Var::from([1.0, -1.0]));
/// assert_eq!(HingeEmbedding::default().loss(&x, &y).item(), (0.5 + 0.75) / 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "HingeEmbeddingLoss")]
pub struct HingeEmbedding {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// From where on a distance is large enough; default 1.
    pub margin: f64,
}

impl Default for HingeEmbedding {
    fn default() -> Self {
        HingeEmbedding { reduction: Reduction::Mean, margin: 1.0 }
    }
}

impl HingeEmbedding {
    /// The loss of distances, for targets of 1 and −1.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, distance: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("hinge_embedding", distance, target);
        let near = distance.masked_fill(target.equal(-1.0), 0.0);
        let far = (self.margin - distance).relu().masked_fill(target.equal(1.0), 0.0);
        self.reduction.apply(near + far)
    }
}

/// ln(1 + e^(−y·x)) for targets y of 1 and −1.
///
/// ```
/// use wengert_nn::SoftMargin;
/// use wengert_tape::Var;
/// assert_eq!(SoftMargin::default().loss(&Var::from([0.0f64]), &Var::from([1.0])).item(), 2f64.ln());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "SoftMarginLoss")]
pub struct SoftMargin {
    /// Mean, sum or neither.
    pub reduction: Reduction,
}

impl SoftMargin {
    /// The loss of scores.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, scores: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("soft_margin", scores, target);
        self.reduction.apply((-(target * scores)).softplus())
    }
}
