//! Sorting: the derivative goes where the element went.

use wengert_tensor::{Axis, Float, Tensor};

use crate::var::Var;

impl<T: Float> Var<T> {
    /// The elements in order along `axis`; equal ones keep their order.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, axis: impl Into<Axis>, descending: bool) -> Var<T> {
        let axis = self.shape().axis("sort", axis);
        self.gather(axis, &self.value().argsort(axis, descending))
    }

    /// The `k` largest elements along `axis`, largest first, and their positions.
    ///
    /// # Panics
    /// If there is no such axis, or it is shorter than `k`.
    #[track_caller]
    pub fn topk(&self, k: usize, axis: impl Into<Axis>) -> (Var<T>, Tensor<u32>) {
        let axis = self.shape().axis("topk", axis);
        let (_, index) = self.value().topk(k, axis);
        (self.gather(axis, &index), index)
    }
}
