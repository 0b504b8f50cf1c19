//! What a tape keeps of an operation.

use std::panic::Location;
use std::rc::Rc;

use smallvec::SmallVec;
use wengert_tensor::{Float, Shape};

use super::Place;
use crate::data::{Data, Given, Kind};
use crate::op::Op;
use crate::var::Value;

/// One recorded operation. It never refers to its own tape, so dropping the tape frees everything.
pub(crate) struct Node<T: Float> {
    /// `None` for a variable that was not computed on this tape.
    pub(crate) op: Option<Rc<dyn Op<T>>>,
    pub(crate) inputs: SmallVec<[Input<T>; 2]>,
    pub(crate) output: Value<T>,
    /// The output's place on older tapes.
    pub(crate) outer: Option<Rc<Place<T>>>,
    /// What few nodes have.
    pub(crate) extra: Option<Box<Extra<T>>>,
}

/// What is not floating point about a node, and the value of a constant.
pub(crate) struct Extra<T: Float> {
    /// What the output is.
    pub(crate) kind: Kind,
    /// The value of what was not computed from anything on a complete tape.
    pub(crate) constant: Option<Data<T>>,
    /// The operands that are no floating-point numbers.
    pub(crate) given: Vec<GivenInput<T>>,
    /// The line that recorded it, if the tape is complete.
    pub(crate) location: Option<&'static Location<'static>>,
}

impl<T: Float> Extra<T> {
    /// That of what a complete tape holds.
    pub(super) fn of_complete(
        kind: Kind,
        constant: Option<Data<T>>,
        given: Vec<GivenInput<T>>,
        location: &'static Location<'static>,
    ) -> Option<Box<Self>> {
        Some(Box::new(Extra { kind, constant, given, location: Some(location) }))
    }

    /// That of a node whose output is a floating-point number.
    pub(super) fn of_given(given: Vec<GivenInput<T>>) -> Option<Box<Self>> {
        if given.is_empty() {
            None
        } else {
            Some(Box::new(Extra { kind: Kind::Float, constant: None, given, location: None }))
        }
    }
}

/// What a node keeps of an operand that is no floating-point number.
pub(crate) struct GivenInput<T: Float> {
    /// For derivatives; a replay computes it.
    pub(crate) value: Option<Data<T>>,
    /// The operand's node, if the tape is complete.
    pub(crate) parent: Option<u32>,
    /// The operand's place on older tapes.
    pub(crate) outer: Option<Rc<Place<T>>>,
}

impl<T: Float> Node<T> {
    /// The operands that are no floating-point numbers, with their places on older tapes.
    pub(crate) fn given(&self) -> Vec<Given<T>> {
        let Some(extra) = &self.extra else { return Vec::new() };
        let given =
            |g: &GivenInput<T>| Some(Given { value: g.value.clone()?, place: g.outer.as_deref().cloned() });
        extra.given.iter().filter_map(given).collect()
    }

    /// A node that was not computed on its tape.
    pub(super) fn leaf(shape: &Shape, extra: Option<Box<Extra<T>>>) -> Self {
        let output = Value::Dropped(shape.clone());
        Node { op: None, inputs: SmallVec::new(), output, outer: None, extra }
    }

    /// Leaves an empty node behind.
    pub(crate) fn take(&mut self) -> Node<T> {
        let nothing = self.output.dropped();
        Node {
            op: self.op.take(),
            inputs: std::mem::take(&mut self.inputs),
            output: std::mem::replace(&mut self.output, nothing),
            outer: self.outer.take(),
            extra: self.extra.take(),
        }
    }
}

/// What a node keeps of an input.
pub(crate) struct Input<T: Float> {
    pub(crate) value: Value<T>,
    /// The input's node on the same tape; `None` for a constant.
    pub(crate) parent: Option<u32>,
    /// The input's place on older tapes.
    pub(crate) outer: Option<Rc<Place<T>>>,
}
