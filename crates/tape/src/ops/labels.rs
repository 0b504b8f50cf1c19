//! Labels that count for nothing.

use wengert_tensor::{Float, Slice, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::slice;

/// Where indices are equal to a number.
struct EqualTo(u32);

impl<T: Float> Decision<T> for EqualTo {
    type Element = bool;
    fn name(&self) -> &str {
        "equal_to"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("number", self.0 as usize);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let index = given[0].index().contiguous();
        Tensor::written_for("equal_to", index.shape(), |equal| {
            equal.iter_mut().zip(slice(&index)).for_each(|(equal, &i)| *equal = i == self.0);
        })
    }
    rules_compiled_here!(EqualTo in DecisionOp);
}

/// The indices, but a number where a mask says so.
struct Filled(u32);

impl<T: Float> Decision<T> for Filled {
    type Element = u32;
    fn name(&self) -> &str {
        "masked_fill"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("number", self.0 as usize);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let (index, mask) = (given[0].index().contiguous(), given[1].mask().contiguous());
        Tensor::written_for("masked_fill", index.shape(), |filled| {
            let pairs = slice(&index).iter().zip(slice(&mask));
            filled.iter_mut().zip(pairs).for_each(|(to, (&i, &fill))| *to = if fill { self.0 } else { i });
        })
    }
    rules_compiled_here!(Filled in DecisionOp);
}

/// A range of the first axis.
struct Part(Slice);

impl<T: Float> Decision<T> for Part {
    type Element = u32;
    fn name(&self) -> &str {
        "slice"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("slice", self.0);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        given[0].index().slice(self.0)
    }
    rules_compiled_here!(Part in DecisionOp);
}

impl<T: Float> Index<T> {
    /// A range of the first axis: see [`Slice`].
    ///
    /// # Panics
    /// If there is no axis or the range leaves it.
    #[track_caller]
    pub fn slice(&self, slice: impl Into<Slice>) -> Self {
        decision(Part(slice.into()), &[], &[self.given()])
    }

    /// Where the indices are `number`.
    ///
    /// ```
    /// use wengert_tape::Index;
    /// use wengert_tensor::Tensor;
    /// let labels: Index<f64> = Tensor::vector(&[2u32, 0, 2]).into();
    /// assert_eq!(labels.equal_to(2).value().to_vec(), [true, false, true]);
    /// assert_eq!(labels.masked_fill(&labels.equal_to(2), 7).value().to_vec(), [7, 0, 7]);
    /// ```
    pub fn equal_to(&self, number: u32) -> Mask<T> {
        decision(EqualTo(number), &[], &[self.given()])
    }

    /// The indices, with `number` where the mask is true.
    ///
    /// # Panics
    /// If the mask has another shape.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Mask<T>, number: u32) -> Self {
        let shapes = (self.shape(), mask.shape());
        assert!(shapes.0 == shapes.1, "masked_fill: indices of shape {}, mask of {}", shapes.0, shapes.1);
        decision(Filled(number), &[], &[self.given(), mask.given()])
    }
}
