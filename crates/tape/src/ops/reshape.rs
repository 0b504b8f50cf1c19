//! Other shapes and orders of the same elements.

use wengert_tensor::{Axes, Axis, Dims, Float, Shape, Slice, Tensor};
use wengert_tensor::{flattened, permutation, resolve_dims, size};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, Saves, apply, rules_compiled_here};
use crate::var::Var;

#[derive(Clone)]
struct Reshape(Shape);

impl<T: Float> LinearMap<T> for Reshape {
    fn name(&self) -> &str {
        "reshape"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.0);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.reshape(&self.0)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.reshape(input)
    }
    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        Some(self.0.clone())
    }
    rules_compiled_here!(Reshape in LinearOp);
}

#[derive(Clone)]
struct Permute(Vec<usize>);

impl<T: Float> LinearMap<T> for Permute {
    fn name(&self) -> &str {
        "permute"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("order", &self.0[..]);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.permute(&self.0[..])
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        let mut inverse = vec![0; self.0.len()];
        for (i, &axis) in self.0.iter().enumerate() {
            inverse[axis] = i;
        }
        cotangent.linear(Permute(inverse))
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(self.0.iter().map(|&a| input[a]).collect())
    }
    rules_compiled_here!(Permute in LinearOp);
}

/// A range of one axis.
struct Cut {
    axis: usize,
    slice: Slice,
}

impl<T: Float> Op<T> for Cut {
    fn name(&self) -> &str {
        "slice"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("range", self.slice);
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].slice_axis(self.axis, self.slice)
    }
    fn vjp(&self, _: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add_range(0, self.axis, self.slice, cotangent);
    }
    fn jvp(&self, _: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        tangents[0].as_ref().map(|t| t.slice_axis(self.axis, self.slice))
    }
    fn saves(&self) -> Saves {
        Saves::NOTHING
    }
    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        let (_, count, _) = self.slice.resolve(inputs[0][self.axis]);
        Some(inputs[0].with(self.axis, count))
    }
    rules_compiled_here!(Cut);
}

/// `x` as the range of one axis of zeros, the axis being `length` long.
pub(crate) fn embedded<T: Float>(x: &Var<T>, axis: usize, slice: Slice, length: usize) -> Var<T> {
    x.linear(Embed { axis, slice, length })
}

/// A range of one axis of zeros: the transpose of [`Cut`].
#[derive(Clone)]
struct Embed {
    axis: usize,
    slice: Slice,
    length: usize,
}

impl<T: Float> LinearMap<T> for Embed {
    fn name(&self) -> &str {
        "embed"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("range", self.slice);
        attributes.set("length", self.length);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let shape = x.shape().with(self.axis, self.length);
        let mut out = Tensor::zeros(shape);
        out.slice_assign(self.axis, self.slice, x);
        out
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.slice_axis(self.axis, self.slice)
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.with(self.axis, self.length))
    }
    rules_compiled_here!(Embed in LinearOp);
}

#[derive(Clone)]
struct Flip(Axes);

impl<T: Float> LinearMap<T> for Flip {
    fn name(&self) -> &str {
        "flip"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axes", &self.0);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.flip(self.0.clone())
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(self.clone())
    }
    rules_compiled_here!(Flip in LinearOp);
}

/// The position of a new axis, which may be one past the last.
#[track_caller]
pub(super) fn inserted_axis(operation: &str, shape: &Shape, axis: impl Into<Axis>) -> usize {
    let with_one_more: Shape = shape.iter().copied().chain([1]).collect();
    with_one_more.axis(operation, axis)
}

impl<T: Float> Var<T> {
    /// The elements in row-major order under another shape; one length may be −1, to be inferred.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[doc(alias = "view")]
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Dims>) -> Var<T> {
        let shape = resolve_dims(self.shape(), &shape.into());
        if &shape == self.shape() { self.clone() } else { self.linear(Reshape(shape)) }
    }

    /// The axes from `start` to `end` (both included) merged into one.
    ///
    /// # Panics
    /// If there is no such axis, or `end` is before `start`.
    #[doc(alias = "ravel")]
    #[track_caller]
    pub fn flatten(&self, start: impl Into<Axis>, end: impl Into<Axis>) -> Var<T> {
        self.reshape(flattened(self.shape(), start.into(), end.into()))
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]`.
    ///
    /// # Panics
    /// If `order` is not a permutation of the axes.
    #[track_caller]
    pub fn permute(&self, order: impl Into<Axes>) -> Var<T> {
        self.linear(Permute(permutation(self.shape(), &order.into()).to_vec()))
    }

    /// Two axes exchanged.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let x = Var::<f64>::zeros([2, 3, 4]);
    /// assert_eq!(x.transpose(0, -1).shape(), &[4, 3, 2]);
    /// ```
    #[doc(alias = "swapaxes")]
    #[doc(alias = "swapdims")]
    #[track_caller]
    pub fn transpose(&self, a: impl Into<Axis>, b: impl Into<Axis>) -> Var<T> {
        let (a, b) = (self.shape().axis("transpose", a), self.shape().axis("transpose", b));
        let mut order: Vec<usize> = (0..self.rank()).collect();
        order.swap(a, b);
        self.linear(Permute(order))
    }

    /// The last two axes exchanged.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn t(&self) -> Var<T> {
        assert!(self.rank() >= 2, "t: shape {} has fewer than two axes", self.shape());
        self.transpose(-2, -1)
    }

    /// A range of the first axis: see [`Slice`].
    ///
    /// # Panics
    /// If there is no axis.
    #[track_caller]
    pub fn slice(&self, slice: impl Into<Slice>) -> Var<T> {
        self.slice_axis(0, slice)
    }

    /// A range of one axis: see [`Slice`].
    ///
    /// # Panics
    /// If there is no such axis.
    #[doc(alias = "narrow")]
    #[track_caller]
    pub fn slice_axis(&self, axis: impl Into<Axis>, slice: impl Into<Slice>) -> Var<T> {
        apply(Cut { axis: self.shape().axis("slice", axis), slice: slice.into() }, &[self])
    }

    /// Position `index` of an axis, which goes away; a negative index counts from the end.
    ///
    /// # Panics
    /// If there is no such axis or position.
    #[track_caller]
    pub fn select(&self, axis: impl Into<Axis>, index: isize) -> Var<T> {
        let axis = self.shape().axis("select", axis);
        let length = self.shape()[axis] as isize;
        let position = if index < 0 { index + length } else { index };
        if position < 0 || position >= length {
            panic!("select: index {index} is out of range for axis {axis} of shape {}", self.shape());
        }
        self.slice_axis(axis, position..position + 1).squeeze(axis)
    }

    /// Without axis `axis`, whose length must be 1.
    ///
    /// # Panics
    /// If there is no such axis, or its length is not 1.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// assert_eq!(Var::<f64>::zeros([2, 1, 4]).squeeze(1).shape(), &[2, 4]);
    /// ```
    #[track_caller]
    pub fn squeeze(&self, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("squeeze", axis);
        assert!(self.shape()[axis] == 1, "squeeze: axis {axis} of shape {} is not of length 1", self.shape());
        let kept = self.shape().iter().enumerate().filter(|(i, _)| *i != axis);
        self.reshape(kept.map(|(_, &d)| d).collect::<Shape>())
    }

    /// With a new axis of length 1 at `axis`, which may be one past the last; −1 appends it.
    ///
    /// # Panics
    /// If `axis` is out of that range.
    #[track_caller]
    pub fn unsqueeze(&self, axis: impl Into<Axis>) -> Var<T> {
        let axis = inserted_axis("unsqueeze", self.shape(), axis);
        let mut lengths = self.shape().to_vec();
        lengths.insert(axis, 1);
        self.reshape(Shape::from(lengths))
    }

    /// The given axes backwards.
    ///
    /// # Panics
    /// If an axis does not exist or is given twice.
    #[doc(alias = "fliplr")]
    #[doc(alias = "flipud")]
    #[track_caller]
    pub fn flip(&self, axes: impl Into<Axes>) -> Var<T> {
        self.linear(Flip(axes.into()))
    }

    /// Cut along an axis into pieces of `size` (the last may be shorter).
    ///
    /// # Panics
    /// If `size` is 0 or there is no such axis.
    #[track_caller]
    pub fn split(&self, size: usize, axis: impl Into<Axis>) -> Vec<Var<T>> {
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
    /// use wengert_tape::Var;
    /// let parts = Var::from([1.0f64, 2.0, 3.0]).chunk(2, 0);
    /// assert_eq!([parts[0].value().to_vec(), parts[1].value().to_vec()], [vec![1.0, 2.0], vec![3.0]]);
    /// ```
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: impl Into<Axis>) -> Vec<Var<T>> {
        assert!(count > 0, "chunk: the number of chunks must not be 0");
        let axis = self.shape().axis("chunk", axis);
        self.split(self.shape()[axis].div_ceil(count).max(1), axis)
    }
}
