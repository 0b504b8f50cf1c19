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
//! is the model, and here [`Params::load`](wengert_nn::Params::load) takes it out of a checkpoint as out of any other file:
//! without a look at the checksum, as [`read`] has. For a file that may have been damaged, take the model from what [`read`] gives.
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
//!
//! A run that goes on from its folder:
//!
//! ```
//! use wengert_data::synthetic;
//! use wengert_nn::{Layer, Linear, Losses, Params};
//! use wengert_optim::Adam;
//! use wengert_train::checkpoint::{Checkpoints, read};
//! use wengert_train::{History, TrainError, Trainer};
//!
//! let data = synthetic::digits(100, 0);
//! let train = |folder: &std::path::Path, epochs: u64| -> Result<(Params, History), TrainError> {
//!     let mut params: Params = Params::seeded(0);
//!     let model = Linear::new(params.root(), 784, 10);
//!     let finished = Trainer::new(&mut params, Adam::new(3e-3))
//!         .checkpoints(Checkpoints::new(folder).every_epochs(1).best_of("train.loss", 2))
//!         .resume()
//!         .fit(&data, epochs, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
//!     Ok((params, finished.history))
//! };
//! let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
//! train(folder.path(), 2)?;
//! let (resumed, history) = train(folder.path(), 3)?; // one epoch more
//! let (whole, _) = train(other.path(), 3)?;
//! assert!(resumed.state() == whole.state());
//! assert_eq!(history.rows.len(), 3);
//! assert_eq!(read(folder.path().join("step-00000012.safetensors"))?.count("step")?, 12);
//! # Ok::<(), TrainError>(())
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
