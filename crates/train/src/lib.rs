//! The training loop: what every program writes round its model, written once.
//!
//! An [`RunObserver`] is told of the [`Event`]s of a run; a [`Metric`](metric::Metric) says how good outputs are, over batches of any size.

mod accuracy;
mod epochs;
mod error;
mod event;
mod history;
mod interrupt;
mod kept;
mod learner;
mod logbook;
pub mod metric;
mod monitor;
mod place;
mod run;
mod segments;
mod trainer;
mod training;

pub use accuracy::accuracy;
pub use epochs::{Epoch, EpochBatches, Epochs};
pub use error::TrainError;
pub use event::{Event, Moment, RunObserver, StepReport};
pub use history::{History, Row};
pub use learner::Learner;
pub use run::{Measured, Run};
pub use segments::Segments;
pub use trainer::Trainer;
pub use training::Training;
