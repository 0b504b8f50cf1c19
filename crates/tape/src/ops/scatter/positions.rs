//! Indices made of indices.

use wengert_tensor::shape::broadcast;
use wengert_tensor::size::check_positions;
use wengert_tensor::{Float, Shape, Tensor};

use crate::class::{Decision, decision};
use crate::data::{Data, Given, Index};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;

/// Panics unless every index is below the length of an axis.
#[track_caller]
pub(super) fn check_range(operation: &str, index: &Tensor<u32>, axis: usize, shape: &Shape) {
    let length = shape[axis];
    if let Some(wrong) = index.to_vec().into_iter().find(|&i| i as usize >= length) {
        panic!(
            "{operation}: index {wrong} is out of range for axis {axis} of length {length} of shape {shape}"
        );
    }
}

/// Panics unless an index along an axis has the other lengths of a shape, and is in range.
#[track_caller]
pub(super) fn check_alongside(operation: &str, index: &Tensor<u32>, axis: usize, shape: &Shape) {
    assert!(
        index.rank() == shape.len() && index.shape().with(axis, 0) == shape.with(axis, 0),
        "{operation}: index shape {} and shape {shape} differ in more than axis {axis}",
        index.shape()
    );
    check_range(operation, index, axis, shape);
}

/// The positions in row-major order of the elements with some indices in a tensor of this shape.
struct FlatPositions {
    shape: Shape,
}

/// The positions of elements, or of slices behind them, that one index for each of the first axes names, after broadcasting
/// the indices.
#[track_caller]
pub(super) fn flat_positions<T: Float>(operation: &str, indices: &[Index<T>], shape: &Shape) -> Index<T> {
    let lead = Shape::from(&shape[..indices.len()]);
    check_positions(operation, lead.count());
    let mut joint = Shape::scalar();
    for (axis, index) in indices.iter().enumerate() {
        let Some(wider) = broadcast(&joint, index.shape()) else {
            panic!("{operation}: indices of shapes {joint} and {} do not broadcast", index.shape());
        };
        joint = wider;
        check_range(operation, index.value(), axis, shape);
    }
    let given: Vec<&Given<T>> = indices.iter().map(Index::given).collect();
    decision(FlatPositions { shape: lead }, &[], &given)
}

impl<T: Float> Decision<T> for FlatPositions {
    type Element = u32;
    fn name(&self) -> &str {
        "flat_positions"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.shape);
    }
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let joint = given
            .iter()
            .fold(Shape::scalar(), |joint, g| broadcast(&joint, g.index().shape()).expect("checked before"));
        let mut flat = vec![0u32; joint.count()];
        for (index, &length) in given.iter().zip(self.shape.iter()) {
            let index = index.index().broadcast_to(&joint).to_vec();
            // Below 2³², which was checked for the whole.
            flat.iter_mut().zip(index).for_each(|(f, i)| *f = (*f as usize * length) as u32 + i);
        }
        Tensor::vector(&flat).reshape(&joint)
    }
    rules_compiled_here!(FlatPositions in DecisionOp);
}

/// An index repeated along axes of length 1.
struct BroadcastIndex {
    shape: Shape,
}

/// An index broadcast to a shape.
pub(super) fn broadcast_index<T: Float>(index: &Index<T>, shape: &Shape) -> Index<T> {
    if index.shape() == shape {
        return index.clone();
    }
    decision(BroadcastIndex { shape: shape.clone() }, &[], &[index.given()])
}

impl<T: Float> Decision<T> for BroadcastIndex {
    type Element = u32;
    fn name(&self) -> &str {
        "broadcast_to"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        given[0].index().broadcast_to(&self.shape)
    }
    rules_compiled_here!(BroadcastIndex in DecisionOp);
}

/// For each true element of a mask, how many are true before it; 0 for the others.
pub(super) struct RankOfTrue {
    pub(super) shape: Shape,
}

impl<T: Float> Decision<T> for RankOfTrue {
    type Element = u32;
    fn name(&self) -> &str {
        "rank_of_true"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<u32> {
        let mut before = 0;
        let rank = |is_true: bool| {
            let rank = if is_true { before } else { 0 };
            before += u32::from(is_true);
            rank
        };
        let ranks: Vec<u32> =
            given[0].mask().broadcast_to(&self.shape).to_vec().into_iter().map(rank).collect();
        Tensor::vector(&ranks).reshape(&self.shape)
    }
    rules_compiled_here!(RankOfTrue in DecisionOp);
}
