//! Single elements by their place in the order: medians, the k-th smallest, the most frequent.

use wengert_tensor::{Axes, Axis, Float, OrderStatistic, Shape, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::var::Var;

/// The position of an element, with its axis kept.
struct PositionInOrder {
    which: OrderStatistic,
    axis: usize,
}

impl<T: Float> Decision<T> for PositionInOrder {
    type Element = u32;
    fn name(&self) -> &str {
        "order_statistic"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("which", &format!("{:?}", self.which)[..]);
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        inputs[0].order_statistic(self.which, self.axis)
    }
    rules_compiled_here!(PositionInOrder in DecisionOp);
}

/// The shape without an axis, or with it of length 1.
fn folded_shape(shape: &Shape, axis: usize, keepdim: bool) -> Shape {
    let kept = shape.iter().enumerate().filter(|(i, _)| keepdim || *i != axis);
    kept.map(|(i, &length)| if i == axis { 1 } else { length }).collect()
}

impl<T: Float> Var<T> {
    /// The element and its position, which gets the derivative.
    #[track_caller]
    fn element_in_order(
        &self,
        operation: &str,
        which: OrderStatistic,
        axis: Axis,
        keepdim: bool,
    ) -> (Var<T>, Index<T>) {
        let axis = self.shape().axis(operation, axis);
        assert!(
            self.shape()[axis] > 0,
            "{operation}: there are no elements along axis {axis} of shape {}",
            self.shape()
        );
        let index: Index<T> = decision(PositionInOrder { which, axis }, &[self], &[]);
        let shape = folded_shape(self.shape(), axis, keepdim);
        (self.gather(axis, &index).reshape(&shape), index.reshape(shape))
    }

    /// The element in the middle of the order along `axis`, and its position; of an even number the lower one of the two, as in
    /// PyTorch (`quantile(0.5, …)` is their mean, as in NumPy). NaN if there is any. The axis stays with length 1 if `keepdim`.
    ///
    /// # Panics
    /// If there is no such axis, or it is empty or longer than 2³².
    ///
    /// ```
    /// use wengert_tape::{Var, grad};
    /// let x = Var::from([4.0f64, 1.0, 3.0, 2.0]);
    /// assert_eq!(x.median(0, false).0.item(), 2.0);
    /// assert_eq!(grad(|x: &Var<f64>| x.median(0, false).0, &x).value().to_vec(), [0.0, 0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn median(&self, axis: impl Into<Axis>, keepdim: bool) -> (Var<T>, Index<T>) {
        self.element_in_order("median", OrderStatistic::Median, axis.into(), keepdim)
    }

    /// The [`median`](Var::median) of the elements that are not NaN; NaN if all are.
    ///
    /// # Panics
    /// If there is no such axis, or it is empty or longer than 2³².
    #[track_caller]
    pub fn nanmedian(&self, axis: impl Into<Axis>, keepdim: bool) -> (Var<T>, Index<T>) {
        self.element_in_order("nanmedian", OrderStatistic::NanMedian, axis.into(), keepdim)
    }

    /// The `k`-th smallest element along `axis`, counted from 1, and its position. NaN counts as larger than every number.
    ///
    /// # Panics
    /// If there is no such axis, it is longer than 2³², or `k` is 0 or larger than its length.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (second, position) = Var::from([3.0f64, 1.0, 2.0]).kthvalue(2, 0, false);
    /// assert_eq!((second.item(), position.value().item()), (2.0, 2));
    /// ```
    #[track_caller]
    pub fn kthvalue(&self, k: usize, axis: impl Into<Axis>, keepdim: bool) -> (Var<T>, Index<T>) {
        let axis = self.shape().axis("kthvalue", axis);
        assert!(
            (1..=self.shape()[axis]).contains(&k),
            "kthvalue: k = {k} for axis {axis} of shape {}: from 1 to its length",
            self.shape()
        );
        self.element_in_order("kthvalue", OrderStatistic::Kth(k - 1), axis.into(), keepdim)
    }

    /// The element that stands most often along `axis`, the smallest of several such, and the last of its positions. All NaN count
    /// as one element.
    ///
    /// # Panics
    /// If there is no such axis, or it is empty or longer than 2³².
    #[track_caller]
    pub fn mode(&self, axis: impl Into<Axis>, keepdim: bool) -> (Var<T>, Index<T>) {
        self.element_in_order("mode", OrderStatistic::Mode, axis.into(), keepdim)
    }

    /// The smallest and the largest element over some axes.
    ///
    /// # Panics
    /// If an axis does not exist, is given twice or has length 0.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (least, largest) = Var::from([[3.0f64, 1.0], [2.0, 5.0]]).aminmax(1, false);
    /// assert_eq!((least.value().to_vec(), largest.value().to_vec()), (vec![1.0, 2.0], vec![3.0, 5.0]));
    /// ```
    #[track_caller]
    pub fn aminmax(&self, axes: impl Into<Axes>, keepdim: bool) -> (Var<T>, Var<T>) {
        let axes = axes.into();
        (self.min_axes(axes.clone(), keepdim), self.max_axes(axes, keepdim))
    }
}
