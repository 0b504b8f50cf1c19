//! Models to and from ONNX.
#![deny(missing_docs)]

mod export;
// Import and export use all of it.
#[allow(dead_code, unused_imports)]
mod proto;

pub use export::{Entry, Export, ExportError, Inputs, OnnxFile, Position, not_exported};
