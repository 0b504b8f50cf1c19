//! Views: other shapes and orders of the same elements, without copying them.

use smallvec::SmallVec;

use crate::array::element::Element;
use crate::array::layout::Layout;
use crate::array::shape::{Axes, Axis, Dims, Shape, Slice};
use crate::array::size;
use crate::array::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The elements in row-major order under another shape; one length may be −1, to be inferred. A view where
    /// strides can express it, else a copy.
    ///
    /// # Panics
    /// If the number of elements differs.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::<f32>::zeros([4, 6]);
    /// assert_eq!(x.reshape([2, -1]).shape(), &[2, 12]);
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Dims>) -> Tensor<T> {
        self.reshaped("reshape", resolve_dims(self.shape(), &shape.into()))
    }

    /// [`reshape`](Tensor::reshape) to a checked shape of as many elements; `operation` is what asks for it.
    #[track_caller]
    pub(crate) fn reshaped(&self, operation: &str, shape: Shape) -> Tensor<T> {
        if &shape == self.shape() {
            return self.clone();
        }
        match self.layout.reshape(&shape) {
            Some(layout) => self.view(layout),
            None => self.copied_for(operation).view(Layout::contiguous(shape)),
        }
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]`.
    ///
    /// # Panics
    /// If `order` is not a permutation of the axes.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<f64>::zeros([2, 3, 4]).permute([2, 0, 1]).shape(), &[4, 2, 3]);
    /// ```
    #[track_caller]
    pub fn permute(&self, order: impl Into<Axes>) -> Tensor<T> {
        let order = permutation(self.shape(), &order.into());
        self.view(self.layout.permute(&order))
    }

    /// Two axes exchanged.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<f64>::zeros([2, 3, 4]).transpose(0, -1).shape(), &[4, 3, 2]);
    /// ```
    #[track_caller]
    pub fn transpose(&self, a: impl Into<Axis>, b: impl Into<Axis>) -> Tensor<T> {
        let (a, b) = (self.shape().axis("transpose", a), self.shape().axis("transpose", b));
        let mut order: SmallVec<[usize; 4]> = (0..self.rank()).collect();
        order.swap(a, b);
        self.view(self.layout.permute(&order))
    }

    /// The last two axes exchanged: the transpose of a matrix, or of each matrix of a batch.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Tensor<T> {
        assert!(self.rank() >= 2, "t: shape {} has fewer than two axes", self.shape());
        self.transpose(-2, -1)
    }

    /// A range of the first axis.
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn slice(&self, slice: impl Into<Slice>) -> Tensor<T> {
        self.slice_axis(0, slice)
    }

    /// A range of one axis, with a step: see [`Slice`].
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice_axis(1, ..-1).to_vec(), [1.0, 2.0, 4.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn slice_axis(&self, axis: impl Into<Axis>, slice: impl Into<Slice>) -> Tensor<T> {
        let axis = self.shape().axis("slice", axis);
        self.view(self.layout.slice(axis, slice.into()))
    }

    /// Position `index` of an axis, which goes away; a negative index counts from the end.
    ///
    /// # Panics
    /// If there is no such axis or position.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let x = Tensor::from([[1.0f64, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.select(1, -1).to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn select(&self, axis: impl Into<Axis>, index: isize) -> Tensor<T> {
        let axis = self.shape().axis("select", axis);
        let length = self.shape()[axis] as isize;
        let position = if index < 0 { index + length } else { index };
        if position < 0 || position >= length {
            panic!("select: index {index} is out of range for axis {axis} of shape {}", self.shape());
        }
        self.view(self.layout.select(axis, position as usize))
    }

    /// Without axis `axis`, whose length must be 1.
    ///
    /// # Panics
    /// If there is no such axis, or its length is not 1.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::<f64>::zeros([2, 1, 4]).squeeze(1).shape(), &[2, 4]);
    /// ```
    #[track_caller]
    pub fn squeeze(&self, axis: impl Into<Axis>) -> Tensor<T> {
        let axis = self.shape().axis("squeeze", axis);
        assert!(self.shape()[axis] == 1, "squeeze: axis {axis} of shape {} is not of length 1", self.shape());
        self.view(self.layout.select(axis, 0))
    }

    /// With a new axis of length 1 at `axis`, which may be one past the last; −1 appends it.
    ///
    /// # Panics
    /// If `axis` is out of that range.
    ///
    /// ```
    /// # use wengert_tensor::Tensor;
    /// let x = Tensor::<f32>::zeros([4, 6]);
    /// assert_eq!(x.unsqueeze(-1).shape(), &[4, 6, 1]);
    /// assert_eq!(x.unsqueeze(0).shape(), &[1, 4, 6]);
    /// ```
    #[track_caller]
    pub fn unsqueeze(&self, axis: impl Into<Axis>) -> Tensor<T> {
        // Positions are those of the result, which has one axis more.
        let axis = self.shape().inserted(0, 1).axis("unsqueeze", axis);
        self.view(self.layout.unsqueeze(axis))
    }

    /// Repeated along axes of length 1, and along new leading axes, without a copy.
    ///
    /// # Panics
    /// If the shapes do not fit, or the result [has too many elements](crate::size).
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, 2.0]).broadcast_to([2, 2]).to_vec(), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Tensor<T> {
        let shape = shape.into().checked("broadcast_to");
        match self.layout.broadcast_to(&shape) {
            Some(layout) => self.view(layout),
            None => panic!(
                "broadcast_to: shape {} does not broadcast to {shape}: aligned at the last axis, lengths must be equal or 1",
                self.shape()
            ),
        }
    }

    /// The given axes backwards.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn flip(&self, axes: impl Into<Axes>) -> Tensor<T> {
        let mask = axes.into().mask("flip", self.shape());
        let mut layout = self.layout.clone();
        for (axis, _) in mask.iter().enumerate().filter(|(_, flipped)| **flipped) {
            layout = layout.slice(axis, Slice::from(..).step(-1));
        }
        self.view(layout)
    }

    /// Cut along an axis into pieces of `size` (the last may be shorter).
    ///
    /// # Panics
    /// If `size` is 0 or there is no such axis.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// let parts = Tensor::from([1.0f64, 2.0, 3.0]).split(2, 0);
    /// assert_eq!([parts[0].to_vec(), parts[1].to_vec()], [vec![1.0, 2.0], vec![3.0]]);
    /// ```
    #[track_caller]
    pub fn split(&self, size: usize, axis: impl Into<Axis>) -> Vec<Tensor<T>> {
        assert!(size > 0, "split: the size of a piece must not be 0");
        let axis = self.shape().axis("split", axis);
        let length = self.shape()[axis];
        let mut pieces = size::list("split", length.div_ceil(size));
        pieces.extend((0..length).step_by(size).map(|i| self.slice_axis(axis, i..i.saturating_add(size))));
        pieces
    }

    /// Cut along an axis into at most `count` pieces of equal length (the last may be shorter).
    ///
    /// # Panics
    /// If `count` is 0 or there is no such axis.
    ///
    /// ```
    /// use wengert_tensor::Tensor;
    /// assert_eq!(Tensor::from([1.0f64, 2.0, 3.0, 4.0]).chunk(2, 0)[1].to_vec(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: impl Into<Axis>) -> Vec<Tensor<T>> {
        assert!(count > 0, "chunk: the number of chunks must not be 0");
        let axis = self.shape().axis("chunk", axis);
        self.split(self.shape()[axis].div_ceil(count).max(1), axis)
    }

    /// The axes from `start` to `end` (both included) merged into one.
    ///
    /// # Panics
    /// If there is no such axis, or `end` is before `start`.
    #[track_caller]
    pub fn flatten(&self, start: impl Into<Axis>, end: impl Into<Axis>) -> Tensor<T> {
        self.reshaped("flatten", flattened(self.shape(), start.into(), end.into()))
    }
}

/// The shape with the axes from `start` to `end` merged into one.
///
/// ```
/// use wengert_tensor::{Axis, flattened};
/// assert_eq!(flattened(&[2, 3, 4].into(), Axis(1), Axis(-1)), [2, 12]);
/// ```
#[track_caller]
pub fn flattened(shape: &Shape, start: Axis, end: Axis) -> Shape {
    if shape.is_empty() {
        return 1.into();
    }
    let (start, end) = (shape.axis("flatten", start), shape.axis("flatten", end));
    assert!(start <= end, "flatten: axis {start} is after axis {end} of shape {shape}");
    let merged = size::product("flatten", &shape[start..=end]);
    shape[..start].iter().copied().chain([merged]).chain(shape[end + 1..].iter().copied()).collect()
}

/// The shape that `dims` means for the elements of `shape`, its −1 inferred.
///
/// ```
/// use wengert_tensor::{Dims, resolve_dims};
/// assert_eq!(resolve_dims(&[2, 6].into(), &Dims::from([-1, 4])), [3, 4]);
/// ```
#[track_caller]
pub fn resolve_dims(shape: &Shape, dims: &Dims) -> Shape {
    match resolved(shape, dims) {
        Some(out) => out,
        None => {
            panic!("reshape: shape {shape} of {} elements cannot become {:?}", shape.count(), &dims.0[..])
        }
    }
}

/// [`resolve_dims`], if they mean a shape of as many elements.
fn resolved(shape: &Shape, dims: &Dims) -> Option<Shape> {
    let count = shape.checked_count()?;
    let mut inferred = None;
    if dims.0.contains(&-1) {
        let mut known = dims.0.iter().filter(|&&d| d != -1);
        let known = known.try_fold(1usize, |n, &d| n.checked_mul(d.try_into().ok()?))?;
        inferred = count.checked_div(known);
    }
    // A second −1 finds nothing left to take.
    let length = |&d: &i128| if d == -1 { inferred.take() } else { d.try_into().ok() };
    let out: Shape = dims.0.iter().map(length).collect::<Option<_>>()?;
    (out.checked_count() == Some(count) && out.fits()).then_some(out)
}

/// Checks that `order` is a permutation of the axes of `shape`.
///
/// ```
/// use wengert_tensor::{Axes, permutation};
/// assert_eq!(permutation(&[2, 3].into(), &Axes::from([-1, 0]))[..], [1, 0]);
/// ```
#[track_caller]
pub fn permutation(shape: &Shape, order: &Axes) -> SmallVec<[usize; 4]> {
    let axes = order.0.as_deref().unwrap_or(&[]);
    let mask = order.mask("permute", shape);
    if axes.len() != shape.len() || mask.contains(&false) {
        panic!("permute: {axes:?} is not a permutation of the axes of shape {shape}");
    }
    axes.iter().map(|&a| shape.axis("permute", a)).collect()
}
