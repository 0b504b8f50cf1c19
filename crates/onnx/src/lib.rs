//! Models to and from ONNX.
