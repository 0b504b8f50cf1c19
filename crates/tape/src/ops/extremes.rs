//! The largest and smallest elements along axes, and sorting.

use wengert_tensor::{Axes, Float, Shape, Tensor, compiled_here};

use crate::class::{Piecewise, piecewise};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, apply, rules_compiled_here};
use crate::ops::broadcast::reduced_shape;
use crate::ops::select::gated;
use crate::var::Var;

/// The largest or smallest element over axes. Equal ones share the cotangent evenly.
#[derive(Clone)]
struct ExtremeAxes {
    largest: bool,
    axes: Axes,
    keepdim: bool,
}

impl ExtremeAxes {
    /// `v`, a cotangent or a tangent, as far as each element has part in it.
    fn shared_out<T: Float>(&self, at: &Point<T>, v: &Var<T>) -> Var<T> {
        let x = at.input(0);
        let y = at.output().reshape(reduced_shape(Op::<T>::name(self), x.shape(), &self.axes, true));
        gated(v, &piecewise(Shares { axes: self.axes.clone() }, &[x, &y]))
    }
}

/// Which part each element has in the extreme: 1 over the number of elements that are equal to it, 0 of the others.
#[derive(Clone)]
pub(super) struct Shares {
    pub(super) axes: Axes,
}

impl<T: Float> Piecewise<T> for Shares {
    fn name(&self) -> &str {
        "shares_of_extreme"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.axes);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let hit = hits(x[0], x[1]);
        let count = hit.sum_axes(self.axes.clone(), true);
        hit / count
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Shares in PiecewiseOp);
}

compiled_here! {
    // A NaN is the extreme wherever there is one.
    fn hits<T: Float>(x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
        let hit = |x: T, y: T| if x == y || (x.is_nan() && y.is_nan()) { T::ONE } else { T::ZERO };
        x.zip_map("shares_of_extreme", y, hit)
    }
}

/// Of x and an extreme: 1 where they are equal, 0 elsewhere.
#[derive(Clone)]
pub(super) struct Hits;

impl<T: Float> Piecewise<T> for Hits {
    fn name(&self) -> &str {
        "is_extreme"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        hits(x[0], x[1])
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        Some(inputs[0].clone())
    }
    rules_compiled_here!(Hits in PiecewiseOp);
}

impl<T: Float> Op<T> for ExtremeAxes {
    fn name(&self) -> &str {
        if self.largest { "max" } else { "min" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.axes);
        attributes.set("keepdim", self.keepdim);
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let axes = self.axes.clone();
        if self.largest { x[0].max_axes(axes, self.keepdim) } else { x[0].min_axes(axes, self.keepdim) }
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let kept = reduced_shape(Op::<T>::name(self), at.input(0).shape(), &self.axes, true);
        into.add(0, || self.shared_out(at, &cotangent.reshape(kept)));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| self.shared_out(at, t).sum_axes(self.axes.clone(), self.keepdim))
    }
    rules_compiled_here!(ExtremeAxes);
}

impl<T: Float> Var<T> {
    /// The largest element; NaN if there is one. Equal largest elements share the derivative evenly.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn max(&self) -> Var<T> {
        self.max_axes(.., false)
    }

    /// The largest element over some axes, which stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist, is given twice or has length 0.
    #[doc(alias = "amax")]
    #[track_caller]
    pub fn max_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        apply(ExtremeAxes { largest: true, axes: axes.into(), keepdim }, &[self])
    }

    /// The smallest element; NaN if there is one. Equal smallest elements share the derivative evenly.
    ///
    /// # Panics
    /// If there are no elements.
    #[track_caller]
    pub fn min(&self) -> Var<T> {
        self.min_axes(.., false)
    }

    /// The smallest element over some axes, which stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist, is given twice or has length 0.
    #[doc(alias = "amin")]
    #[track_caller]
    pub fn min_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        apply(ExtremeAxes { largest: false, axes: axes.into(), keepdim }, &[self])
    }
}
