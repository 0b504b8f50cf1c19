//! Reading and adding at indices.

use wengert_tensor::{Axis, Float, Shape, Tensor};

use crate::class::LinearMap;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// Positions of one axis, for all positions of the others alike.
#[derive(Clone)]
struct IndexSelect {
    axis: usize,
    index: Tensor<u32>,
}

impl<T: Float> LinearMap<T> for IndexSelect {
    fn name(&self) -> &str {
        "index_select"
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.index_select(self.axis, &self.index)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.linear(IndexAdd { select: self.clone(), shape: input.clone() })
    }
    rules_compiled_here!(IndexSelect in LinearOp);
}

/// Sums at positions of one axis of zeros: the transpose of [`IndexSelect`].
#[derive(Clone)]
struct IndexAdd {
    select: IndexSelect,
    shape: Shape,
}

impl<T: Float> LinearMap<T> for IndexAdd {
    fn name(&self) -> &str {
        "index_add"
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let mut out = Tensor::zeros(&self.shape);
        out.index_add_inplace(self.select.axis, &self.select.index, x);
        out
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(self.select.clone())
    }
    rules_compiled_here!(IndexAdd in LinearOp);
}

/// Positions of one axis, given for each position of the others.
#[derive(Clone)]
struct Gather {
    axis: usize,
    index: Tensor<u32>,
}

impl<T: Float> LinearMap<T> for Gather {
    fn name(&self) -> &str {
        "gather"
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.gather(self.axis, &self.index)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.linear(Scatter { gather: self.clone(), shape: input.clone() })
    }
    rules_compiled_here!(Gather in LinearOp);
}

/// Sums at positions of zeros: the transpose of [`Gather`].
#[derive(Clone)]
struct Scatter {
    gather: Gather,
    shape: Shape,
}

impl<T: Float> LinearMap<T> for Scatter {
    fn name(&self) -> &str {
        "scatter_add"
    }
    #[track_caller]
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let mut out = Tensor::zeros(&self.shape);
        out.scatter_add_inplace(self.gather.axis, &self.gather.index, x);
        out
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(self.gather.clone())
    }
    rules_compiled_here!(Scatter in LinearOp);
}

impl<T: Float> Var<T> {
    /// The positions `index` of `axis`: see [`Tensor::index_select`].
    ///
    /// # Panics
    /// If there is no such axis, or an index is out of range.
    #[track_caller]
    pub fn index_select(&self, axis: impl Into<Axis>, index: &Tensor<u32>) -> Var<T> {
        self.linear(IndexSelect { axis: self.shape().axis("index_select", axis), index: index.clone() })
    }

    /// With `source` added at the positions `index` of `axis`: see [`Tensor::index_add`].
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    #[track_caller]
    pub fn index_add(&self, axis: impl Into<Axis>, index: &Tensor<u32>, source: &Var<T>) -> Var<T> {
        let select = IndexSelect { axis: self.shape().axis("index_add", axis), index: index.clone() };
        self + source.linear(IndexAdd { select, shape: self.shape().clone() })
    }

    /// Along `axis`, the positions that `index` gives for each element of the result: see [`Tensor::gather`].
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    #[track_caller]
    pub fn gather(&self, axis: impl Into<Axis>, index: &Tensor<u32>) -> Var<T> {
        self.linear(Gather { axis: self.shape().axis("gather", axis), index: index.clone() })
    }

    /// With each element of `source` added at the position that `index` gives along `axis`: see
    /// [`Tensor::scatter_add`].
    ///
    /// # Panics
    /// If there is no such axis, the shapes do not fit, or an index is out of range.
    #[track_caller]
    pub fn scatter_add(&self, axis: impl Into<Axis>, index: &Tensor<u32>, source: &Var<T>) -> Var<T> {
        let gather = Gather { axis: self.shape().axis("scatter_add", axis), index: index.clone() };
        self + source.linear(Scatter { gather, shape: self.shape().clone() })
    }
}
