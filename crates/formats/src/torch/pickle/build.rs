//! Tensors, and what is added to objects that are made already.

use std::io::Read;

use super::super::dtype::Dtype;
use super::super::error::Problem;
use super::globals::{Callable, Global};
use super::machine::Machine;
use super::node::{Content, Id, Node, RawTensor};

/// The most axes that a tensor has.
const AXES: usize = 64;

impl<R: Read> Machine<'_, R> {
    /// A tensor of one of the functions that make one.
    pub(super) fn tensor(&mut self, callable: Callable, arguments: &[Id]) -> Result<Option<Id>, Problem> {
        let number = |id: Id| self.heap.int(id).and_then(|number| u64::try_from(number).ok());
        let dtype = |id: Id| match *self.heap.node(id) {
            Node::Global(Global::Dtype(dtype)) => Some(dtype),
            _ => None,
        };
        let (storage, offset, size, stride, given, negated) = match (callable, arguments) {
            (Callable::Tensor, &[storage, offset, size, stride]) => {
                (storage, offset, size, stride, None, false)
            }
            (Callable::TensorV2, &[storage, offset, size, stride, _, _, ref metadata @ ..])
                if metadata.len() < 2 =>
            {
                (storage, offset, size, stride, None, self.is_negated(metadata))
            }
            (Callable::TensorV3, &[storage, offset, size, stride, _, _, dtype_id, ref metadata @ ..])
                if metadata.len() < 2 =>
            {
                let Some(given) = dtype(dtype_id) else { return Ok(None) };
                (storage, offset, size, stride, Some(given), self.is_negated(metadata))
            }
            (Callable::Sparse, &[_, data]) => return self.sparse(data),
            (Callable::Quantised, &[storage, _, size, _, _, _, _]) => {
                let Node::Storage(storage) = *self.heap.node(storage) else { return Ok(None) };
                let dtype = self.heap.storages[storage as usize].dtype;
                return self.foreign_of(size, dtype.map_or("QUANTIZED", |dtype| dtype.name));
            }
            (Callable::Meta, &[_, size, _, _]) => return self.foreign_of(size, "META"),
            (Callable::Wrapper, &[_, _, size, _, _, _, _, _]) => return self.foreign_of(size, "SUBCLASS"),
            _ => return Ok(None),
        };
        let Node::Storage(storage) = *self.heap.node(storage) else { return Ok(None) };
        let own = self.heap.storages[storage as usize].dtype;
        let (Some(offset), Some(size), Some(stride)) =
            (number(offset), self.heap.lengths(size), self.heap.lengths(stride))
        else {
            return Err(self.wrong("a tensor whose shape, strides or offset are no whole numbers from 0 on"));
        };
        if size.len() != stride.len() || size.len() > AXES {
            return Err(self.wrong("a tensor with other strides than axes, or with more than 64"));
        }
        if negated {
            return self.foreign(size, "NEGATED").map(Some);
        }
        let dtype = given.or(own).unwrap_or(Dtype::bytes());
        let content = Content::Strided { storage, dtype, offset, stride };
        self.heap.add_tensor(RawTensor { size, content }).map(Some)
    }

    /// Whether a view's metadata say that its numbers are to be negated or conjugated.
    fn is_negated(&self, metadata: &[Id]) -> bool {
        metadata.iter().any(|&id| match self.heap.node(id) {
            Node::Dict(pairs) => {
                pairs.iter().any(|&(_, value)| matches!(self.heap.node(value), Node::Bool(true)))
            }
            _ => false,
        })
    }

    /// Of indices, values and the shape.
    fn sparse(&mut self, data: Id) -> Result<Option<Id>, Problem> {
        let size = match self.heap.items(data) {
            Some(&[_, _, size]) => size,
            // Coordinates have a truth value at last, compressed rows their shape.
            Some(&[_, _, size, last]) if matches!(self.heap.node(last), Node::Bool(_) | Node::None) => size,
            Some(&[_, _, _, size]) => size,
            _ => return Ok(None),
        };
        self.foreign_of(size, "SPARSE")
    }

    fn foreign_of(&mut self, size: Id, dtype: &'static str) -> Result<Option<Id>, Problem> {
        match self.heap.lengths(size) {
            Some(size) if size.len() <= AXES => self.foreign(size, dtype).map(Some),
            _ => Ok(None),
        }
    }

    /// A tensor of a kind that is known by name only.
    pub(super) fn foreign(&mut self, size: Box<[u64]>, dtype: &'static str) -> Result<Id, Problem> {
        self.heap.add_tensor(RawTensor { size, content: Content::Foreign(dtype) })
    }

    /// Adds to an object what its class keeps beside its items: the versions of modules in a state dict, which nothing here
    /// needs.
    pub(super) fn build(&mut self, object: Id, state: Id) -> Result<(), Problem> {
        match (self.heap.node(object), self.heap.node(state)) {
            (Node::Dict(_), Node::Dict(_)) => Ok(()),
            _ => Err(self.wrong("it gives attributes to what is no dict")),
        }
    }
}
