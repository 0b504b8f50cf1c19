//! Reading and adding at indices.

use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::{Routing, routed};
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::scatter::{corner, cropped, with_corner};
use crate::var::Var;

/// Positions of one axis, for all positions of the others alike.
#[derive(Clone)]
struct IndexSelect {
    axis: usize,
}

impl<T: Float> Routing<T> for IndexSelect {
    fn name(&self) -> &str {
        "index_select"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, index: &Data<T>) -> Tensor<T> {
        x.index_select(self.axis, index.index())
    }
    fn transpose(&self, cotangent: &Var<T>, index: &Given<T>, input: &Shape) -> Var<T> {
        routed(cotangent, IndexAdd { axis: self.axis, shape: input.clone() }, index)
    }
    rules_compiled_here!(IndexSelect in RoutingOp);
}

/// Sums at positions of one axis of zeros: the transpose of [`IndexSelect`].
#[derive(Clone)]
pub(super) struct IndexAdd {
    pub(super) axis: usize,
    pub(super) shape: Shape,
}

impl<T: Float> Routing<T> for IndexAdd {
    fn name(&self) -> &str {
        "index_add"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, index: &Data<T>) -> Tensor<T> {
        let mut out = Tensor::zeros(&self.shape);
        out.index_add_inplace(self.axis, index.index(), x);
        out
    }
    fn transpose(&self, cotangent: &Var<T>, index: &Given<T>, _: &Shape) -> Var<T> {
        routed(cotangent, IndexSelect { axis: self.axis }, index)
    }
    rules_compiled_here!(IndexAdd in RoutingOp);
}

/// Positions of one axis, given for each position of the others.
#[derive(Clone)]
struct Gather {
    axis: usize,
}

impl<T: Float> Routing<T> for Gather {
    fn name(&self) -> &str {
        "gather"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, index: &Data<T>) -> Tensor<T> {
        x.gather(self.axis, index.index())
    }
    fn transpose(&self, cotangent: &Var<T>, index: &Given<T>, input: &Shape) -> Var<T> {
        routed(cotangent, Scatter { axis: self.axis, shape: input.clone() }, index)
    }
    rules_compiled_here!(Gather in RoutingOp);
}

/// Sums at positions of zeros: the transpose of [`Gather`].
#[derive(Clone)]
pub(super) struct Scatter {
    pub(super) axis: usize,
    pub(super) shape: Shape,
}

impl<T: Float> Routing<T> for Scatter {
    fn name(&self) -> &str {
        "scatter_add"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>, index: &Data<T>) -> Tensor<T> {
        let mut out = Tensor::zeros(&self.shape);
        out.scatter_add_inplace(self.axis, index.index(), x);
        out
    }
    fn transpose(&self, cotangent: &Var<T>, index: &Given<T>, _: &Shape) -> Var<T> {
        routed(cotangent, Gather { axis: self.axis }, index)
    }
    rules_compiled_here!(Scatter in RoutingOp);
}

impl<T: Float> Var<T> {
    /// The positions `index` of `axis`: see [`Tensor::index_select`]. Of a table with a row for
    /// each token it is an [`embedding`](Var::embedding) without padding.
    ///
    /// # Panics
    /// If there is no such axis, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let rows = Var::from([[1.0f64, 2.0], [3.0, 4.0]]).index_select(0, Tensor::vector(&[1u32, 1, 0]));
    /// assert_eq!(rows.value().to_vec(), [3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>) -> Var<T> {
        let axis = self.shape().axis("index_select", axis);
        routed(self, IndexSelect { axis }, index.into().given())
    }

    /// With `source` added at the positions `index` of `axis`: see [`Tensor::index_add`].
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let counts = Var::<f64>::zeros([3]).index_add(0, Tensor::vector(&[2u32, 0, 2]), &Var::ones([3]));
    /// assert_eq!(counts.value().to_vec(), [1.0, 0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn index_add(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>, source: &Var<T>) -> Var<T> {
        let axis = self.shape().axis("index_add", axis);
        self + routed(source, IndexAdd { axis, shape: self.shape().clone() }, index.into().given())
    }

    /// Along `axis`, the positions that `index` gives for each element of the result: see [`Tensor::gather`]. Along other
    /// axes the index may be shorter; then only the first positions count.
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    #[track_caller]
    pub fn gather(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>) -> Var<T> {
        let (axis, index) = (self.shape().axis("gather", axis), index.into());
        routed(&corner(self, axis, index.shape()), Gather { axis }, index.given())
    }

    /// With each element of `source` added at the position that `index` gives along `axis`: see
    /// [`Tensor::scatter_add`]. Along other axes the index may be shorter; then only the first positions count. So do those
    /// of a source that is longer than the index.
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// use wengert_tensor::Tensor;
    /// let sums = Var::<f64>::zeros([2]).scatter_add(0, Tensor::vector(&[1u32, 1]), &Var::from([2.0, 3.0]));
    /// assert_eq!(sums.value().to_vec(), [0.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn scatter_add(&self, axis: impl Into<Axis>, index: impl Into<Index<T>>, source: &Var<T>) -> Var<T> {
        let (axis, index) = (self.shape().axis("scatter_add", axis), index.into());
        let source = cropped(source, index.shape());
        let x = corner(self, axis, index.shape());
        let sum = &x + routed(&source, Scatter { axis, shape: x.shape().clone() }, index.given());
        with_corner("scatter_add", self, axis, index.shape(), sum)
    }
}
