//! Losses of embeddings that should be near each other or far apart.

use wengert_tape::Var;
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// With the cosine c of the angle between a and b along the last axis: 1 − c where y is 1, max(0, c − margin) where y is −1, and
/// 0 elsewhere. As in PyTorch, c is a·b / √((a·a + 10⁻¹²)(b·b + 10⁻¹²)).
///
/// ```
/// use wengert_nn::CosineEmbedding;
/// use wengert_tape::Var;
/// let (a, b) = (Var::from([[1.0f64, 0.0], [1.0, 0.0]]), Var::from([[0.0, 2.0], [3.0, 0.0]]));
/// let loss = CosineEmbedding::default().loss(&a, &b, &Var::from([1.0, -1.0]));
/// assert!((loss.item() - 1.0).abs() < 1e-11);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[doc(alias = "CosineEmbeddingLoss")]
pub struct CosineEmbedding {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// The cosine up to which different ones are far enough apart, from −1 to 1; default 0.
    pub margin: f64,
}

/// What PyTorch adds to the squares of the lengths.
const ADDED: f64 = 1e-12;
/// The length beyond which that does not count in either precision.
const LONG: f64 = 1e4;

/// x / √(x·x + 10⁻¹²) along the last axis. The squares of what is long may leave the range of numbers; its norm does not.
fn unit<T: Float>(x: &Var<T>) -> Var<T> {
    let norm = x.norm_axes(2.0, -1, true);
    let long = norm.gt(LONG);
    let root = (x.masked_fill(&long, 0.0).square().sum_axes(-1, true) + ADDED).sqrt();
    x / Var::select_where(long, &norm, &root)
}

impl CosineEmbedding {
    /// The loss of embeddings `[…, width]`, for targets of 1 and −1 of shape `[…]`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn loss<T: Float>(&self, a: &Var<T>, b: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("cosine_embedding", a, b);
        let shapes = (a.shape(), target.shape());
        let fits = a.rank() > 0 && shapes.0[..a.rank() - 1] == shapes.1[..];
        assert!(fits, "cosine_embedding: embeddings of shape {}, targets of {}", shapes.0, shapes.1);
        let cosine = (unit(a) * unit(b)).sum_axes(-1, false);
        let together = (1.0 - &cosine).masked_fill(target.not_equal(1.0), 0.0);
        let apart = (cosine - self.margin).relu().masked_fill(target.not_equal(-1.0), 0.0);
        self.reduction.apply(together + apart)
    }
}

/// max(0, d(a, p) − d(a, n) + margin) for an anchor a, something like it p and something else n, with the distances
/// d(x, y) = ‖x − y + ε‖ₚ along the last axis (Balntas et al., "Learning shallow convolutional feature descriptors with triplet
/// losses", 2016).
///
/// ```
/// use wengert_nn::TripletMargin;
/// use wengert_tape::Var;
/// let (a, p, n) = (Var::from([[0.0f64]]), Var::from([[1.0]]), Var::from([[1.5]]));
/// assert!((TripletMargin::default().loss(&a, &p, &n).item() - 0.5).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "TripletMarginLoss")]
pub struct TripletMargin {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// By how much the other should be farther away; default 1.
    pub margin: f64,
    /// The order of the norm; default 2.
    pub p: f64,
    /// ε, default 10⁻⁶.
    pub epsilon: f64,
    /// Whether the distance of p and n counts where it is shorter than that of a and n; default false.
    pub swap: bool,
}

impl Default for TripletMargin {
    fn default() -> Self {
        TripletMargin { reduction: Reduction::Mean, margin: 1.0, p: 2.0, epsilon: 1e-6, swap: false }
    }
}

impl TripletMargin {
    /// The loss of embeddings `[…, width]`.
    ///
    /// # Panics
    /// If the shapes differ or there is no axis.
    #[track_caller]
    pub fn loss<T: Float>(&self, anchor: &Var<T>, positive: &Var<T>, negative: &Var<T>) -> Var<T> {
        let distance = |a: &Var<T>, b: &Var<T>| (a - b + self.epsilon).norm_axes(self.p, -1, false);
        self.loss_by(anchor, positive, negative, distance)
    }

    /// The same with a distance of one's own.
    ///
    /// # Panics
    /// If the shapes differ or there is no axis.
    ///
    /// ```
    /// use wengert_nn::TripletMargin;
    /// use wengert_tape::Var;
    /// let (anchor, near, far) = (Var::from([[0.0f64]]), Var::from([[1.0]]), Var::from([[1.5]]));
    /// let city_block = |a: &Var<f64>, b: &Var<f64>| (a - b).abs().sum_axes(-1, false);
    /// // Distances of 1 and 1.5, which should differ by 1.
    /// let loss = TripletMargin::default().loss_by(&anchor, &near, &far, city_block);
    /// assert_eq!(loss.item(), 0.5);
    /// ```
    #[doc(alias = "TripletMarginWithDistanceLoss")]
    #[track_caller]
    pub fn loss_by<T: Float>(
        &self,
        anchor: &Var<T>,
        positive: &Var<T>,
        negative: &Var<T>,
        distance: impl Fn(&Var<T>, &Var<T>) -> Var<T>,
    ) -> Var<T> {
        same_shape("triplet_margin", anchor, positive);
        same_shape("triplet_margin", anchor, negative);
        assert!(anchor.rank() > 0, "triplet_margin: shape {} has no axis", anchor.shape());
        let mut far = distance(anchor, negative);
        if self.swap {
            far = far.minimum(&distance(positive, negative));
        }
        self.reduction.apply((distance(anchor, positive) - far + self.margin).relu())
    }
}
