//! Sequences of several lengths: which positions of padded ones hold something, and those that follow each other as rows.

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

/// Numbers that follow each other as rows, of which each has as many as another tensor says.
struct Rows {
    width: usize,
}

impl<T: Float> Decision<T> for Rows {
    type Element = u32;
    fn name(&self) -> &str {
        "in_rows"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("width", self.width);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let (all, lengths) = (given[0].index().to_vec(), given[1].index().to_vec());
        let total: usize = lengths.iter().map(|&n| n as usize).sum();
        assert!(total == all.len(), "in_rows: {} numbers, where the lengths come to {total}", all.len());
        let mut rows = vec![0; lengths.len() * self.width];
        let mut start = 0;
        for (row, &length) in rows.chunks_mut(self.width.max(1)).zip(&lengths) {
            row[..length as usize].copy_from_slice(&all[start..][..length as usize]);
            start += length as usize;
        }
        Tensor::vector(&rows).reshape([lengths.len(), self.width])
    }
    rules_compiled_here!(Rows in DecisionOp);
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

    /// The numbers of a vector as rows with 0 behind their ends, of which the first has as many as `lengths` says first, and so
    /// on. They are as wide as the longest row; in a recording, in whose replays another may be, as wide as all rows together.
    ///
    /// ```
    /// use wengert_tape::Index;
    /// use wengert_tensor::Tensor;
    /// let labels: Index<f32> = Tensor::from([7u32, 8, 9]).into();
    /// let rows = labels.in_rows(&Tensor::from([1u32, 2]).into());
    /// assert_eq!(rows.value(), &Tensor::from([[7, 0], [8, 9]]));
    /// ```
    ///
    /// # Panics
    /// If the numbers or their lengths are no vector, or the lengths do not come to their count.
    #[track_caller]
    pub fn in_rows(&self, lengths: &Index<T>) -> Index<T> {
        let shapes = (self.shape(), lengths.shape());
        assert!(
            shapes.0.len() == 1 && shapes.1.len() == 1,
            "in_rows: numbers of shape {} and lengths of shape {} are no vectors",
            shapes.0,
            shapes.1
        );
        let longest = lengths.value().to_vec().into_iter().max().unwrap_or(0) as usize;
        let width = if self.is_recorded() || lengths.is_recorded() { self.len() } else { longest };
        Shape::from([lengths.len(), width]).checked("in_rows");
        decision(Rows { width }, &[], &[self.given(), lengths.given()])
    }
}
