//! Parts of a variable, replaced.

use wengert_tensor::size::check_positions;
use wengert_tensor::{Axis, Float, Shape, Slice, Tensor};

use crate::var::Var;

/// The positions of a range of an axis of this length.
#[track_caller]
fn positions(operation: &str, length: usize, slice: Slice) -> Tensor<u32> {
    check_positions(operation, length);
    Tensor::from_fn([length], |i| i[0] as u32).slice_axis(0, slice)
}

/// The axes other than `axis` along which an index of this shape is shorter than `shape`, and its lengths. There are none
/// where the index does not fit, which is for others to say.
fn shorter(shape: &Shape, axis: usize, index: &Shape) -> Vec<(usize, usize)> {
    let fits = shape.len() == index.len() && (0..shape.len()).all(|i| i == axis || index[i] <= shape[i]);
    let is_shorter = |&i: &usize| fits && i != axis && index[i] < shape[i];
    (0..shape.len()).filter(is_shorter).map(|i| (i, index[i])).collect()
}

/// The first positions of `x` along the axes along which an index is shorter.
#[track_caller]
pub(crate) fn corner<T: Float>(x: &Var<T>, axis: usize, index: &Shape) -> Var<T> {
    let axes = shorter(x.shape(), axis, index);
    axes.into_iter().fold(x.clone(), |x, (axis, length)| x.slice_axis(axis, ..length))
}

/// The first positions of a source that is longer than an index.
#[track_caller]
pub(crate) fn cropped<T: Float>(source: &Var<T>, index: &Shape) -> Var<T> {
    if source.rank() != index.len() {
        return source.clone();
    }
    let longer = (0..index.len()).filter(|&axis| source.shape()[axis] > index[axis]);
    longer.fold(source.clone(), |source, axis| source.slice_axis(axis, ..index[axis]))
}

/// `x` with another one in the place of its [`corner`].
#[track_caller]
pub(crate) fn with_corner<T: Float>(
    operation: &str,
    x: &Var<T>,
    axis: usize,
    index: &Shape,
    new: Var<T>,
) -> Var<T> {
    let axes = shorter(x.shape(), axis, index);
    if axes.is_empty() { new } else { replaced(operation, x, &axes, &new) }
}

/// `x` with the first positions of these axes replaced.
#[track_caller]
fn replaced<T: Float>(operation: &str, x: &Var<T>, axes: &[(usize, usize)], new: &Var<T>) -> Var<T> {
    let Some((&(axis, length), others)) = axes.split_first() else { return new.clone() };
    let inner = replaced(operation, &x.slice_axis(axis, ..length), others, new);
    x.index_copy(axis, positions(operation, length, Slice::from(..)), &inner)
}

impl<T: Float> Var<T> {
    /// With `source` in the place of a range of an axis: `x.slice_axis(axis, slice)` is then the source.
    ///
    /// # Panics
    /// If there is no such axis, or it is longer than 2³², or the source has not the shape of the range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::<f64>::zeros([4]);
    /// assert_eq!(x.slice_scatter(0, 1..3, &Var::from([5.0, 6.0])).value().to_vec(), [0.0, 5.0, 6.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn slice_scatter(&self, axis: impl Into<Axis>, slice: impl Into<Slice>, source: &Var<T>) -> Var<T> {
        let axis = self.shape().axis("slice_scatter", axis);
        let at = positions("slice_scatter", self.shape()[axis], slice.into());
        let expected = self.shape().with(axis, at.len());
        assert!(
            source.shape() == &expected,
            "slice_scatter: a source of shape {} for a range of shape {expected}",
            source.shape()
        );
        self.index_copy(axis, at, source)
    }

    /// With `source` in the place of position `index` of an axis: `x.select(axis, index)` is then the source. A negative index
    /// counts from the end.
    ///
    /// # Panics
    /// If there is no such axis or position, or the source has not the shape without the axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::<f64>::zeros([2, 2]);
    /// assert_eq!(x.select_scatter(0, -1, &Var::from([5.0, 6.0])).value().to_vec(), [0.0, 0.0, 5.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn select_scatter(&self, axis: impl Into<Axis>, index: isize, source: &Var<T>) -> Var<T> {
        let axis = self.shape().axis("select_scatter", axis);
        let length = self.shape()[axis];
        let at = if index < 0 { length.checked_sub(index.unsigned_abs()) } else { Some(index as usize) };
        let Some(at) = at.filter(|&at| at < length) else {
            panic!("select_scatter: there is no position {index} of axis {axis} of shape {}", self.shape());
        };
        check_positions("select_scatter", length);
        let expected: Shape =
            (0..self.rank()).filter(|&other| other != axis).map(|other| self.shape()[other]).collect();
        assert!(
            source.shape() == &expected,
            "select_scatter: a source of shape {} for a position of shape {expected}",
            source.shape()
        );
        self.index_copy(axis, Tensor::vector(&[at as u32]), &source.unsqueeze(axis))
    }

    /// With `source` on a diagonal of the last two axes: `x.diagonal(offset)` is then the source.
    ///
    /// # Panics
    /// If there are fewer than two axes, a matrix has more than 2³² elements, or the source has not the shape of the diagonals.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::<f64>::zeros([2, 2]);
    /// assert_eq!(x.diagonal_scatter(0, &Var::from([5.0, 6.0])).value().to_vec(), [5.0, 0.0, 0.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn diagonal_scatter(&self, offset: isize, source: &Var<T>) -> Var<T> {
        assert!(self.rank() >= 2, "diagonal_scatter: shape {} has fewer than two axes", self.shape());
        let (rank, shape) = (self.rank(), self.shape());
        let elements = shape[rank - 2].saturating_mul(shape[rank - 1]);
        check_positions("diagonal_scatter", elements);
        let at = crate::ops::diagonal::positions(shape, offset);
        let expected: Shape = shape[..rank - 2].iter().copied().chain([at.len()]).collect();
        assert!(
            source.shape() == &expected,
            "diagonal_scatter: a source of shape {} for diagonals of shape {expected}",
            source.shape()
        );
        self.flatten(-2, -1).index_copy(-1, at, source).reshape(shape)
    }
}
