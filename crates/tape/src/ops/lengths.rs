//! Which positions of padded sequences hold something.

use std::ops::Range;

use wengert_tensor::{Float, Shape, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Index, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;

/// Whether each of some positions is before the end of each sequence.
struct Within {
    positions: Range<usize>,
}

impl<T: Float> Decision<T> for Within {
    type Element = bool;
    fn name(&self) -> &str {
        "positions_within"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("start", self.positions.start);
        attributes.set("end", self.positions.end);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let lengths = given[0].index();
        let values = lengths.to_vec();
        let shape: Shape = [self.positions.len()].iter().chain(lengths.shape().iter()).copied().collect();
        Tensor::written_for("positions_within", shape.checked("positions_within"), |out| {
            for (row, position) in out.chunks_mut(values.len().max(1)).zip(self.positions.clone()) {
                for (out, &length) in row.iter_mut().zip(&values) {
                    *out = position < length as usize;
                }
            }
        })
    }
    rules_compiled_here!(Within in DecisionOp);
}

impl<T: Float> Index<T> {
    /// Taken as the lengths of sequences: whether each of the `positions` is before the end of each sequence,
    /// `[positions, …]` for lengths of any shape.
    ///
    /// # Panics
    /// If the result has too many elements.
    ///
    /// ```
    /// use wengert_tape::Index;
    /// use wengert_tensor::Tensor;
    /// let lengths: Index<f32> = Tensor::from([2u32, 0]).into();
    /// let within = lengths.positions_within(0..3);
    /// assert_eq!(within.value(), &Tensor::from([[true, false], [true, false], [false, false]]));
    /// ```
    #[track_caller]
    pub fn positions_within(&self, positions: Range<usize>) -> Mask<T> {
        decision(Within { positions }, &[], &[self.given()])
    }
}
