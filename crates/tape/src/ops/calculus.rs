//! Differences and integrals along an axis.

use wengert_tensor::shape::broadcast_or_panic;
use wengert_tensor::{Axis, Float, Shape};

use crate::ops::arithmetic::{Operand, Side};
use crate::var::Var;

/// The distances between neighbours along an axis: one for all, or of places that are given.
#[track_caller]
fn distances<T: Float>(operation: &str, y: &Var<T>, axis: usize, spacing: impl Operand<T>) -> Var<T> {
    let places = match spacing.side() {
        Side::Number(dx) => return Var::scalar(T::from_f64(dx)),
        Side::Variable(x) => x.clone(),
        Side::Constant(x) => x,
    };
    // Places of a vector are along the axis.
    let places = if places.rank() == 1 {
        let mut shape = vec![1; y.rank() - axis];
        shape[0] = places.len();
        places.reshape(Shape::from(shape))
    } else {
        places
    };
    let (shape, found) = (y.shape(), places.shape());
    let own = (found.len() + axis).checked_sub(y.rank());
    let fits = own.is_some_and(|own| found[own] == shape[axis]);
    assert!(fits, "{operation}: places of shape {found} for axis {axis} of shape {shape}");
    broadcast_or_panic(operation, shape, found);
    places.diff(1, own.unwrap_or(0))
}

/// The areas between neighbours along an axis.
#[track_caller]
fn areas<T: Float>(operation: &str, y: &Var<T>, axis: usize, spacing: impl Operand<T>) -> Var<T> {
    let distances = distances(operation, y, axis, spacing);
    let last = y.shape()[axis].max(1);
    (y.slice_axis(axis, 1..) + y.slice_axis(axis, ..last - 1)) * 0.5 * distances
}

impl<T: Float> Var<T> {
    /// The differences of neighbours along an axis, taken `n` times.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::from([1.0f64, 4.0, 9.0, 16.0]);
    /// assert_eq!(x.diff(1, 0).value().to_vec(), [3.0, 5.0, 7.0]);
    /// assert_eq!(x.diff(2, 0).value().to_vec(), [2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn diff(&self, n: usize, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("diff", axis);
        let mut x = self.clone();
        // Nothing is left after as many as there are.
        for _ in 0..n.min(self.shape()[axis]) {
            let last = x.shape()[axis] - 1;
            x = x.slice_axis(axis, 1..) - x.slice_axis(axis, ..last);
        }
        x
    }

    /// The integral along an axis, which goes away, by the trapezoidal rule. `spacing` is the distance of neighbours, or the
    /// places of the elements: a vector, or what broadcasts to the shape.
    ///
    /// # Panics
    /// If there is no such axis, or the places do not fit.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let y = Var::from([1.0f64, 3.0, 5.0]);
    /// assert_eq!(y.trapezoid(0.5, 0).item(), 3.0);
    /// assert_eq!(y.trapezoid(&Var::from([0.0, 1.0, 3.0]), 0).item(), 10.0);
    /// ```
    #[doc(alias = "trapz")]
    #[track_caller]
    pub fn trapezoid(&self, spacing: impl Operand<T>, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("trapezoid", axis);
        areas("trapezoid", self, axis, spacing).sum_axes(axis, false)
    }

    /// The integrals by the trapezoidal rule up to each element but the first: see [`trapezoid`](Var::trapezoid).
    ///
    /// # Panics
    /// As that.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::from([1.0f64, 3.0, 5.0]).cumulative_trapezoid(1.0, 0).value().to_vec(), [2.0, 6.0]);
    /// ```
    #[doc(alias = "cumtrapz")]
    #[track_caller]
    pub fn cumulative_trapezoid(&self, spacing: impl Operand<T>, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("cumulative_trapezoid", axis);
        areas("cumulative_trapezoid", self, axis, spacing).cumsum(axis)
    }
}
