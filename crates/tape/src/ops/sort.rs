//! Sorting: the derivative goes where the element went.

use wengert_tensor::{Axis, Float, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// The positions that sort the elements along an axis.
struct Argsort {
    axis: usize,
    descending: bool,
}

impl<T: Float> Decision<T> for Argsort {
    type Element = u32;
    fn name(&self) -> &str {
        "argsort"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("descending", self.descending);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        inputs[0].argsort(self.axis, self.descending)
    }
    rules_compiled_here!(Argsort in DecisionOp);
}

/// The positions of the largest elements along an axis.
struct Largest {
    k: usize,
    axis: usize,
}

impl<T: Float> Decision<T> for Largest {
    type Element = u32;
    fn name(&self) -> &str {
        "topk"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("k", self.k);
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        inputs[0].topk(self.k, self.axis).1
    }
    rules_compiled_here!(Largest in DecisionOp);
}

impl<T: Float> Var<T> {
    /// The positions that sort the elements along `axis`: [`gather`](Var::gather) with them is [`sort`](Var::sort).
    /// Equal elements keep their order, also when descending.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn argsort(&self, axis: impl Into<Axis>, descending: bool) -> Index<T> {
        let axis = self.shape().axis("argsort", axis);
        decision(Argsort { axis, descending }, &[self], &[])
    }

    /// The elements in order along `axis`; equal ones keep their order.
    ///
    /// # Panics
    /// If there is no such axis.
    #[doc(alias = "msort")]
    #[track_caller]
    pub fn sort(&self, axis: impl Into<Axis>, descending: bool) -> Var<T> {
        let axis = self.shape().axis("sort", axis);
        self.gather(axis, decision(Argsort { axis, descending }, &[self], &[]))
    }

    /// The `k` largest elements along `axis`, largest first, and their positions. Those of `-x` are the smallest.
    ///
    /// # Panics
    /// If there is no such axis, or it is shorter than `k`.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (best, places) = Var::from([1.0f64, 4.0, 3.0]).topk(2, 0);
    /// assert_eq!((best.value().to_vec(), places.value().to_vec()), (vec![4.0, 3.0], vec![1, 2]));
    /// ```
    #[track_caller]
    pub fn topk(&self, k: usize, axis: impl Into<Axis>) -> (Var<T>, Index<T>) {
        let axis = self.shape().axis("topk", axis);
        let index = decision(Largest { k, axis }, &[self], &[]);
        (self.gather(axis, &index), index)
    }
}
