//! Files of PyTorch.

mod archive;
mod dtype;
mod error;
mod file;
mod kind;
mod layout;
mod legacy;
mod pickle;
mod state_dict;
mod value;
mod write;

pub use error::{Error, Problem};
pub use file::File;
pub use state_dict::StateDict;
pub use value::{Dict, Items, StoredTensor, Value};
pub use write::{save, save_tensors, to_bytes};
