//! Weights and arrays in the files of other tools: PyTorch, NumPy, sharded safetensors.

#![cfg_attr(docsrs, feature(doc_cfg))]
