//! Products and cumulative sums.

use wengert_tensor::{Axes, Axis, Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::broadcast::reduced_shape;
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

impl<T: Float> Var<T> {
    /// The cumulative sums along `axis`: element `i` is the sum of elements `0..=i`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumsum(&self, axis: impl Into<Axis>) -> Var<T> {
        self.linear(Cumsum(self.shape().axis("cumsum", axis)))
    }

    /// The cumulative products along `axis`: element `i` is the product of elements `0..=i`. Exact derivatives
    /// of any order, also where elements are 0: a parallel prefix of ⌈log₂ n⌉ products (Hillis & Steele, 1986).
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn cumprod(&self, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("cumprod", axis);
        let length = self.shape()[axis];
        let (mut x, mut step) = (self.clone(), 1);
        while step < length {
            let head = x.slice_axis(axis, ..step);
            let tail = x.slice_axis(axis, step..) * x.slice_axis(axis, ..length - step);
            x = Var::cat(&[&head, &tail], axis);
            step *= 2;
        }
        x
    }

    /// The product of all elements; 1 if there are none.
    #[track_caller]
    pub fn prod(&self) -> Var<T> {
        self.reshape([-1]).prod_axis(0, false)
    }

    /// The product along one axis, which stays with length 1 if `keepdim`. Exact derivatives of any order, also
    /// where elements are 0: halves are multiplied ⌈log₂ n⌉ times.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn prod_axis(&self, axis: impl Into<Axis>, keepdim: bool) -> Var<T> {
        let axis = self.shape().axis("prod", axis);
        if self.shape()[axis] == 0 {
            return Var::ones(reduced_shape("prod", self.shape(), &Axes::from(axis), keepdim));
        }
        let mut x = self.clone();
        while x.shape()[axis] > 1 {
            let length = x.shape()[axis];
            let half = length / 2;
            let product = x.slice_axis(axis, ..half) * x.slice_axis(axis, half..2 * half);
            x = if length.is_multiple_of(2) {
                product
            } else {
                Var::cat(&[&product, &x.slice_axis(axis, 2 * half..)], axis)
            };
        }
        if keepdim { x } else { x.squeeze(axis) }
    }
}
