//! Resampling.

use wengert_tensor::axis_map::{AxisMap, Interpolation};
use wengert_tensor::{Float, size};

use super::{AlongAxis, nothing};
use crate::describe::Attributes;
use crate::var::Var;

/// How large the resampled axes are to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resize<const D: usize> {
    /// Their lengths.
    Size([usize; D]),
    /// How many new elements there are for one; the lengths are rounded down. Elements are as far apart as the factor
    /// says even so, as in PyTorch without `recompute_scale_factor`; but for [`Linear`](Interpolation::Linear) ones of an axis
    /// that keeps its length, which stay where they are.
    Scale([f64; D]),
}

impl<const D: usize> Resize<D> {
    /// The length of an axis and the factor that was given. Panics if the latter makes no sense.
    #[track_caller]
    fn axis(&self, axis: usize, length: usize) -> (usize, Option<f64>) {
        match self {
            Resize::Size(lengths) => (lengths[axis], None),
            Resize::Scale(factors) => {
                let factor = factors[axis];
                let scaled = (length as f64 * factor).floor();
                assert!(
                    factor > 0.0 && scaled <= size::MAX_ELEMENTS as f64,
                    "interpolate: {length} elements cannot be scaled by {factor}"
                );
                (scaled as usize, Some(factor))
            }
        }
    }
}

impl<T: Float> Var<T> {
    /// The last `D` axes of `[batch, channels, size…]` resampled, as PyTorch's `interpolate` does for each mode (linear is
    /// bilinear and trilinear along two and three axes; cubic is bicubic along two).
    ///
    /// # Panics
    /// If there are not `D + 2` axes, a factor is not positive, an axis without elements is to have some, or the result has
    /// too many.
    ///
    /// ```
    /// use wengert_tape::{Interpolation, Resize, Var};
    /// let x = Var::from([1.0f64, 3.0]).reshape([1, 1, 2]);
    /// let linear = Interpolation::Linear { align_corners: false };
    /// assert_eq!(x.interpolate(Resize::Size([4]), linear).value().to_vec(), [1.0, 1.5, 2.5, 3.0]);
    /// assert_eq!(x.interpolate(Resize::Scale([1.5]), Interpolation::Nearest).value().to_vec(), [1.0, 1.0, 3.0]);
    /// ```
    #[doc(alias = "upsample")]
    #[doc(alias = "F.interpolate")]
    #[doc(alias = "upsample_nearest")]
    #[doc(alias = "upsample_bilinear")]
    #[track_caller]
    pub fn interpolate<const D: usize>(&self, resize: Resize<D>, mode: Interpolation) -> Var<T> {
        let shape = self.shape();
        assert!(shape.len() == D + 2, "interpolate: {shape} does not have {} axes", D + 2);
        let mut resized = shape.clone();
        for axis in 0..D {
            let (length, _) = resize.axis(axis, shape[axis + 2]);
            resized = resized.with(axis + 2, length);
            if shape[axis + 2] == 0 && length > 0 {
                panic!("interpolate: axis {} of shape {shape} has no elements to make {length} of", axis + 2);
            }
        }
        let resized = resized.checked("interpolate");
        if let Some(nothing) = nothing(self, &resized) {
            return nothing;
        }
        let (text, aligned) = match mode {
            Interpolation::Nearest => ("nearest", false),
            Interpolation::NearestExact => ("nearest-exact", false),
            Interpolation::Linear { align_corners } => ("linear", align_corners),
            Interpolation::Cubic { align_corners } => ("cubic", align_corners),
            Interpolation::Area => ("area", false),
        };
        // What grows is made larger last, what shrinks smaller first.
        let mut axes: Vec<usize> = (0..D).rev().collect();
        axes.sort_by_key(|&axis| resized[axis + 2] > shape[axis + 2]);
        let mut x = self.clone();
        for axis in axes {
            let (length, scale) = resize.axis(axis, shape[axis + 2]);
            let mut attributes = Attributes::default();
            attributes.set("mode", text);
            attributes.set("align_corners", aligned);
            if let Some(scale) = scale {
                attributes.set("scale", scale);
            }
            let map = AxisMap::resampled(shape[axis + 2], length, scale, mode);
            x = x.linear(AlongAxis::new(
                ["interpolate", "interpolate_transposed"],
                axis + 2,
                map,
                attributes,
            ));
        }
        x
    }
}
