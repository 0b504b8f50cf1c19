//! What a tensor is: elements, shapes, layouts, storage, and the checks of sizes; how it is made, converted and shown.

mod axes;
pub(crate) mod cast;
pub(crate) mod convert;
mod create;
mod display;
pub(crate) mod element;
#[cfg(any(feature = "faer", feature = "nalgebra", feature = "ndarray"))]
mod interop;
pub(crate) mod layout;
pub(crate) mod operand;
pub mod shape;
pub mod size;
mod slice;
pub(crate) mod storage;
pub(crate) mod tensor;
