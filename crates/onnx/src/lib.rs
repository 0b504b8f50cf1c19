//! Models to and from ONNX.

mod import;
// Import and export use all of it.
#[allow(dead_code, unused_imports)]
mod proto;

pub use import::{
    Input, Ints, Model, NodeError, Outputs, Problem, ReadError, RunError, UnsupportedOperator, Value,
};
