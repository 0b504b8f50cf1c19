//! Files from which a run goes on with the same bits.
//!
//! [`write()`] and [`read`] keep a [`State`](wengert_state::State) as a safetensors file, for any program; [`Checkpoints`] says when a run
//! writes which, and a [`CheckpointStore`] does it in the background.
//!
//! # The file
//! A safetensors file, which any tool for such files reads. Of a state whose child `params` is that of
//! [`Params`](wengert_nn::Params::state), parameters are under `model.` and their names, buffers and counts under `buffers.`, with
//! their shapes; all other vectors under their paths, such as `optimizer.m`. Everything else, to the bit, is
//! JSON in the metadata, with the version of the format, that of the library, and a CRC-32 over all names, types,
//! shapes, numbers and metadata: a bit that is flipped anywhere is an error. So in Python
//! `{name.removeprefix("model."): tensor for name, tensor in load_file(path).items() if name.startswith("model.")}`
//! is the model, and here [`Params::load`](wengert_nn::Params::load) takes it out of a checkpoint as out of any other file.
//!
//! ```
//! use wengert_nn::{Linear, Params};
//! use wengert_state::State;
//! use wengert_train::checkpoint;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("run.safetensors");
//! let mut params: Params = Params::seeded(0);
//! Linear::new(params.at("out"), 3, 2);
//! let run = State::new("run", 0).with_count("epoch", 3).with_child("params", params.state());
//!
//! checkpoint::write(&path, &run)?;
//! assert_eq!(checkpoint::read(&path)?, run);
//! params.load(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod differences;
mod error;
mod format;
mod names;
mod rules;
mod store;
mod worker;

pub use differences::{Difference, Differences, differences};
pub use error::CheckpointError;
pub use format::{read, read_like, write};
pub use rules::Checkpoints;
pub use store::CheckpointStore;
