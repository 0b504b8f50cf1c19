//! Datasets, batching and shuffling for the Wengert autodiff framework.
//!
//! - [`Mnist`] and [`FashionMnist`]: image sets by name, from a folder, the user's cache or the network.
//! - [`synthetic`]: handwritten-looking digits drawn by strokes, for a machine that has no data.
//! - [`Dataset`]: examples and their labels; split, normalised, and handed out in shuffled mini-batches.
//! - [`idx`] and (feature `csv`) `csv`: readers of the two file formats.
//! - `download` (feature `download`): files over HTTPS, resumed, retried and checked.
//!
//! ```
//! use wengert_data::synthetic;
//!
//! let data = synthetic::digits(1000, 0);
//! for epoch in 0..2 {
//!     for batch in data.batches(64).shuffled(epoch) {
//!         assert_eq!(batch.images.shape()[1..], [784]);
//!         assert_eq!(batch.images.shape()[0], batch.labels.len());
//!     }
//! }
//! ```

mod batches;
#[cfg(feature = "csv")]
pub mod csv;
mod dataset;
#[cfg(feature = "download")]
pub mod download;
mod error;
mod folders;
mod gzip;
pub mod idx;
mod image_set;
mod mnist;
mod pixels;
pub mod synthetic;

pub use batches::{Batch, Batches};
pub use dataset::Dataset;
pub use error::DataError;
pub use image_set::{ImageSet, Source};
pub use mnist::{FashionMnist, Mnist};
