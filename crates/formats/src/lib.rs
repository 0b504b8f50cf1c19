//! Weights and arrays in the files of other tools: PyTorch, NumPy, sharded safetensors.

pub mod torch;
