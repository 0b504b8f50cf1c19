//! Choosing between values: by a mask, and the larger or smaller of two.

use wengert_tensor::shape::{broadcast, broadcast_or_panic};
use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Shape, Tensor, compiled_here};

use crate::class::{Piecewise, decision, piecewise};
use crate::cotangent;
use crate::data::{Data, Given, Mask};
use crate::describe::Attributes;
use crate::op::{
    Blocks, ByElement, Cotangents, Op, Point, Replays, Saves, apply, apply_given, rules_compiled_here,
};
use crate::ops::compare::Nonzero;
use crate::var::Var;

/// The first input where the mask is true, the second elsewhere. What is not taken gets the cotangent 0, even if
/// it is NaN.
struct Where;

impl<T: Float> Op<T> for Where {
    fn name(&self) -> &str {
        "select_where"
    }

    fn forward(&self, _: &[&Tensor<T>]) -> Tensor<T> {
        unreachable!("select_where: evaluated with its mask")
    }

    #[track_caller]
    fn evaluate(&self, x: &[&Tensor<T>], given: &[&Data<T>]) -> Data<T> {
        Data::Float(Tensor::select_where(given[0].mask(), x[0], x[1]))
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || chosen(at.given(0), cotangent, &Var::scalar(T::ZERO)));
        into.add(1, || chosen(at.given(0), &Var::scalar(T::ZERO), cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let part = |i: usize| tangents[i].clone().unwrap_or_else(|| Var::scalar(T::ZERO));
        Some(chosen(at.given(0), &part(0), &part(1)).broadcast_to(at.output().shape()))
    }

    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    rules_compiled_here!(Where);
}

#[track_caller]
fn chosen<T: Float>(mask: &Given<T>, if_true: &Var<T>, if_false: &Var<T>) -> Var<T> {
    apply_given(Where, &[if_true, if_false], &[mask])
}

/// v·g of v and a gate g, and 0 where the gate is 0, even if v is infinite or NaN there. The gate counts as a constant.
struct Gated;

/// [`Gated`] of both.
#[track_caller]
pub(super) fn gated<T: Float>(v: &Var<T>, gate: &Var<T>) -> Var<T> {
    apply(Gated, &[v, gate])
}

impl<T: Float> Op<T> for Gated {
    fn name(&self) -> &str {
        "masked_scale"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn gated<T: Float>(v: &Tensor<T>, gate: &Tensor<T>) -> Tensor<T> {
                v.zip_map("masked_scale", gate, |v: T, g: T| if g == T::ZERO { T::ZERO } else { v * g })
            }
        }
        broadcast_or_panic("masked_scale", x[0].shape(), x[1].shape());
        gated(x[0], x[1])
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || gated(cotangent, at.input(1)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| gated(t, at.input(1)))
    }

    fn saves(&self) -> Saves {
        Saves::inputs_of(0b10)
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }
    fn replays(&self) -> Replays<'_, T> {
        Replays { by_element: Some(ByElement::Blocks(self)), ..Replays::default() }
    }
    rules_compiled_here!(Gated);
}

impl<T: Float> Blocks<T> for Gated {
    #[track_caller]
    fn block(&self, inputs: &[&Tensor<T>]) -> Tensor<T> {
        self.forward(inputs)
    }
}

/// The larger or the smaller of two. Equal values share the cotangent half and half. Of `fmax` and `fmin` it is a number
/// wherever one of the two is.
#[derive(Clone, Copy, PartialEq)]
enum Extreme {
    Maximum,
    Minimum,
    Fmax,
    Fmin,
}

/// Which part the first of two has in their extreme: 1, 0 or ½.
#[derive(Clone)]
struct ShareOfFirst(Extreme);

impl<T: Float> Piecewise<T> for ShareOfFirst {
    fn name(&self) -> &str {
        "share_of_extreme"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("maximum", self.0.is_largest());
        attributes.set("ignores_nan", self.0.ignores_nan());
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn share<T: Float>(a: &Tensor<T>, b: &Tensor<T>, maximum: bool, ignores_nan: bool) -> Tensor<T> {
                let share = move |a: T, b: T| match (a > b, a < b) {
                    (true, _) => T::from_f64(f64::from(u8::from(maximum))),
                    (_, true) => T::from_f64(f64::from(u8::from(!maximum))),
                    _ if ignores_nan && a.is_nan() != b.is_nan() => if a.is_nan() { T::ZERO } else { T::ONE },
                    // Equal, or one of them NaN, which the value then shows.
                    _ => T::from_f64(0.5),
                };
                a.zip_map("share_of_extreme", b, share)
            }
        }
        share(x[0], x[1], self.0.is_largest(), self.0.ignores_nan())
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }
    rules_compiled_here!(ShareOfFirst in PiecewiseOp);
}

impl Extreme {
    fn is_largest(self) -> bool {
        matches!(self, Extreme::Maximum | Extreme::Fmax)
    }

    fn ignores_nan(self) -> bool {
        matches!(self, Extreme::Fmax | Extreme::Fmin)
    }

    /// `v`, a cotangent or a tangent, as far as input number `i` has part in it.
    fn part<T: Float>(self, at: &Point<T>, i: usize, v: &Var<T>) -> Var<T> {
        gated(v, &piecewise(ShareOfFirst(self), &[at.input(i), at.input(1 - i)]))
    }
}

impl<T: Float> Op<T> for Extreme {
    fn name(&self) -> &str {
        match self {
            Extreme::Maximum => "maximum",
            Extreme::Minimum => "minimum",
            Extreme::Fmax => "fmax",
            Extreme::Fmin => "fmin",
        }
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        compiled_here! {
            fn of_numbers<T: Float>(a: &Tensor<T>, b: &Tensor<T>, largest: bool) -> Tensor<T> {
                a.zip_map("fmax", b, move |a: T, b: T| match (a.is_nan(), b.is_nan()) {
                    (true, _) => b,
                    (_, true) => a,
                    _ if largest => a.maximum(b),
                    _ => a.minimum(b),
                })
            }
        }
        match self {
            Extreme::Maximum => x[0].maximum(x[1]),
            Extreme::Minimum => x[0].minimum(x[1]),
            Extreme::Fmax | Extreme::Fmin => {
                broadcast_or_panic(Op::<T>::name(self), x[0].shape(), x[1].shape());
                of_numbers(x[0], x[1], self.is_largest())
            }
        }
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || self.part(at, 0, cotangent));
        into.add(1, || self.part(at, 1, cotangent));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let part = |i: usize| tangents[i].as_ref().map(|t| self.part(at, i, t));
        cotangent::sum(part(0), part(1))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        broadcast(inputs[0], inputs[1])
    }
    rules_compiled_here!(Extreme);
}

impl<T: Float> Var<T> {
    /// `if_true` where the mask is true, `if_false` elsewhere, after broadcasting all three. What is not taken
    /// has derivative 0, even where it is NaN or infinite.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[doc(alias = "where")]
    #[track_caller]
    pub fn select_where(mask: impl Into<Mask<T>>, if_true: &Var<T>, if_false: &Var<T>) -> Var<T> {
        chosen(mask.into().given(), if_true, if_false)
    }

    /// `value` where the mask is true, the element elsewhere.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: impl Into<Mask<T>>, value: f64) -> Var<T> {
        let mask = mask.into();
        broadcast_or_panic("masked_fill", self.shape(), mask.shape());
        Var::select_where(mask, &Var::scalar(T::from_f64(value)), self)
    }

    /// The elements times `factors`, which count as constants, and 0 where a factor is 0, even if the element is
    /// infinite or NaN there.
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// use wengert_tensor::Tensor;
    /// let factors = Tensor::from([0.0, 2.0]);
    /// let f = |x: &Var<f64>| x.masked_scale(&factors).sqrt().sum();
    /// assert_eq!(grad(f, &Var::from([3.0, 8.0])).value().to_vec(), [0.0, 0.25]);
    /// ```
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn masked_scale(&self, factors: &Tensor<T>) -> Var<T> {
        gated(self, &Var::constant(factors.clone()))
    }

    /// The elements where the mask is true, in row-major order, as a vector.
    ///
    /// # Panics
    /// If the mask has another shape, or more than 2³² elements.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[3.0f64, 1.0], [0.0, 4.0]]);
    /// assert_eq!(x.masked_select(x.gt(2.0)).value().to_vec(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn masked_select(&self, mask: impl Into<Mask<T>>) -> Var<T> {
        let mask = mask.into();
        assert!(
            mask.shape() == self.shape(),
            "masked_select: the mask has shape {}, the tensor {}",
            mask.shape(),
            self.shape()
        );
        check_positions("masked_select", self.len());
        self.reshape([-1]).index_select(0, decision(Nonzero, &[], &[mask.given()]))
    }

    /// The larger of two; NaN if either is NaN. Where they are equal, each gets half the derivative.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Var<T>) -> Var<T> {
        apply(Extreme::Maximum, &[self, other])
    }

    /// The smaller of two; NaN if either is NaN. Where they are equal, each gets half the derivative.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Var<T>) -> Var<T> {
        apply(Extreme::Minimum, &[self, other])
    }

    /// The larger of two, or the one that is a number if the other is NaN, which then gets no derivative. Where they are
    /// equal, each gets half.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn fmax(&self, other: &Var<T>) -> Var<T> {
        apply(Extreme::Fmax, &[self, other])
    }

    /// The smaller of two, or the one that is a number if the other is NaN, which then gets no derivative. Where they are
    /// equal, each gets half.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn fmin(&self, other: &Var<T>) -> Var<T> {
        apply(Extreme::Fmin, &[self, other])
    }
}
