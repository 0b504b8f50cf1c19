//! Models to and from ONNX.
//!
//! [`Model`] reads a file: its weights become parameters, and what it computes is recorded, so that it runs, is differentiated to
//! any order and trained further. The guide is `docs/guide/onnx.md`.
//!
//! ```
//! use wengert_nn::Params;
//! use wengert_onnx::Model;
//! use wengert_tape::Var;
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/mlp.onnx");
//! let mut params: Params<f32> = Params::seeded(0);
//! let model = Model::read(params.root(), path)?;
//! let outputs = params.infer(|cx| model.forward(cx, &[("x", Var::ones([2, 3]).into())]))?;
//! assert_eq!(outputs.float("y").unwrap().shape()[..], [2, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod export;
mod import;
mod proto;

pub use export::{Entry, Export, ExportError, Inputs, OnnxFile, Position, not_exported};
pub use import::{
    Input, Ints, Model, NodeError, Outputs, Problem, ReadError, RunError, Sequence, UnsupportedOperator,
    Value,
};
