//! Weights and arrays in the files of other tools: PyTorch, NumPy, sharded safetensors.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
pub mod npy;
pub mod npz;
mod open;
pub mod sharded;
pub mod torch;
mod zip;

pub use error::FormatsError;
#[cfg(feature = "mmap")]
pub use open::map;
pub use open::{load, open};
