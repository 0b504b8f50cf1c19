//! Files of PyTorch: what `torch.save` wrote, read without Python, and state dicts that `torch.load` reads.
//!
//! A [`File`] is a state dict, or a checkpoint that has one beside an optimiser's state, numbers and texts. It was written by any
//! PyTorch from 0.1.10 on, of Python 2 or 3. Programs of TorchScript, whole pickled modules and the tar archives of before
//! are refused by what they are.
//!
//! ```
//! use wengert_formats::torch;
//! use wengert_nn::{Linear, Loading, Params};
//! let path = std::env::temp_dir().join("wengert-torch.pt");
//! let mut saved: Params = Params::seeded(0);
//! Linear::new(saved.at("out"), 3, 2);
//! // torch.load(path, weights_only=True) reads it.
//! torch::save(&saved, &path)?;
//!
//! // What torch.save(model.state_dict(), path) has written, or torch.save({"model": …, "epoch": 3}, path).
//! let mut params: Params = Params::seeded(1);
//! Linear::new(params.at("out"), 3, 2);
//! let mut dict = torch::File::open(&path)?.state_dict()?;
//! params.load_from(&mut dict, &Loading::new())?;
//! assert_eq!(params.values(), saved.values());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod dtype;
mod error;
mod file;
mod kind;
mod layout;
mod legacy;
mod optimizer;
mod pickle;
mod state_dict;
mod value;
mod write;

pub use error::{Error, Problem};
pub use file::File;
pub use optimizer::{Checkpoint, OptimizerError, OptimizerProblem, OptimizerState};
pub use state_dict::StateDict;
pub use value::{Dict, Items, StoredTensor, Value};
pub use write::{save, save_tensors, to_bytes};
