//! Models of ONNX, read and run.

#[path = "../../crates/onnx/tests/hostile/inputs.rs"]
mod inputs;
#[path = "../../crates/onnx/tests/hostile/models.rs"]
mod models;
#[path = "../../crates/onnx/tests/hostile/running.rs"]
mod running;

use std::path::Path;

use wengert_nn::Params;
use wengert_onnx::Model;
use wengert_tensor::random::Generator;

use crate::attack::{Reader, most};

/// Models. What running one takes is bounded by its own limit, and reading is looked at by itself.
pub(crate) const ONNX: Reader = Reader {
    name: "onnx",
    files: || models::models(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/onnx/tests/golden"))),
    factor: 1 << 20,
    read: |bytes| {
        let mut params: Params<f32> = Params::seeded(0);
        let mut model = None;
        let held = most(|| model = Model::from_bytes(params.root(), bytes).ok());
        assert!(held <= 2 * bytes.len() + (16 << 20), "{held} bytes for a file of {}", bytes.len());
        let Some(model) = model else { return false };
        running::runs(model, &params, &mut Generator::seeded(bytes.len() as u64));
        true
    },
};
