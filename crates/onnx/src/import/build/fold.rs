//! Results that are computed when a model is read.

use wengert_tensor::Float;

use super::super::error::{NodeError, Problem};
use super::super::graph::{Node, Place, Stored, Work};
use super::super::ops;
use super::super::run::Frame;
use super::super::value::Value;
use super::Builder;

/// The most elements of a constant that is computed when the model is read.
const LARGEST_CONSTANT: usize = 1 << 16;

impl<T: Float> Builder<'_, T> {
    /// A node's results if all that it takes are constants and they are small; `None` if it is left to be run.
    pub(super) fn folded(&self, node: &Node<T>) -> Option<Result<Vec<Value<T>>, NodeError>> {
        let is_constant = |place: &Option<Place>| place.is_none_or(|place| self.constants[place].is_some());
        let small = |place: Place| {
            self.constants[place].as_ref().is_none_or(|c| c.value().shape().count() <= LARGEST_CONSTANT)
        };
        let Work::Operator(_) = node.work else { return None };
        if !ops::is_folded(&node.operator)
            || !node.inputs.iter().all(is_constant)
            || !node.inputs.iter().flatten().all(|&place| small(place))
        {
            return None;
        }
        let value = |place: Place| self.constants[place].as_ref().map(Stored::value);
        let inputs = node.inputs.iter().map(|place| place.and_then(value)).collect();
        // It takes no value but its inputs, so there is no need for the places of all others.
        let mut frame =
            Frame { values: Vec::new(), cx: None, buffers: &[], limit: LARGEST_CONSTANT, rounds: 0 };
        match frame.compute(node, inputs) {
            Err(error) if matches!(*error.problem, Problem::TooLarge { .. }) => None,
            results => Some(results),
        }
    }
}
