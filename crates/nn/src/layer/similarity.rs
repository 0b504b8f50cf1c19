//! How like two inputs are.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::Layer;

/// The cosine of the angle between the vectors of a pair of inputs: see [`Var::cosine_similarity`].
///
/// ```
/// use wengert_nn::{CosineSimilarity, Layer, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let pair = (Var::from([[3.0, 4.0], [1.0, 0.0]]), Var::from([[3.0, 4.0], [0.0, 2.0]]));
/// let cosine = params.infer(|cx| CosineSimilarity::default().forward(cx, &pair));
/// assert!(cosine.value().all_close(&[1.0, 0.0].into(), 1e-15, 1e-15));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "nn.CosineSimilarity")]
pub struct CosineSimilarity {
    /// The axis of the vectors. Default 1, PyTorch's `dim`.
    #[doc(alias = "dim")]
    pub axis: isize,
    /// What lengths are at least. Default 10⁻⁸.
    pub eps: f64,
}

impl Default for CosineSimilarity {
    fn default() -> Self {
        CosineSimilarity { axis: 1, eps: 1e-8 }
    }
}

impl<T: Float> Layer<T, (Var<T>, Var<T>)> for CosineSimilarity {
    /// # Panics
    /// If the shapes do not broadcast, or there is no such axis.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, (a, b): &(Var<T>, Var<T>)) -> Var<T> {
        cx.enter("CosineSimilarity").leave(&[], a.cosine_similarity(b, self.axis, self.eps))
    }
}

/// The p-norm of the differences of the vectors along the last axis of a pair of inputs: see [`Var::pairwise_distance`].
///
/// ```
/// use wengert_nn::{Layer, PairwiseDistance, Params};
/// use wengert_tape::Var;
/// let params: Params<f64> = Params::seeded(0);
/// let pair = (Var::from([[3.0, 4.0]]), Var::from([[0.0, 0.0]]));
/// let distance = params.infer(|cx| PairwiseDistance::default().forward(cx, &pair));
/// assert!((distance.item() - 5.0).abs() < 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "nn.PairwiseDistance")]
pub struct PairwiseDistance {
    /// The order of the norm. Default 2.
    pub p: f64,
    /// What is added to each difference, lest the distance be 0. Default 10⁻⁶.
    pub eps: f64,
    /// Whether the last axis stays, with length 1. Default no.
    pub keepdim: bool,
}

impl Default for PairwiseDistance {
    fn default() -> Self {
        PairwiseDistance { p: 2.0, eps: 1e-6, keepdim: false }
    }
}

impl<T: Float> Layer<T, (Var<T>, Var<T>)> for PairwiseDistance {
    /// # Panics
    /// If the shapes do not broadcast, or there is no axis.
    #[track_caller]
    fn forward(&self, cx: &Ctx<T>, (a, b): &(Var<T>, Var<T>)) -> Var<T> {
        cx.enter("PairwiseDistance").leave(&[], a.pairwise_distance(b, self.p, self.eps, self.keepdim))
    }
}
