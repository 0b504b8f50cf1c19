//! Broadcasts and the sums that undo them.

use wengert_tensor::shape::{Axes, broadcast};
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

#[derive(Clone)]
struct BroadcastTo(Shape);

impl<T: Float> LinearMap<T> for BroadcastTo {
    fn name(&self) -> &str {
        "broadcast_to"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.0);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.broadcast_to(&self.0)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.sum_to(input)
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        // If the shapes do not fit, `forward` says so.
        (self.0.fits() && broadcast(input, &self.0).as_ref() == Some(&self.0)).then(|| self.0.clone())
    }
    rules_compiled_here!(BroadcastTo in LinearOp);
}

#[derive(Clone)]
struct SumTo(Shape);

impl<T: Float> LinearMap<T> for SumTo {
    fn name(&self) -> &str {
        "sum_to"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.0);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.sum_to(&self.0)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.broadcast_to(input)
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        (broadcast(input, &self.0).as_ref() == Some(input)).then(|| self.0.clone())
    }
    rules_compiled_here!(SumTo in LinearOp);
}

/// A sum over axes; the mask says which, and whether they stay.
#[derive(Clone)]
struct SumAxes {
    axes: Axes,
    keepdim: bool,
}

impl<T: Float> LinearMap<T> for SumAxes {
    fn name(&self) -> &str {
        "sum"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.axes);
        attributes.set("keepdim", self.keepdim);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.sum_axes(self.axes.clone(), self.keepdim)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.reshape(reduced_shape("sum", input, &self.axes, true)).broadcast_to(input)
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(reduced_shape("sum", input, &self.axes, self.keepdim))
    }
    rules_compiled_here!(SumAxes in LinearOp);
}

/// The shape after a reduction over `axes`.
#[track_caller]
pub(crate) fn reduced_shape(operation: &str, shape: &Shape, axes: &Axes, keepdim: bool) -> Shape {
    let mask = axes.mask(operation, shape);
    let kept = |(&d, &reduced): (&usize, &bool)| match (reduced, keepdim) {
        (false, _) => Some(d),
        (true, true) => Some(1),
        (true, false) => None,
    };
    shape.iter().zip(&mask).filter_map(kept).collect()
}

/// How many elements go into each element of a reduction over `axes`; 1 if there are no outputs, for which there is
/// nothing to divide.
#[track_caller]
pub(crate) fn reduced_count(operation: &str, shape: &Shape, axes: &Axes) -> usize {
    shape.count().checked_div(reduced_shape(operation, shape, axes, false).count()).unwrap_or(1)
}

impl<T: Float> Var<T> {
    /// Repeated along axes of length 1, and along new leading axes.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[doc(alias = "expand")]
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Var<T> {
        let shape = shape.into();
        if &shape == self.shape() {
            return self.clone();
        }
        self.linear(BroadcastTo(shape))
    }

    /// The sum over the axes along which `shape` was broadcast to this shape.
    ///
    /// # Panics
    /// If `shape` does not broadcast to this variable's shape.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_to(&[2].into()).value().to_vec(), [4.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn sum_to(&self, shape: &Shape) -> Var<T> {
        if shape == self.shape() {
            return self.clone();
        }
        self.linear(SumTo(shape.clone()))
    }

    /// The sum of all elements, as a variable without axes.
    #[track_caller]
    pub fn sum(&self) -> Var<T> {
        self.sum_axes(.., false)
    }

    /// The sum over some axes, which stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn sum_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        self.linear(SumAxes { axes: axes.into(), keepdim })
    }

    /// The mean of all elements; NaN if there are none.
    #[track_caller]
    pub fn mean(&self) -> Var<T> {
        self.mean_axes(.., false)
    }

    /// The mean over some axes, which stay with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean_axes(0, false).value().to_vec(), [2.0, 3.0]);
    /// assert_eq!(x.mean_axes([0, 1], true).shape(), &[1, 1]);
    /// ```
    #[track_caller]
    pub fn mean_axes(&self, axes: impl Into<Axes>, keepdim: bool) -> Var<T> {
        let axes = axes.into();
        let count = reduced_count("mean", self.shape(), &axes);
        self.sum_axes(axes, keepdim) / count as f64
    }
}
