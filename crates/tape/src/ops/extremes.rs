//! The largest and smallest elements along axes, and sorting.

use wengert_tensor::{Axes, Float, Tensor, compiled_here};

use crate::op::{Cotangents, Op, Point, apply, rules_compiled_here};
use crate::ops::broadcast::reduced_shape;
use crate::var::Var;

/// The largest or smallest element over axes. Equal ones share the cotangent evenly.
#[derive(Clone)]
struct ExtremeAxes {
    largest: bool,
    axes: Axes,
    keepdim: bool,
}

impl ExtremeAxes {
    /// How much of the cotangent each element gets: 1 over the number of elements that are the extreme.
    fn shares<T: Float>(&self, at: &Point<T>) -> Var<T> {
        compiled_here! {
            // A NaN is the extreme wherever there is one.
            fn hits<T: Float>(x: &Tensor<T>, y: &Tensor<T>) -> Tensor<T> {
                let hit = |x: T, y: T| if x == y || (x.is_nan() && y.is_nan()) { T::ONE } else { T::ZERO };
                x.zip_map("max", y, hit)
            }
        }
        let x = at.input(0).value();
        let y = at.output().value().reshape(reduced_shape(Op::<T>::name(self), x.shape(), &self.axes, true));
        let hit = hits(x, &y);
        let count = hit.sum_axes(self.axes.clone(), true);
        Var::constant(hit / count)
    }
}

impl<T: Float> Op<T> for ExtremeAxes {
    fn name(&self) -> &str {
        if self.largest { "max" } else { "min" }
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        let axes = self.axes.clone();
        if self.largest { x[0].max_axes(axes, self.keepdim) } else { x[0].min_axes(axes, self.keepdim) }
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        let kept = reduced_shape(Op::<T>::name(self), at.input(0).shape(), &self.axes, true);
        into.add(0, || cotangent.reshape(kept) * self.shares(at));
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| (t * self.shares(at)).sum_axes(self.axes.clone(), self.keepdim))
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
