//! The training loop: what every program writes round its model, written once.
//!
//! A [`Trainer`] has the settings: parameters and optimiser, and as asked for a learning-rate schedule, clipping, accumulation, an
//! average to evaluate with, early stopping, observers, checkpoints. Its [`fit`](Trainer::fit) trains:
//!
//! ```
//! use wengert_data::synthetic;
//! use wengert_nn::{Layer, Linear, Losses, Params};
//! use wengert_optim::Adam;
//! use wengert_train::Trainer;
//!
//! let data = synthetic::digits(200, 0);
//! let mut params: Params = Params::seeded(0);
//! let model = Linear::new(params.root(), 784, 10);
//! let finished = Trainer::new(&mut params, Adam::new(3e-3))
//!     .fit(&data, 5, |cx, (images, labels)| model.forward(cx, images).cross_entropy(labels))?;
//! # assert!(finished.history.rows[4].value < finished.history.rows[0].value);
//! # Ok::<(), wengert_train::TrainError>(())
//! ```
//!
//! Its [`start`](Trainer::start) gives a [`Run`] for a loop of one's own, with the same bits: [`Run::epochs`], [`Epoch::batches`],
//! [`Run::step`], [`Run::validate`], [`Run::finish`]. Several networks train in one run ([`Trainer::also`]), and methods on the
//! whole loss run in it ([`Trainer::minimize`]).
//!
//! A [`RunObserver`] is told of the [`Event`]s of a run; a [`Metric`](metric::Metric) says how good outputs are, over batches of
//! any size. A run that was broken off, in the middle of an epoch too, goes on from its [`State`](wengert_state::State) in the bits of one
//! that was not: dropout depends on seed and step, shuffles on seed and epoch, schedules on the update.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod accuracy;
pub mod checkpoint;
#[cfg(feature = "plot")]
mod curves;
mod epochs;
mod error;
mod event;
mod fit;
mod folder;
mod history;
mod interrupt;
mod kept;
mod learner;
mod log;
mod logbook;
pub mod metric;
mod monitor;
mod number;
mod parallel;
mod picture;
mod place;
mod progress;
mod reason;
mod report;
mod run;
pub mod search;
mod segments;
mod shares;
mod trainer;
mod training;
pub mod watch;

pub use accuracy::accuracy;
pub use epochs::{Epoch, EpochBatches, Epochs};
pub use error::TrainError;
pub use event::{Event, Moment, RunObserver, StepReport};
pub use history::{History, Row};
pub use learner::Learner;
pub use log::{Csv, JsonLines, LogError, TensorBoard};
pub use parallel::{Parallel, PendingSum, Workers, WorkersError, expect_alike};
#[doc(hidden)]
pub use parallel::{fingerprint, model_facts, shown_fingerprint};
pub use picture::Picture;
pub use progress::PlainLines;
#[cfg(feature = "progress")]
pub use progress::Progress;
pub use reason::{Finished, StopReason};
pub use report::{Report, ReportError, WrongExample, WrongExamples};
#[doc(hidden)]
pub use run::take_fitting;
pub use run::{Measured, Run};
pub use segments::Segments;
pub use trainer::Trainer;
pub use training::Training;

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
