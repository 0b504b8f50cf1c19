//! Models to and from ONNX.

#![cfg_attr(docsrs, feature(doc_cfg))]
