//! Signs, steps, and what stands in the place of NaN and infinities.

use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::{Float, Shape, Tensor, compiled_here};

use crate::class::{Decision, Piecewise, decision, piecewise};
use crate::data::{Data, Mask};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::ops::arithmetic::{Operand, Side};
use crate::var::Var;

/// A function of one number that is constant between jumps.
#[derive(Clone)]
enum Step {
    /// −1 or 1, by the bit of the sign.
    SignBit,
    /// 0 below 0, 1 elsewhere, NaN for NaN.
    Heaviside,
}

impl<T: Float> Piecewise<T> for Step {
    fn name(&self) -> &str {
        match self {
            Step::SignBit => "sign_bit",
            Step::Heaviside => "step",
        }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn sign_bit<T: Float>(x: &Tensor<T>) -> Tensor<T> {
                x.map(|x: T| T::ONE.copysign(x))
            }
        }
        compiled_here! {
            fn step<T: Float>(x: &Tensor<T>) -> Tensor<T> {
                x.map(|x: T| if x < T::ZERO { T::ZERO } else if x.is_nan() { x } else { T::ONE })
            }
        }
        match self {
            Step::SignBit => sign_bit(x[0]),
            Step::Heaviside => step(x[0]),
        }
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Step in PiecewiseOp);
}

/// Numbers in the place of NaN, +∞ and −∞.
#[derive(Clone)]
struct Replacement {
    nan: f64,
    posinf: f64,
    neginf: f64,
}

impl<T: Float> Piecewise<T> for Replacement {
    fn name(&self) -> &str {
        "nan_to_num"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("nan", self.nan);
        attributes.set("posinf", self.posinf);
        attributes.set("neginf", self.neginf);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn replaced<T: Float>(x: &Tensor<T>, numbers: [f64; 3]) -> Tensor<T> {
                let [nan, positive, negative] = numbers.map(T::from_f64);
                x.map(move |x: T| match x.is_nan() {
                    true => nan,
                    false if x > T::ZERO => positive,
                    false => negative,
                })
            }
        }
        replaced(x[0], [self.nan, self.posinf, self.neginf])
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Replacement in PiecewiseOp);
}

/// What kind of number.
struct Class(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Finite,
    Infinite,
    Nan,
}

impl<T: Float> Decision<T> for Class {
    type Element = bool;
    fn name(&self) -> &str {
        match self.0 {
            Kind::Finite => "is_finite",
            Kind::Infinite => "is_inf",
            Kind::Nan => "is_nan",
        }
    }
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<bool> {
        match self.0 {
            Kind::Finite => inputs[0].is_finite(),
            Kind::Infinite => inputs[0].abs().equal(f64::INFINITY),
            Kind::Nan => inputs[0].is_nan(),
        }
    }
    rules_compiled_here!(Class in DecisionOp);
}

/// Whether |a − b| ≤ atol + rtol·|b|.
struct Close {
    rtol: f64,
    atol: f64,
}

impl<T: Float> Decision<T> for Close {
    type Element = bool;
    fn name(&self) -> &str {
        "is_close"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("rtol", self.rtol);
        attributes.set("atol", self.atol);
    }
    fn forward(&self, x: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<bool> {
        compiled_here! {
            fn close<T: Float>(a: &Tensor<T>, b: &Tensor<T>, rtol: f64, atol: f64) -> Tensor<bool> {
                a.zip_map("is_close", b, move |a: T, b: T| {
                    let (a, b) = (a.to_f64(), b.to_f64());
                    // An infinite b would allow any distance.
                    a == b || (b.is_finite() && (a - b).abs() <= atol + rtol * b.abs())
                })
            }
        }
        close(x[0], x[1], self.rtol, self.atol)
    }
    rules_compiled_here!(Close in DecisionOp);
}

/// a + w (b − a) of a, b and w.
struct Lerp;

impl<T: Float> Op<T> for Lerp {
    fn name(&self) -> &str {
        "lerp"
    }
    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn lerp<T: Float>(a: &Tensor<T>, b: &Tensor<T>, w: &Tensor<T>) -> Tensor<T> {
                let half = T::from_f64(0.5);
                Tensor::zip_many("lerp", [a, b, w], move |[a, b, w]: [T; 3]| {
                    // From the nearer end, so that w = 1 gives b exactly.
                    if w.abs() < half { a + w * (b - a) } else { b - (b - a) * (T::ONE - w) }
                })
            }
        }
        let ends = broadcast_or_panic("lerp", x[0].shape(), x[1].shape());
        broadcast_or_panic("lerp", &ends, x[2].shape());
        lerp(x[0], x[1], x[2])
    }
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let [a, b, w] = [at.input(0), at.input(1), at.input(2)];
        into.add(0, || cotangent * (1.0 - w));
        into.add(1, || cotangent * w);
        into.add(2, || cotangent * (b - a));
    }
    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Lerp);
}

impl<T: Float> Var<T> {
    /// |x| with the sign of `sign`, of which zeros have one too. The derivative is that of |x| times the sign, and 0 with
    /// respect to `sign`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([3.0f64, -3.0]).copysign(&Var::from([-1.0, 2.0])).value().to_vec(), [-3.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn copysign(&self, sign: &Var<T>) -> Var<T> {
        broadcast_or_panic("copysign", self.shape(), sign.shape());
        self.abs() * piecewise(Step::SignBit, &[sign])
    }

    /// 0 for negative x, 1 for positive, and at 0 the element of `values`, to which alone the derivative goes. NaN for NaN.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let steps = Var::from([-1.0f64, 0.0, 2.0]).heaviside(&Var::scalar(0.5));
    /// assert_eq!(steps.value().to_vec(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn heaviside(&self, values: &Var<T>) -> Var<T> {
        broadcast_or_panic("heaviside", self.shape(), values.shape());
        Var::select_where(self.equal(0.0), values, &piecewise(Step::Heaviside, &[self]))
    }

    /// Numbers in the place of NaN and of infinities; `None` is the largest number for +∞ and the smallest for −∞. The
    /// derivative is 0 there, and 1 elsewhere.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([f32::NAN, f32::INFINITY, 2.0]);
    /// assert_eq!(x.nan_to_num(0.0, 9.0, None).value().to_vec(), [0.0, 9.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn nan_to_num(
        &self,
        nan: f64,
        posinf: impl Into<Option<f64>>,
        neginf: impl Into<Option<f64>>,
    ) -> Var<T> {
        let largest = T::MAX.to_f64();
        let replacement = Replacement {
            nan,
            posinf: posinf.into().unwrap_or(largest),
            neginf: neginf.into().unwrap_or(-largest),
        };
        Var::select_where(self.is_finite(), self, &piecewise(replacement, &[self]))
    }

    /// Where elements are NaN.
    #[doc(alias = "isnan")]
    #[track_caller]
    pub fn is_nan(&self) -> Mask<T> {
        decision(Class(Kind::Nan), &[self], &[])
    }

    /// Where elements are +∞ or −∞.
    #[doc(alias = "isinf")]
    #[track_caller]
    pub fn is_inf(&self) -> Mask<T> {
        decision(Class(Kind::Infinite), &[self], &[])
    }

    /// Where elements are neither infinite nor NaN.
    #[doc(alias = "isfinite")]
    #[track_caller]
    pub fn is_finite(&self) -> Mask<T> {
        decision(Class(Kind::Finite), &[self], &[])
    }

    /// Where |a − b| ≤ `atol` + `rtol`·|b|; PyTorch's defaults are 1e-5 and 1e-8. Equal infinities are close, NaN is close
    /// to nothing.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let close = Var::from([1.0f64, 1.0]).is_close(&Var::from([1.0 + 1e-7, 1.1]), 1e-5, 1e-8);
    /// assert_eq!(close.value().to_vec(), [true, false]);
    /// ```
    #[doc(alias = "isclose")]
    #[track_caller]
    pub fn is_close(&self, other: &Var<T>, rtol: f64, atol: f64) -> Mask<T> {
        broadcast_or_panic("is_close", self.shape(), other.shape());
        decision(Close { rtol, atol }, &[self, other], &[])
    }

    /// Linear interpolation, a + w·(b − a), exactly a for w = 0 and b for w = 1; w is a variable, a tensor or a number, and
    /// may be outside of [0, 1].
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (a, b) = (Var::from([0.0f64, 10.0]), Var::from([4.0, 20.0]));
    /// assert_eq!(a.lerp(&b, 0.25).value().to_vec(), [1.0, 12.5]);
    /// ```
    #[track_caller]
    pub fn lerp(&self, end: &Var<T>, weight: impl Operand<T>) -> Var<T> {
        match weight.side() {
            Side::Number(w) => apply(Lerp, &[self, end, &Var::scalar(T::from_f64(w))]),
            Side::Variable(w) => apply(Lerp, &[self, end, w]),
            Side::Constant(w) => apply(Lerp, &[self, end, &w]),
        }
    }

    /// x limited to `low..=high`, element by element; `high` where `low` is above it. The derivative is shared where x is
    /// equal to a limit, as that of [`maximum`](Var::maximum). For limits that are numbers see [`clamp`](Var::clamp).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([-2.0f64, 0.5, 9.0]);
    /// let (low, high) = (Var::from([-1.0, 0.0, 0.0]), Var::from([1.0, 1.0, 5.0]));
    /// assert_eq!(x.clamp_to(&low, &high).value().to_vec(), [-1.0, 0.5, 5.0]);
    /// ```
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp_to(&self, low: &Var<T>, high: &Var<T>) -> Var<T> {
        let both = broadcast_or_panic("clamp_to", self.shape(), low.shape());
        broadcast_or_panic("clamp_to", &both, high.shape());
        self.maximum(low).minimum(high)
    }
}
