//! Models to and from ONNX.

// Import and export use all of it.
#[allow(dead_code, unused_imports)]
mod proto;
