//! Cumulative extremes, and the logarithms of cumulative sums of exponentials.

use wengert_tensor::{Axis, Float, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index};
use crate::describe::Attributes;
use crate::op::{Cotangents, Op, Point, apply, rules_compiled_here};
use crate::ops::recurrence::{recurrence, recurrence_backwards};
use crate::var::Var;

/// For each element the position of the extreme of all up to it.
struct RunningExtreme {
    largest: bool,
    axis: usize,
}

impl<T: Float> Decision<T> for RunningExtreme {
    type Element = u32;
    fn name(&self) -> &str {
        if self.largest { "running_argmax" } else { "running_argmin" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
    }
    #[track_caller]
    fn forward(&self, inputs: &[&Tensor<T>], _: &[&Data<T>]) -> Tensor<u32> {
        inputs[0].running_extreme(self.axis, self.largest)
    }
    rules_compiled_here!(RunningExtreme in DecisionOp);
}

/// yᵢ = ln Σⱼ e^xⱼ over j ≤ i.
struct LogCumSumExp(usize);

impl LogCumSumExp {
    /// e^(xᵢ − yᵢ) and e^(yᵢ₋₁ − yᵢ), which add up to 1: how much of a sum is its last term, and how much the others. Computed from
    /// xᵢ − yᵢ₋₁, since yᵢ may be rounded by more than the logarithm of 2. Both are 0 where there is nothing yet.
    fn parts<T: Float>(&self, at: &Point<T>) -> [Var<T>; 2] {
        let (x, y, axis) = (at.input(0), at.output(), self.0);
        let none = Tensor::full(x.shape().with(axis, 1), T::from_f64(f64::NEG_INFINITY));
        let before = Var::cat(&[&Var::constant(none), &y.slice_axis(axis, ..-1)], axis);
        // Equal infinities have no difference.
        let difference = x - &before;
        let equal = difference.masked_fill(x.abs().equal(f64::INFINITY), 0.0);
        let difference = Var::select_where(x.equal(&before), &equal, &difference);
        let nothing = y.equal(f64::NEG_INFINITY);
        [&difference, &-&difference].map(|d| d.sigmoid().masked_fill(&nothing, 0.0))
    }
}

impl<T: Float> Op<T> for LogCumSumExp {
    fn name(&self) -> &str {
        "logcumsumexp"
    }

    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.0);
    }

    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        x[0].logcumsumexp(self.0)
    }

    /// x̄ⱼ = Σᵢ ȳᵢ·e^(xⱼ − yᵢ) over i ≥ j, by a recurrence whose factors are at most 1, so that nothing overflows.
    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        into.add(0, || {
            let [last, others] = self.parts(at);
            last * recurrence_backwards(cotangent, &others, self.0)
        });
    }

    /// ẏᵢ = ẋᵢ·e^(xᵢ − yᵢ) + ẏᵢ₋₁·e^(yᵢ₋₁ − yᵢ).
    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let [last, others] = self.parts(at);
        tangents[0].as_ref().map(|t| recurrence(&(t * last), &others, self.0))
    }
    rules_compiled_here!(LogCumSumExp);
}

impl<T: Float> Var<T> {
    /// The largest of each element and all before it along `axis`, and its position: the last one of equals, which gets the
    /// derivative. NaN from the first NaN on.
    ///
    /// # Panics
    /// If there is no such axis, or it is longer than 2³².
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (largest, at) = Var::from([1.0f64, 3.0, 2.0, 4.0]).cummax(0);
    /// assert_eq!(largest.value().to_vec(), [1.0, 3.0, 3.0, 4.0]);
    /// assert_eq!(at.value().to_vec(), [0, 1, 1, 3]);
    /// ```
    #[track_caller]
    pub fn cummax(&self, axis: impl Into<Axis>) -> (Var<T>, Index<T>) {
        let axis = self.shape().axis("cummax", axis);
        let index = decision(RunningExtreme { largest: true, axis }, &[self], &[]);
        (self.gather(axis, &index), index)
    }

    /// The smallest of each element and all before it along `axis`, and its position: see [`cummax`](Var::cummax).
    ///
    /// # Panics
    /// If there is no such axis, or it is longer than 2³².
    ///
    /// ```
    /// use wengert_tape::Var;
    /// let (least, position) = Var::from([3.0f64, 1.0, 2.0]).cummin(0);
    /// assert_eq!((least.value().to_vec(), position.value().to_vec()), (vec![3.0, 1.0, 1.0], vec![0, 1, 1]));
    /// ```
    #[track_caller]
    pub fn cummin(&self, axis: impl Into<Axis>) -> (Var<T>, Index<T>) {
        let axis = self.shape().axis("cummin", axis);
        let index = decision(RunningExtreme { largest: false, axis }, &[self], &[]);
        (self.gather(axis, &index), index)
    }

    /// ln Σeˣ of each element and all before it along `axis`, without overflow, and with derivatives of any order without.
    ///
    /// # Panics
    /// If there is no such axis.
    ///
    /// ```
    /// use wengert_tape::Var;
    /// // Sums of numbers that e^x itself has no room for.
    /// let x = Var::from([1000.0f64, 1000.0]).logcumsumexp(0);
    /// assert_eq!(x.value().to_vec(), [1000.0, 1000.0 + 2f64.ln()]);
    /// ```
    #[track_caller]
    pub fn logcumsumexp(&self, axis: impl Into<Axis>) -> Var<T> {
        let axis = self.shape().axis("logcumsumexp", axis);
        if self.is_empty() {
            return self.clone();
        }
        apply(LogCumSumExp(axis), &[self])
    }
}
