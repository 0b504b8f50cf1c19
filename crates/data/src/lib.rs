//! Datasets, batching and shuffling for the Wengert autodiff framework.
//!
//! - [`Source`]: what examples are taken from. Tensors, [`Features`], [`Sequences`] and tuples of them are sources, and
//!   types of one's own.
//! - [`Dataset`]: the examples of a source, split, scaled, and handed out in [`Batches`]: shuffled, bucketed by length,
//!   shared among workers, resumed where a run was broken off, prepared by a thread.
//! - [`Columns`]: tables by columns, as data frames have them.
//! - [`Augment`]: random changes of images, by seed.
//! - [`Mnist`] and [`FashionMnist`]: image sets by name, from a folder, the user's cache or the network.
//! - [`Windows`]: pieces of a series, and what follows them.
//! - [`text`]: text as tokens: bytes, or frequent pieces that are learned.
//! - [`synthetic`]: handwritten-looking digits drawn by strokes, for a machine that has no data.
//! - [`idx`] and (feature `csv`) `csv`: readers of the two file formats.
//! - `images` (feature `image`): PNG and JPEG files, one or a folder for each class.
//! - `download` (feature `download`): files over HTTPS, resumed, retried and checked.
//!
//! ```
//! use wengert_data::synthetic;
//!
//! let data = synthetic::digits(1000, 0);
//! for epoch in 0..2 {
//!     for (images, labels) in data.batches(64).shuffled(epoch) {
//!         assert_eq!(images.shape()[1..], [784]);
//!         assert_eq!(images.shape()[0], labels.len());
//!     }
//! }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod augment;
mod batches;
mod columns;
#[cfg(feature = "csv")]
pub mod csv;
mod dataset;
#[cfg(feature = "download")]
pub mod download;
mod error;
mod features;
mod folders;
mod gzip;
pub mod idx;
mod image_set;
#[cfg(feature = "image")]
pub mod images;
mod mnist;
mod moments;
mod padded;
mod rows;
mod scaling;
mod sequences;
mod source;
pub mod synthetic;
pub mod text;
mod windows;

pub use augment::{Augment, Elastic};
pub use batches::{Batch, Batches, Division, Piece, Position, Prefetched, even_part};
pub use columns::{ColumnNumber, Columns};
pub use dataset::{BatchOf, Dataset, HasFeatures, Supervised};
pub use error::DataError;
pub use features::Features;
pub use image_set::{ImageSet, Origin};
pub use mnist::{FashionMnist, Mnist};
pub use moments::Moments;
pub use padded::Padded;
pub use sequences::Sequences;
#[doc(hidden)]
pub use source::Fingerprint;
pub use source::{IntoVars, Source};
pub use windows::Windows;

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
