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

/// An index along an axis of a target of this shape, whose elements before that axis are apart from each other: the numbers of
/// each such part, one after the other.
struct Parts {
    numbers: Tensor<u32>,
    /// Numbers in a part.
    count: usize,
    /// Elements of the target in a part, and at each position of the axis.
    elements: usize,
    inner: usize,
}

impl Parts {
    fn new(index: &Tensor<u32>, axis: usize, shape: &Shape) -> Self {
        let inner: usize = shape[axis + 1..].iter().product();
        // Of an empty index any number of them.
        let count = (index.shape()[axis] * inner).max(1);
        Parts { numbers: index.contiguous(), count, elements: shape[axis] * inner, inner }
    }

    fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.numbers.as_slice().expect("made contiguous").chunks(self.count)
    }

    /// The element of its part that number `i` of a part names.
    #[inline]
    fn place(&self, i: usize, row: u32) -> usize {
        let row = row as usize;
        if self.inner == 1 { row } else { row * self.inner + i % self.inner }
    }
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
        let parts = Parts::new(given[0].index(), self.axis, &self.shape);
        for (numbers, touched) in parts.iter().zip(touched.chunks_mut(parts.elements.max(1))) {
            for (i, &row) in numbers.iter().enumerate() {
                touched[parts.place(i, row)] = true;
            }
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
        let parts = Parts::new(index, self.axis, &self.shape);
        let mut last = flags("last_of_its_place", index.len());
        let mut taken = flags("last_of_its_place", parts.elements);
        for (numbers, last) in parts.iter().zip(last.chunks_mut(parts.count)) {
            let places = || numbers.iter().enumerate().map(|(i, &row)| parts.place(i, row));
            for (place, last) in places().zip(last).rev() {
                *last = !std::mem::replace(&mut taken[place], true);
            }
            // As before, for the next part.
            places().for_each(|place| taken[place] = false);
        }
        Tensor::vector(&last).reshape(index.shape())
    }
    rules_compiled_here!(Last in DecisionOp);
}
