//! Binary cross-entropy, of probabilities and of logits.

use wengert_tape::{Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;
use wengert_tensor::shape::broadcast;

use super::labels::position;
use super::{Reduction, same_shape};

/// −(t·ln p + (1 − t)·ln(1 − p)) for probabilities p and targets t in [0, 1], by default the mean over all elements.
///
/// As in PyTorch, the logarithms are not below −100, and their derivative not above 10¹². Where the probabilities come
/// from a sigmoid, [`BceWithLogits`] is more exact.
///
/// ```
/// use wengert_nn::Bce;
/// use wengert_tape::Var;
/// let (p, t) = (Var::from([0.5f64, 0.0]), Var::from([1.0, 1.0]));
/// assert_eq!(Bce::default().loss(&p, &t).item(), (2f64.ln() + 100.0) / 2.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[doc(alias = "BCELoss")]
pub struct Bce {
    /// Mean, sum or neither.
    pub reduction: Reduction,
}

impl Bce {
    /// The loss of probabilities.
    ///
    /// # Panics
    /// If the shapes differ or a probability is outside [0, 1].
    #[track_caller]
    pub fn loss<T: Float>(&self, probabilities: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("bce", probabilities, target);
        check_probabilities(probabilities);
        let (p, t) = (probabilities, target);
        self.reduction.apply(-(t * p.apply(Log) + (1.0 - t) * (1.0 - p).apply(Log)))
    }
}

/// −(w·t·ln σ(x) + (1 − t)·ln(1 − σ(x))) for logits x and targets t in [0, 1], σ being the sigmoid function and w = 1
/// unless given; by default the mean over all elements. Exact for logits of any size.
///
/// ```
/// use wengert_nn::BceWithLogits;
/// use wengert_tape::Var;
/// let (x, t) = (Var::from([800.0f64, 0.0]), Var::from([0.0, 1.0]));
/// assert_eq!(BceWithLogits::default().loss(&x, &t).item(), (800.0 + 2f64.ln()) / 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "BCEWithLogitsLoss")]
pub struct BceWithLogits {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// w, the weight of the positive targets: above 1 for more recall, below 1 for more precision. Default 1.
    pub positive_weight: f64,
}

impl Default for BceWithLogits {
    fn default() -> Self {
        BceWithLogits { reduction: Reduction::Mean, positive_weight: 1.0 }
    }
}

impl BceWithLogits {
    /// The loss of logits.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn loss<T: Float>(&self, logits: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("bce_with_logits", logits, target);
        self.weighed(logits, target, &Var::scalar(T::from_f64(self.positive_weight)))
    }

    /// The loss of logits with a weight of the positive targets for each class, which broadcasts to the logits (PyTorch's
    /// `pos_weight`), in the place of the one.
    ///
    /// # Panics
    /// If the shapes differ, or the weights do not broadcast to them.
    ///
    /// ```
    /// use wengert_nn::BceWithLogits;
    /// use wengert_tape::Var;
    /// let (x, t) = (Var::zeros([2, 2]), Var::from([[1.0f64, 1.0], [0.0, 1.0]]));
    /// let loss = BceWithLogits::default().loss_by_class(&x, &t, &Var::from([1.0, 3.0]));
    /// assert!((loss.item() - 2f64.ln() * (1.0 + 3.0 + 1.0 + 3.0) / 4.0).abs() < 1e-15);
    /// ```
    #[doc(alias = "pos_weight")]
    #[track_caller]
    pub fn loss_by_class<T: Float>(
        &self,
        logits: &Var<T>,
        target: &Var<T>,
        positive_weights: &Var<T>,
    ) -> Var<T> {
        same_shape("bce_with_logits", logits, target);
        let (shape, weights) = (logits.shape(), positive_weights.shape());
        assert!(
            broadcast(weights, shape).as_ref() == Some(shape),
            "bce_with_logits: weights of shape {weights} do not broadcast to logits of shape {shape}"
        );
        self.weighed(logits, target, positive_weights)
    }

    #[track_caller]
    fn weighed<T: Float>(&self, logits: &Var<T>, target: &Var<T>, positive: &Var<T>) -> Var<T> {
        // Each term keeps its precision where it is small, which a difference of large terms would not.
        let positive = target * (-logits).softplus() * positive;
        self.reduction.apply(positive + (1.0 - target) * logits.softplus())
    }
}

#[track_caller]
fn check_probabilities<T: Float>(p: &Var<T>) {
    let values = p.value().contiguous();
    let values = values.as_slice().expect("contiguous");
    // A NaN is no misuse: it passes through to the loss.
    if let Some(at) = values.iter().position(|&v| v < T::ZERO || v > T::ONE) {
        panic!(
            "bce: {} at position {} is no probability: pass it through a sigmoid, or use bce_with_logits",
            values[at],
            position(at, p.shape())
        );
    }
}

/// max(ln x, −100), with a slope of at most 10¹².
#[derive(Clone)]
struct Log;

/// Where the slope stops growing: PyTorch's constant, which is rounded to single precision.
const FLOOR: f64 = 1e-12_f32 as f64;

impl Elementwise for Log {
    const NAME: &'static str = "clamped_ln";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    #[inline(always)]
    fn f<A: Real>(&self, x: A) -> A {
        x.ln().clamp(-100.0, f64::INFINITY)
    }
    #[inline(always)]
    fn df<A: Real>(&self, x: A, y: A) -> A {
        self.times_df(x.constant(1.0), x, y)
    }
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, x: A, _: A) -> A {
        let below = -x.clone() + FLOOR;
        let steepest = v.clone() * x.constant(FLOOR).recip();
        below.select_positive(steepest, v * x.clamp(FLOOR, f64::INFINITY).recip())
    }
    code_compiled_here!(Log);
}
