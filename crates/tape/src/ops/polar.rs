//! The angle and the distance of a point in the plane.

use wengert_tensor::loops::{Map2, MapN};
use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::simd::Isa;
use wengert_tensor::{Float, Tensor, compiled_here};

use crate::class::{Pairwise, pairwise};
use crate::describe::Attributes;
use crate::op::{Description, Point, Saves, fused, rules_compiled_here};
use crate::var::Var;

/// a/h², or v·a/h² for v in the place of a, but 0 where h is.
fn over_square<T: Float>(v: &Var<T>, a: &Var<T>, h: &Var<T>) -> Var<T> {
    let zero = Var::scalar(T::ZERO);
    let origin = h.equal(0.0);
    let h = Var::select_where(&origin, &Var::scalar(T::ONE), h);
    Var::select_where(&origin, &zero, &(v * (a / &h) / &h))
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
        over_square(v, x, &y.hypot(x))
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let (y, x) = (at.input(0), at.input(1));
        -over_square(v, y, &y.hypot(x))
    }
    rules_compiled_here!(Atan2 in PairwiseOp);
}

/// √(a² + b²).
#[derive(Clone)]
struct Hypot;

/// v·a/h of v, a, b and h = √(a² + b²), but 0 where h is. A subnormal h has lost digits: there both are those of larger numbers
/// of the same direction, whose squares are in range.
struct AlongHypot;

impl<T: Float> MapN<T, T, 4> for AlongHypot {
    #[inline(always)]
    fn call<I: Isa>(&self, [v, a, b, h]: [T; 4]) -> T {
        let unit = T::ONE / (T::MIN_POSITIVE.sqrt() * T::EPSILON * T::EPSILON);
        let (x, y) = (a * unit, b * unit);
        if h == T::ZERO {
            T::ZERO
        } else if h < T::MIN_POSITIVE {
            v * (x / (x * x + y * y).sqrt())
        } else {
            v * (a / h)
        }
    }
}

impl Hypot {
    /// `v` times the slope in input `i`.
    fn along<T: Float>(at: &Point<T>, i: usize, v: &Var<T>) -> Var<T> {
        compiled_here! {
            fn along<T: Float>(of: [&Tensor<T>; 4]) -> Tensor<T> {
                Tensor::zip_many("hypot", of, AlongHypot)
            }
        }
        let description = || {
            let mut attributes = Attributes::default();
            attributes.set("of_input", i);
            Description { name: "hypot_slope".into(), attributes }
        };
        fused(description, [v, at.input(i), at.input(1 - i), at.output()], along, || Hypot::rule(at, i, v))
    }

    /// The same in operations on variables.
    fn rule<T: Float>(at: &Point<T>, i: usize, v: &Var<T>) -> Var<T> {
        let (h, one, zero) = (at.output(), Var::scalar(T::ONE), Var::scalar(T::ZERO));
        let (origin, subnormal) = (h.equal(0.0), h.lt(T::MIN_POSITIVE.to_f64()));
        let scale = Var::select_where(&subnormal, &Var::scalar(T::ONE / T::EPSILON), &one);
        let larger = [0, 1].map(|i| at.input(i) * &scale);
        let h = Var::select_where(&origin, &one, &larger[0].hypot(&larger[1]));
        Var::select_where(&origin, &zero, &(v * (&larger[i] / h)))
    }
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
        Hypot::along(at, 0, v)
    }
    fn along_second(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        Hypot::along(at, 1, v)
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
}
