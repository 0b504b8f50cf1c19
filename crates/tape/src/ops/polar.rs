//! The angle and the distance of a point in the plane.

use wengert_tensor::loops::Map2;
use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::simd::Isa;
use wengert_tensor::{ElementKind, Float, Tensor, compiled_here};

use crate::class::{Pairwise, pairwise};
use crate::op::{Point, Saves, rules_compiled_here};
use crate::var::Var;

/// What `value` makes of h, but 0 where h is.
fn off_origin<T: Float>(h: &Var<T>, value: impl FnOnce(&Var<T>) -> Var<T>) -> Var<T> {
    let origin = h.equal(0.0);
    let h = Var::select_where(&origin, &Var::scalar(T::ONE), h);
    Var::select_where(&origin, &Var::scalar(T::ZERO), &value(&h))
}

/// The angle of (x, y), given y and x.
#[derive(Clone)]
struct Atan2;

struct Angle;

impl<T: Float> Map2<T, T, T> for Angle {
    #[inline(always)]
    fn call<I: Isa>(&self, y: T, x: T) -> T {
        y.atan2::<I>(x)
    }
}

impl<T: Float> Pairwise<T> for Atan2 {
    fn name(&self) -> &str {
        "atan2"
    }
    #[track_caller]
    fn forward(&self, y: &Tensor<T>, x: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn atan2<T: Float>(y: &Tensor<T>, x: &Tensor<T>) -> Tensor<T> {
                y.zip_map("atan2", x, Angle)
            }
        }
        broadcast_or_panic("atan2", y.shape(), x.shape());
        atan2(y, x)
    }
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (y, x) = (at.input(0), at.input(1));
        off_origin(&y.hypot(x), |h| v * (x / h) / h)
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (y, x) = (at.input(0), at.input(1));
        -off_origin(&y.hypot(x), |h| v * (y / h) / h)
    }
    rules_compiled_here!(Atan2 in PairwiseOp);
}

/// √(a² + b²).
#[derive(Clone)]
struct Hypot;

/// a/√(a² + b²), the slope of [`Hypot`] in a, but 0 where both are.
#[derive(Clone)]
struct HypotSlope;

struct Cosine;

impl<T: Float> Map2<T, T, T> for Cosine {
    #[inline(always)]
    fn call<I: Isa>(&self, a: T, b: T) -> T {
        if T::KIND == ElementKind::F32 {
            // Double precision has room for the squares: no cases but the origin's.
            let (a, b) = (a.to_f64(), b.to_f64());
            let h = a * a + b * b;
            return T::from_f64(if h == 0.0 { 0.0 } else { a / h.sqrt() });
        }
        let h = a.hypot(b);
        if h == T::ZERO {
            T::ZERO
        } else if h < T::MIN_POSITIVE {
            // A subnormal h has lost digits: there it is that of larger numbers of the same direction.
            let unit = T::ONE / T::MIN_POSITIVE;
            let (x, y) = (a * unit, b * unit);
            x / x.hypot(y)
        } else {
            a / h
        }
    }
}

impl<T: Float> Pairwise<T> for HypotSlope {
    fn name(&self) -> &str {
        "hypot_slope"
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn hypot_slope<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("hypot_slope", b, Cosine)
            }
        }
        hypot_slope(a, b)
    }
    /// (b/h)²/h: no difference of nearly equal numbers where |b| is far below |a|.
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (a, b) = (at.input(0), at.input(1));
        let sine = b.hypot_slope(a);
        off_origin(&a.hypot(b), |h| v * &sine * &sine / h)
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (a, b) = (at.input(0), at.input(1));
        -off_origin(&a.hypot(b), |h| v * b.hypot_slope(a) * at.output() / h)
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(HypotSlope in PairwiseOp);
}

impl<T: Float> Pairwise<T> for Hypot {
    fn name(&self) -> &str {
        "hypot"
    }
    #[track_caller]
    fn forward(&self, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        compiled_here! {
            fn hypot<T: Float>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
                a.zip_map("hypot", b, |a: T, b: T| a.hypot(b))
            }
        }
        broadcast_or_panic("hypot", a.shape(), b.shape());
        hypot(a, b)
    }
    fn along_first(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        v * at.input(0).hypot_slope(at.input(1))
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        v * at.input(1).hypot_slope(at.input(0))
    }
    fn saves(&self) -> Saves {
        Saves::ALL
    }
    rules_compiled_here!(Hypot in PairwiseOp);
}

impl<T: Float> Var<T> {
    /// The angle of the point (x, y), in [−π, π], of which this is y. At the origin the derivative is 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let angle = Var::from([1.0f64]).atan2(&Var::from([-1.0]));
    /// assert!((angle.item() - 0.75 * std::f64::consts::PI).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "arctan2")]
    #[track_caller]
    pub fn atan2(&self, x: &Var<T>) -> Var<T> {
        pairwise(Atan2, self, x)
    }

    /// √(a² + b²), also where the squares leave the range of numbers. At 0, 0 the derivative is 0.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn hypot(&self, other: &Var<T>) -> Var<T> {
        pairwise(Hypot, self, other)
    }

    /// a/√(a² + b²).
    #[track_caller]
    fn hypot_slope(&self, other: &Var<T>) -> Var<T> {
        pairwise(HypotSlope, self, other)
    }
}
