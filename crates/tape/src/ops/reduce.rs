//! Variances, norms, products and cumulative sums.

use wengert_tensor::{Axes, Axis, Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::op::{Cotangents, Op, Point, apply, rules_compiled_here};
use crate::ops::broadcast::{reduced_count, reduced_shape};
use crate::var::Var;

/// The p-norm over axes for finite p. Where all elements are 0 and it has a kink, the subgradient is 0.
#[derive(Clone)]
struct Norm {
    p: f64,
    axes: Axes,
    keepdim: bool,
}

impl Norm {
    /// The slope sign(x)·(|x| / ‖x‖)^(p − 1), or 0 where the norm is 0; no power of it overflows.
    fn slope<T: Float>(&self, at: &Point<T>) -> Var<T> {
        let x = at.input(0);
        let y = at.output().reshape(reduced_shape("norm", x.shape(), &self.axes, true));
        let zero = y.value().equal(0.0);
        // Divided by 1 instead of 0, so that no derivative of the quotient is ever infinite.
        let direction = x / y.masked_fill(&zero, 1.0);
        if self.p == 2.0 { direction } else { direction.abs().powf(self.p - 1.0) * x.sign() }
    }
}

impl<T: Float> Op<T> for Norm {
    fn name(&self) -> &str {
        "norm"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].norm_axes(self.p, self.axes.clone(), self.keepdim)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let kept = reduced_shape("norm", at.input(0).shape(), &self.axes, true);
        into.add(0, || cotangent.reshape(kept) * self.slope(at));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| (t * self.slope(at)).sum_axes(self.axes.clone(), self.keepdim))
    }
    rules_compiled_here!(Norm);
}

/// Cumulative sums along an axis.
#[derive(Clone)]
struct Cumsum(usize);

impl<T: Float> LinearMap<T> for Cumsum {
    fn name(&self) -> &str {
        "cumsum"
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
    /// The variance of all elements, Σ(x − x̄)² / (n − 1).
    #[track_caller]
    pub fn var(&self) -> Var<T> {
        self.var_axes(.., 1, false)
    }

    /// The variance over some axes, Σ(x − x̄)² / (n − `correction`).
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn var_axes(&self, axes: impl Into<Axes>, correction: usize, keepdim: bool) -> Var<T> {
        let axes = axes.into();
        let count = reduced_count("var", self.shape(), &axes);
        let centred = self - self.mean_axes(axes.clone(), true);
        centred.square().sum_axes(axes, keepdim) / (count as f64 - correction as f64).max(0.0)
    }

    /// The standard deviation over some axes, √(Σ(x − x̄)² / (n − `correction`)); where it is 0 the subgradient is 0.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn std_axes(&self, axes: impl Into<Axes>, correction: usize, keepdim: bool) -> Var<T> {
        let axes = axes.into();
        let count = reduced_count("std", self.shape(), &axes);
        let centred = self - self.mean_axes(axes.clone(), true);
        // As a norm, which has a subgradient at 0.
        centred.norm_axes(2.0, axes, keepdim) / (count as f64 - correction as f64).max(0.0).sqrt()
    }

    /// The p-norm of all elements: see [`norm_axes`](Var::norm_axes).
    #[track_caller]
    pub fn norm(&self, p: f64) -> Var<T> {
        self.norm_axes(p, .., false)
    }

    /// The p-norm (Σ|x|ᵖ)^(1/p) over some axes, p > 0; ∞ gives the largest |x|. Where all elements are 0 the
    /// subgradient is 0.
    ///
    /// # Panics
    /// If `p` is not positive, or an axis does not exist or is given twice.
    #[track_caller]
    pub fn norm_axes(&self, p: f64, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        assert!(p > 0.0, "norm: the order {p} is not positive");
        let axes = axes.into();
        if p == 1.0 {
            return self.abs().sum_axes(axes, keepdim);
        }
        if p == f64::INFINITY {
            return self.abs().max_axes(axes, keepdim);
        }
        apply(Norm { p, axes, keepdim }, &[self])
    }

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
