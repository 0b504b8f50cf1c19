//! Products and cumulative sums.

use std::cell::LazyCell;

use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::cotangent;
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

/// Cumulative sums along an axis.
#[derive(Clone)]
struct Cumsum(usize);

impl<T: Float> LinearMap<T> for Cumsum {
    fn name(&self) -> &str {
        "cumsum"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.cumsum(self.0)
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.flip(self.0).linear(self.clone()).flip(self.0)
    }
    rules_compiled_here!(Cumsum in LinearOp);
}

/// The solution s of sᵢ = cᵢ + aᵢ·sᵢ₋₁ along an axis, for c and a.
struct LinearRecurrence(usize);

/// The solution s of sᵢ = cᵢ + aᵢ·sᵢ₋₁ along an axis.
pub(super) fn recurrence<T: Float>(c: &Var<T>, a: &Var<T>, axis: usize) -> Var<T> {
    apply(LinearRecurrence(axis), &[c, a])
}

/// The solution r of rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁ along an axis, which is not empty.
pub(super) fn recurrence_backwards<T: Float>(v: &Var<T>, a: &Var<T>, axis: usize) -> Var<T> {
    LinearRecurrence(axis).backwards(v, a)
}

impl LinearRecurrence {
    /// Of each element the one before it, 0 before the first; or the one behind it.
    fn shifted<T: Float>(&self, x: &Var<T>, forwards: bool) -> Var<T> {
        let (axis, length) = (self.0, x.shape()[self.0]);
        let nothing = Var::zeros(x.slice_axis(axis, ..1).shape());
        if forwards {
            Var::cat(&[&nothing, &x.slice_axis(axis, ..length - 1)], axis)
        } else {
            Var::cat(&[&x.slice_axis(axis, 1..), &nothing], axis)
        }
    }

    /// rᵢ = vᵢ + aᵢ₊₁·rᵢ₊₁, for v and a.
    fn backwards<T: Float>(&self, v: &Var<T>, a: &Var<T>) -> Var<T> {
        let next = self.shifted(a, false);
        apply(LinearRecurrence(self.0), &[&v.flip(self.0), &next.flip(self.0)]).flip(self.0)
    }
}

impl<T: Float> Op<T> for LinearRecurrence {
    fn name(&self) -> &str {
        "linear_recurrence"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].linear_recurrence(x[1], self.0)
    }

    /// The recurrence backwards, c̄ᵢ = s̄ᵢ + aᵢ₊₁·c̄ᵢ₊₁, and āᵢ = c̄ᵢ·sᵢ₋₁.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (added, factors) = (at.input(0), at.input(1));
        into.add(0, || self.backwards(cotangent, factors));
        into.add(1, || apply(FactorSlopes(self.0), &[cotangent, added, factors]));
    }

    /// ṡᵢ = (ċᵢ + ȧᵢ·sᵢ₋₁) + aᵢ·ṡᵢ₋₁.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let factors = tangents[1].as_ref().map(|t| t * self.shifted(at.output(), true));
        let added = cotangent::sum(tangents[0].clone(), factors);
        added.map(|t| apply(LinearRecurrence(self.0), &[&t, at.input(1)]))
    }
    rules_compiled_here!(LinearRecurrence);
}

/// rᵢ·sᵢ₋₁ for v, c and a, where r is the recurrence of v and a backwards, and s that of c and a: how ∑ vᵢ·sᵢ depends on a.
/// In one, since either may leave the range of numbers where the product does not.
struct FactorSlopes(usize);

impl<T: Float> Op<T> for FactorSlopes {
    fn name(&self) -> &str {
        "linear_recurrence_slopes"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].linear_recurrence_slopes(x[1], x[2], self.0)
    }

    /// r̄ᵢ = ūᵢ·sᵢ₋₁ and s̄ᵢ₋₁ = ūᵢ·rᵢ, and from there as the two recurrences, whose slopes are such products again.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (v, c, a) = (at.input(0), at.input(1), at.input(2));
        let recurrence = LinearRecurrence(self.0);
        let slopes = |v: &Var<T>, c: &Var<T>| apply(FactorSlopes(self.0), &[v, c, a]);
        let of_r =
            LazyCell::new(|| cotangent * recurrence.shifted(&apply(LinearRecurrence(self.0), &[c, a]), true));
        let of_s = LazyCell::new(|| recurrence.shifted(&(cotangent * recurrence.backwards(v, a)), false));
        into.add(0, || apply(LinearRecurrence(self.0), &[&*of_r, a]));
        into.add(1, || recurrence.backwards(&of_s, a));
        into.add(2, || slopes(v, &of_r) + slopes(&of_s, c));
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(FactorSlopes);
}

/// The product along an axis, which stays.
struct Product(usize);

impl Product {
    /// `v`, whose shape is that of the product, times the product of all others, of each element: the slopes of the recurrence that
    /// begins with 1 and has the elements for factors.
    fn times_slope<T: Float>(&self, v: &Var<T>, x: &Var<T>) -> Var<T> {
        let axis = self.0;
        let first = x.slice_axis(axis, ..1);
        // −0 changes no number when added, not even −0.
        let nothing = Var::constant(Tensor::full(x.shape(), T::from_f64(-0.0)));
        let v = Var::cat(&[&nothing, v], axis);
        let added = Var::cat(&[&Var::ones(first.shape()), &nothing], axis);
        let factors = Var::cat(&[&Var::zeros(first.shape()), x], axis);
        apply(FactorSlopes(axis), &[&v, &added, &factors]).slice_axis(axis, 1..)
    }
}

impl<T: Float> Op<T> for Product {
    fn name(&self) -> &str {
        "prod"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].prod_axes(self.0, true)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let x = at.input(0);
        into.add(0, || if x.is_empty() { Var::zeros(x.shape()) } else { self.times_slope(cotangent, x) });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let x = at.input(0);
        if x.is_empty() {
            return None;
        }
        let one = || Var::ones(x.slice_axis(self.0, ..1).shape());
        tangents[0].as_ref().map(|t| (t * self.times_slope(&one(), x)).sum_axes(self.0, true))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Product);
}

impl<T: Float> Var<T> {
    /// The cumulative sums along `axis`: element `i` is the sum of elements `0..=i`. From the end (JAX's `reverse`) it is
    /// `x.flip(axis).cumsum(axis).flip(axis)`, and without the element
    /// itself (`exclusive`) that of the elements moved on by one, with a 0 in front.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: impl Into<Axis>) -> Var<T> {
        self.linear(Cumsum(self.shape().axis("cumsum", axis)))
    }

    /// The cumulative products along `axis`: element `i` is the product of elements `0..=i`, accumulated in `f64`. Exact
    /// derivatives of any order, also where elements are 0.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumprod(&self, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("cumprod", axis);
        if self.is_empty() {
            return self.clone();
        }
        // The first is added to nothing, and each further one multiplies what is there. −0 changes not even −0.
        let (first, others) = (self.slice_axis(axis, ..1), self.slice_axis(axis, 1..));
        let nothing = Var::constant(Tensor::full(others.shape(), T::from_f64(-0.0)));
        let added = Var::cat(&[&first, &nothing], axis);
        let factors = Var::cat(&[&Var::zeros(first.shape()), &others], axis);
        apply(LinearRecurrence(axis), &[&added, &factors])
    }

    /// The product of all elements; 1 if there are none.
    #[track_caller]
    pub fn prod(&self) -> Var<T> {
        self.reshape([-1]).prod_axis(0, false)
    }

    /// The product along one axis, which stays with length 1 if `keepdim`; accumulated in `f64`. Exact derivatives of any
    /// order, also where elements are 0.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn prod_axis(&self, axis: impl Into<Axis>, keepdim: bool) -> Var<T> {
        let axis = self.shape().axis("prod", axis);
        let product = apply(Product(axis), &[self]);
        if keepdim { product } else { product.squeeze(axis) }
    }
}
