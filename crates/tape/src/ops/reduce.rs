//! Products and cumulative sums.

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
        let next = self.shifted(at.input(1), false);
        let added =
            apply(LinearRecurrence(self.0), &[&cotangent.flip(self.0), &next.flip(self.0)]).flip(self.0);
        into.add(0, || added.clone());
        into.add(1, || &added * self.shifted(at.output(), true));
    }

    /// ṡᵢ = (ċᵢ + ȧᵢ·sᵢ₋₁) + aᵢ·ṡᵢ₋₁.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let factors = tangents[1].as_ref().map(|t| t * self.shifted(at.output(), true));
        let added = cotangent::sum(tangents[0].clone(), factors);
        added.map(|t| apply(LinearRecurrence(self.0), &[&t, at.input(1)]))
    }
    rules_compiled_here!(LinearRecurrence);
}

/// The product along an axis, which stays.
struct Product(usize);

impl Product {
    /// The product of all others, of each element.
    fn slope<T: Float>(&self, x: &Var<T>) -> Var<T> {
        let (axis, length) = (self.0, x.shape()[self.0]);
        // Of those before it, and of those behind it by the same from the other end.
        let before = |x: &Var<T>| {
            let one = Var::ones(x.slice_axis(axis, ..1).shape());
            Var::cat(&[&one, &x.slice_axis(axis, ..length - 1).cumprod(axis)], axis)
        };
        before(x) * before(&x.flip(axis)).flip(axis)
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
        into.add(0, || if x.is_empty() { Var::zeros(x.shape()) } else { cotangent * self.slope(x) });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let x = at.input(0);
        if x.is_empty() {
            return None;
        }
        tangents[0].as_ref().map(|t| (t * self.slope(x)).sum_axes(self.0, true))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }
    rules_compiled_here!(Product);
}

impl<T: Float> Var<T> {
    /// The cumulative sums along `axis`: element `i` is the sum of elements `0..=i`.
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
