//! Models to and from ONNX.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod export;
mod import;
// Import and export use all of it.
#[allow(dead_code, unused_imports)]
mod proto;

pub use export::{Entry, Export, ExportError, Inputs, OnnxFile, Position, not_exported};
pub use import::{
    Input, Ints, Model, NodeError, Outputs, Problem, ReadError, RunError, UnsupportedOperator, Value,
};
