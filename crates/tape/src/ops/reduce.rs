//! Products and cumulative sums.

use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::{Cotangents, Description, Op, Point, Saves, apply, fused, rules_compiled_here};
use crate::ops::recurrence::{FactorSlopes, LinearRecurrence, recurrence_backwards};
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

/// What is added and the factors of the recurrence whose solution is the cumulative product along an axis that is not empty:
/// the first element is added to nothing, and each further one multiplies what is there.
fn from_first<T: Float>(x: &Var<T>, axis: usize) -> [Var<T>; 2] {
    let (first, others) = (x.slice_axis(axis, ..1), x.slice_axis(axis, 1..));
    // −0 changes no number when added, not even −0.
    let nothing = Var::constant(Tensor::full(others.shape(), T::from_f64(-0.0)));
    [Var::cat(&[&first, &nothing], axis), Var::cat(&[&Var::zeros(first.shape()), &others], axis)]
}

/// The cumulative products along an axis that is not empty.
struct Cumprod(usize);

impl<T: Float> Op<T> for Cumprod {
    fn name(&self) -> &str {
        "cumprod"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].cumprod(self.0)
    }

    /// That of the recurrence: the first element is added, and the others are factors.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let (x, axis) = (at.input(0), self.0);
        let description = || Description::of::<T>(self, "gradient");
        let kernel = move |[x, v]: [&Tensor<T>; 2]| x.cumprod_gradient(v, axis);
        into.add(0, || {
            fused(description, [x, cotangent], kernel, || {
                let [added, factors] = from_first(x, axis);
                let of_added = recurrence_backwards(cotangent, &factors, axis).slice_axis(axis, ..1);
                let of_factors = apply(FactorSlopes(axis), &[cotangent, &added, &factors]);
                Var::cat(&[&of_added, &of_factors.slice_axis(axis, 1..)], axis)
            })
        });
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let [added, factors] = from_first(at.input(0), self.0);
        let [t_added, t_factors] = from_first(tangents[0].as_ref()?, self.0);
        Some(LinearRecurrence(self.0).tangent([&added, &factors], [&t_added, &t_factors]))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Cumprod);
}

/// The product along an axis, which stays.
struct Product(usize);

impl Product {
    /// The recurrence that begins with 1 and has the elements for factors: what is added, and the factors. The product is its
    /// last element.
    fn recurrence<T: Float>(&self, x: &Var<T>) -> [Var<T>; 2] {
        let axis = self.0;
        let first = x.slice_axis(axis, ..1);
        let added = Var::cat(&[&Var::ones(first.shape()), &self.nothing(x)], axis);
        [added, self.after_zero(x)]
    }

    /// `x` behind an element of 0.
    fn after_zero<T: Float>(&self, x: &Var<T>) -> Var<T> {
        Var::cat(&[&Var::zeros(x.slice_axis(self.0, ..1).shape()), x], self.0)
    }

    /// −0 changes no number when added, not even −0.
    fn nothing<T: Float>(&self, x: &Var<T>) -> Var<T> {
        Var::constant(Tensor::full(x.shape(), T::from_f64(-0.0)))
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

    /// `cotangent` times the product of all others, of each element: the slopes of the factors.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let x = at.input(0);
        into.add(0, || {
            if x.is_empty() {
                return Var::zeros(x.shape());
            }
            let axis = self.0;
            let description = || Description::of::<T>(self, "gradient");
            fused(
                description,
                [x, cotangent],
                move |[x, v]| x.prod_gradient(v, axis),
                || {
                    let [added, factors] = self.recurrence(x);
                    let v = Var::cat(&[&self.nothing(x), cotangent], axis);
                    apply(FactorSlopes(axis), &[&v, &added, &factors]).slice_axis(axis, 1..)
                },
            )
        });
    }

    /// Of the recurrence that begins with the first element, not with 1, whose tangent of 0 an infinite element makes NaN.
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let x = at.input(0);
        if x.is_empty() {
            return None;
        }
        let [added, factors] = from_first(x, self.0);
        let [t_added, t_factors] = from_first(tangents[0].as_ref()?, self.0);
        let tangent = LinearRecurrence(self.0).tangent([&added, &factors], [&t_added, &t_factors]);
        Some(tangent.slice_axis(self.0, -1..))
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
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([2.0f64, 3.0, 4.0]).cumprod(0).value().to_vec(), [2.0, 6.0, 24.0]);
    /// ```
    #[track_caller]
    pub fn cumprod(&self, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("cumprod", axis);
        if self.is_empty() {
            return self.clone();
        }
        apply(Cumprod(axis), &[self])
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
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::from([[2.0f64, 3.0], [0.0, 5.0]]);
    /// assert_eq!(x.prod_axis(1, false).value().to_vec(), [6.0, 0.0]);
    /// // Also beside a 0.
    /// let slope = grad(|x: &Var<f64>| x.prod_axis(1, false).sum(), &x);
    /// assert_eq!(slope.value().to_vec(), [3.0, 2.0, 5.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod_axis(&self, axis: impl Into<Axis>, keepdim: bool) -> Var<T> {
        let axis = self.shape().axis("prod", axis);
        let product = apply(Product(axis), &[self]);
        if keepdim { product } else { product.squeeze(axis) }
    }
}
