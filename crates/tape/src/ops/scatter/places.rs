//! Positions along an axis: the same for whole slices, or one for each element.

use wengert_tensor::{Combine, Float, Shape, Tensor, combine_elements, combine_slices, size};

use crate::class::{Decision, decision, routed};
use crate::data::{Data, Given, Mask};
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::index::{IndexAdd, Scatter};
use crate::var::Var;

/// What an index's numbers are positions of.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Places {
    /// Slices of this axis, as in [`Var::index_add`].
    Slices(usize),
    /// Elements along this axis, as in [`Var::scatter_add`].
    Elements(usize),
}

impl Places {
    pub(super) fn axis(self) -> usize {
        match self {
            Places::Slices(axis) | Places::Elements(axis) => axis,
        }
    }

    pub(super) fn describe(self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis());
        attributes.set("slices", matches!(self, Places::Slices(_)));
    }

    /// What is there.
    #[track_caller]
    pub(super) fn read<T: Float>(self, x: &Var<T>, index: &Given<T>) -> Var<T> {
        match self {
            Places::Slices(axis) => x.index_select(axis, index.to_index()),
            Places::Elements(axis) => x.gather(axis, index.to_index()),
        }
    }

    /// The sums of what comes to each place, for a result of this shape.
    #[track_caller]
    pub(super) fn sum<T: Float>(self, source: &Var<T>, index: &Given<T>, shape: &Shape) -> Var<T> {
        match self {
            Places::Slices(axis) => routed(source, IndexAdd { axis, shape: shape.clone() }, index),
            Places::Elements(axis) => routed(source, Scatter { axis, shape: shape.clone() }, index),
        }
    }

    /// How many elements of a source come to each place.
    pub(super) fn counts<T: Float>(self, source: &Var<T>, index: &Given<T>, shape: &Shape) -> Var<T> {
        self.sum(&Var::ones(source.shape()), index, shape)
    }

    #[track_caller]
    pub(super) fn combine<T: Float>(
        self,
        operation: &str,
        x: &Tensor<T>,
        index: &Tensor<u32>,
        source: &Tensor<T>,
        how: Combine,
    ) -> Tensor<T> {
        let mut out = x.clone();
        match self {
            Places::Slices(axis) => combine_slices(operation, &mut out, axis, index, source, how),
            Places::Elements(axis) => combine_elements(operation, &mut out, axis, index, source, how),
        }
        out
    }

    /// A mask of the index's shape over the elements of a source.
    pub(super) fn over_source<T: Float>(self, mask: &Mask<T>, source: &Shape) -> Mask<T> {
        match self {
            Places::Elements(_) => mask.clone(),
            // Behind the index's axes come those that the target has behind its own.
            Places::Slices(axis) => {
                let behind = source.len() - axis - mask.shape().len();
                mask.reshape(
                    mask.shape().iter().copied().chain(std::iter::repeat_n(1, behind)).collect::<Shape>(),
                )
            }
        }
    }

    /// Where something comes to, as a mask that broadcasts to a target of this shape.
    #[track_caller]
    pub(super) fn touched<T: Float>(self, index: &Given<T>, shape: &Shape) -> Mask<T> {
        let axis = self.axis();
        match self {
            Places::Elements(_) => decision(Touched { axis, shape: shape.clone() }, &[], &[index]),
            Places::Slices(_) => {
                let flat: Mask<T> = decision(
                    Touched { axis: 0, shape: shape[axis].into() },
                    &[],
                    &[flattened(index).given()],
                );
                flat.reshape(
                    std::iter::once(shape[axis])
                        .chain(shape[axis + 1..].iter().map(|_| 1))
                        .collect::<Shape>(),
                )
            }
        }
    }

    /// Which terms are the last ones of their places: a mask of the index's shape.
    #[track_caller]
    pub(super) fn last<T: Float>(self, index: &Given<T>, shape: &Shape) -> Mask<T> {
        let axis = self.axis();
        match self {
            Places::Elements(_) => decision(Last { axis, shape: shape.clone() }, &[], &[index]),
            Places::Slices(_) => {
                let flat: Mask<T> =
                    decision(Last { axis: 0, shape: shape[axis].into() }, &[], &[flattened(index).given()]);
                flat.reshape(index.to_index().shape())
            }
        }
    }
}

/// The index as a vector.
pub(super) fn flattened<T: Float>(index: &Given<T>) -> crate::data::Index<T> {
    let index = index.to_index();
    let length = index.len();
    index.reshape([length])
}

/// For each element of an index along an axis, the element of a target of this shape that it names.
pub(super) fn targets(index: &Tensor<u32>, axis: usize, shape: &Shape) -> Vec<usize> {
    let inner: usize = shape[axis + 1..].iter().product();
    let count = index.shape()[axis] * inner;
    let place = |(i, row): (usize, u32)| (i / count * shape[axis] + row as usize) * inner + i % inner;
    index.to_vec().into_iter().enumerate().map(place).collect()
}

/// As many times false, or a panic if there is no memory for them.
#[track_caller]
fn flags(operation: &str, count: usize) -> Vec<bool> {
    let mut flags = size::list(operation, count);
    flags.resize(count, false);
    flags
}

/// Whether an index along an axis names an element of a target of this shape.
struct Touched {
    axis: usize,
    shape: Shape,
}

impl<T: Float> Decision<T> for Touched {
    type Element = bool;
    fn name(&self) -> &str {
        "touched"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let mut touched = flags("touched", self.shape.count());
        for target in targets(given[0].index(), self.axis, &self.shape) {
            touched[target] = true;
        }
        Tensor::vector(&touched).reshape(&self.shape)
    }
    rules_compiled_here!(Touched in DecisionOp);
}

/// Whether no later number of an index along an axis names the same element of a target of this shape.
struct Last {
    axis: usize,
    shape: Shape,
}

impl<T: Float> Decision<T> for Last {
    type Element = bool;
    fn name(&self) -> &str {
        "last_of_its_place"
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("axis", self.axis);
        attributes.set("shape", &self.shape);
    }
    #[track_caller]
    fn forward(&self, _: &[&Tensor<T>], given: &[&Data<T>]) -> Tensor<bool> {
        let index = given[0].index();
        let mut taken = flags("last_of_its_place", self.shape.count());
        let mut last: Vec<bool> = targets(index, self.axis, &self.shape)
            .into_iter()
            .rev()
            .map(|target| !std::mem::replace(&mut taken[target], true))
            .collect();
        last.reverse();
        Tensor::vector(&last).reshape(index.shape())
    }
    rules_compiled_here!(Last in DecisionOp);
}
