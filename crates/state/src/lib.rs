//! What a run remembers, as one value that is exact to the bit.
//!
//! A [`State`] is a tree of named numbers, vectors and further states. Parameters with their buffers, optimisers, averages, early
//! stopping, methods of minimisation, schedules, generators and positions in the data all give one and go on from one, so
//! a state with all of them as children holds a run. It serialises with any serde format, and comes back with the same bits
//! whatever the format does to floating-point numbers: those are written as bit patterns, NaN and infinity included.
//!
//! What has settings beside its state, such as an optimiser, has `state()` and `load_state(&state)`; what is nothing but its
//! state is converted: a [`Generator`](wengert_tensor::random::Generator) by `State::from(&generator)` and
//! `Generator::try_from(&state)`, anything that serde knows by [`State::of`] and [`State::read`].
//!
//! ```
//! use wengert_state::State;
//! use wengert_tensor::random::Generator;
//!
//! let mut generator = Generator::seeded(7);
//! generator.uniform();
//! let run = State::new("run", 0)
//!     .with_count("epoch", 3)
//!     .with_real("best", f64::NAN)
//!     .with_child("generator", State::from(&generator));
//! let text = serde_json::to_string(&run)?;
//!
//! let read: State = serde_json::from_str(&text)?;
//! assert_eq!(read, run);
//! assert_eq!(Generator::try_from(read.child("generator")?)?, generator);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod bits;
mod convert;
mod error;
mod generator;
mod node;
mod reader;
mod scalar;
mod spare;
mod split;
mod state;
mod values;
mod writer;

pub use error::StateError;
pub use scalar::Scalar;
pub use spare::Spare;
pub use state::State;
pub use values::Values;

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
