//! Huber's loss, and the same in another scale.

use wengert_tape::{Attributes, Elementwise, Reads, Real, Var, code_compiled_here};
use wengert_tensor::Float;

use super::{Reduction, same_shape};

/// With d = prediction − target: ½d² where |d| ≤ δ, δ·(|d| − ½δ) elsewhere (Huber, "Robust estimation of a location
/// parameter", 1964). By default δ = 1 and the result is the mean over all elements.
///
/// ```
/// use wengert_nn::Huber;
/// use wengert_tape::Var;
/// let (p, t) = (Var::from([1.0f64, 5.0]), Var::from([0.0, 1.0]));
/// assert_eq!(Huber { delta: 2.0, ..Huber::default() }.loss(&p, &t).item(), (0.5 + 6.0) / 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "HuberLoss")]
pub struct Huber {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// δ, where the parabola becomes a line; positive.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { reduction: Reduction::Mean, delta: 1.0 }
    }
}

impl Huber {
    /// The loss of a prediction.
    ///
    /// # Panics
    /// If the shapes differ or `delta` is not positive.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("huber", prediction, target);
        assert!(self.delta > 0.0, "huber: delta {} is not positive", self.delta);
        self.reduction.apply((prediction - target).apply(Formula { delta: self.delta, divisor: 1.0 }))
    }
}

/// [`Huber`] divided by δ, which is called β here: ½d²/β where |d| ≤ β, |d| − ½β elsewhere, so that it tends to
/// [`L1`](super::L1) for β → 0 (Girshick, "Fast R-CNN", 2015). By default β = 1 and the result is the mean over all elements.
///
/// ```
/// use wengert_nn::SmoothL1;
/// use wengert_tape::Var;
/// let (p, t) = (Var::from([1.0f64, 5.0]), Var::from([0.0, 1.0]));
/// assert_eq!(SmoothL1 { beta: 2.0, ..SmoothL1::default() }.loss(&p, &t).item(), (0.25 + 3.0) / 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "SmoothL1Loss")]
pub struct SmoothL1 {
    /// Mean, sum or neither.
    pub reduction: Reduction,
    /// β, where the parabola becomes a line; not negative.
    pub beta: f64,
}

impl Default for SmoothL1 {
    fn default() -> Self {
        SmoothL1 { reduction: Reduction::Mean, beta: 1.0 }
    }
}

impl SmoothL1 {
    /// The loss of a prediction.
    ///
    /// # Panics
    /// If the shapes differ or `beta` is negative.
    #[track_caller]
    pub fn loss<T: Float>(&self, prediction: &Var<T>, target: &Var<T>) -> Var<T> {
        same_shape("smooth_l1", prediction, target);
        assert!(self.beta >= 0.0, "smooth_l1: beta {} is negative", self.beta);
        let difference = prediction - target;
        self.reduction.apply(if self.beta == 0.0 {
            difference.abs()
        } else {
            difference.apply(Formula { delta: self.beta, divisor: self.beta })
        })
    }
}

/// Huber's loss divided by a number.
#[derive(Clone)]
struct Formula {
    delta: f64,
    divisor: f64,
}

impl Elementwise for Formula {
    const NAME: &'static str = "huber";
    const READS: Reads = Reads::Input;
    const BOUNDED_SLOPE: bool = true;
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("delta", self.delta);
        attributes.set("divisor", self.divisor);
    }
    #[inline(always)]
    fn f<A: Real>(&self, d: A) -> A {
        let c = d.clamp(-self.delta, self.delta);
        // Divided first: what is small may underflow when squared. Not −0 for −0.
        (c.clone() / self.divisor * (d - c * 0.5)).abs()
    }
    #[inline(always)]
    fn df<A: Real>(&self, d: A, y: A) -> A {
        self.times_df(d.constant(1.0), d, y)
    }
    /// On the parabola inside, on the lines at ±δ.
    #[inline(always)]
    fn times_df<A: Real>(&self, v: A, d: A, _: A) -> A {
        let inside = -d.abs() + self.delta;
        let line = v.clone() * (d.sign() * (self.delta / self.divisor));
        inside.select_positive(v * (d / self.divisor), line)
    }
    code_compiled_here!(Formula);
}
