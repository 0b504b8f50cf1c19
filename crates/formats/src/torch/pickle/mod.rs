//! A machine for pickles that builds tensors and plain containers, and nothing else.
//!
//! PyTorch's `_weights_only_unpickler.py` is the specification: the classes and functions that it allows are allowed here, by
//! name, and none is ever called; each has a rule of its own that says what comes of its arguments. To its instructions
//! come those of protocols 4 and 5 that do the same in other ways.
//!
//! Objects stand in a [`Heap`] and name each other by number, so that neither shared nor nested nor circular ones cost more
//! than their pickle says, and nothing here is recursive.

mod build;
mod call;
mod chunked;
mod globals;
mod heap;
mod input;
mod machine;
mod node;
mod persistent;

pub(super) use chunked::Chunked;
pub(super) use heap::Heap;
pub(super) use input::Input;
pub(super) use machine::Machine;
pub(super) use node::{Content, Id, Node, RawStorage, RawTensor};
