//! Variance and standard deviation.

use wengert_tensor::{Axes, Float, Shape, Tensor};

use crate::class::{LinearMap, piecewise};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::ops::broadcast::{reduced_count, reduced_shape};
use crate::ops::norm::NotZero;
use crate::ops::select::gated;
use crate::var::Var;

/// The elements less their mean over axes: a projection, and its own transpose.
#[derive(Clone)]
struct Centred(Axes);

impl<T: Float> LinearMap<T> for Centred {
    fn name(&self) -> &str {
        "centred"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.0);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.centred(self.0.clone())
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(self.clone())
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.clone())
    }
    rules_compiled_here!(Centred in LinearOp);
}

/// Σ(x − x̄)² / (n − correction) over axes.
#[derive(Clone)]
struct Variance {
    axes: Axes,
    correction: usize,
    keepdim: bool,
}

impl Variance {
    /// 2·(x − x̄) / (n − correction).
    fn slope<T: Float>(&self, at: &Point<T>) -> Var<T> {
        let x = at.input(0);
        x.linear(Centred(self.axes.clone())) * (2.0 / divisor("var", x.shape(), &self.axes, self.correction))
    }
}

impl<T: Float> Op<T> for Variance {
    fn name(&self) -> &str {
        "var"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.axes);
        attributes.set("correction", self.correction);
        attributes.set("keepdim", self.keepdim);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].var_axes(self.axes.clone(), self.correction, self.keepdim)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let kept = reduced_shape("var", at.input(0).shape(), &self.axes, true);
        into.add(0, || cotangent.reshape(kept) * self.slope(at));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| (t * self.slope(at)).sum_axes(self.axes.clone(), self.keepdim))
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(reduced_shape("var", inputs[0], &self.axes, self.keepdim))
    }
    rules_compiled_here!(Variance);
}

/// The root of the variance.
#[derive(Clone)]
struct Deviation(Variance);

impl Deviation {
    /// `v`, a cotangent or a tangent, times the slope (x − x̄) / (y·(n − correction)), or 0 where the deviation y is 0.
    fn times_slope<T: Float>(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let Variance { axes, correction, .. } = &self.0;
        let x = at.input(0);
        let y = at.output().reshape(reduced_shape("std", x.shape(), axes, true));
        let divisor = divisor("std", x.shape(), axes, *correction);
        let direction = x.linear(Centred(axes.clone())) / (y.masked_fill(y.equal(0.0), 1.0) * divisor);
        let smooth = piecewise(NotZero, &[&y]);
        gated(&(gated(v, &smooth) * direction), &smooth)
    }
}

impl<T: Float> Op<T> for Deviation {
    fn name(&self) -> &str {
        "std"
    }

    fn describe(&self, attributes: &mut Attributes) {
        Op::<T>::describe(&self.0, attributes);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].std_axes(self.0.axes.clone(), self.0.correction, self.0.keepdim)
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let kept = reduced_shape("std", at.input(0).shape(), &self.0.axes, true);
        into.add(0, || self.times_slope(at, &cotangent.reshape(kept)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let along = |t: &Var<T>| self.times_slope(at, t).sum_axes(self.0.axes.clone(), self.0.keepdim);
        tangents[0].as_ref().map(along)
    }
    rules_compiled_here!(Deviation);
}

/// n − `correction`, or 0 if that is negative.
#[track_caller]
fn divisor(operation: &str, shape: &Shape, axes: &Axes, correction: usize) -> f64 {
    (reduced_count(operation, shape, axes) as f64 - correction as f64).max(0.0)
}

impl<T: Float> Var<T> {
    /// The variance of all elements, Σ(x − x̄)² / (n − 1).
    #[track_caller]
    pub fn var(&self) -> Var<T> {
        self.var_axes(.., 1, false)
    }

    /// The variance over some axes, Σ(x − x̄)² / (n − `correction`): see [`Tensor::var_axes`].
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[doc(alias = "var_mean")]
    #[track_caller]
    pub fn var_axes(&self, axes: impl Into<Axes>, correction: usize, keepdim: bool) -> Var<T> {
        apply(Variance { axes: axes.into(), correction, keepdim }, &[self])
    }

    /// The standard deviation over some axes, √(Σ(x − x̄)² / (n − `correction`)): see [`Tensor::std_axes`]. Where it is
    /// 0, so are its derivatives.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[doc(alias = "std_mean")]
    #[track_caller]
    pub fn std_axes(&self, axes: impl Into<Axes>, correction: usize, keepdim: bool) -> Var<T> {
        apply(Deviation(Variance { axes: axes.into(), correction, keepdim }), &[self])
    }
}
