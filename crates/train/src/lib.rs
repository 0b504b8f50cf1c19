//! The training loop: what every program writes round its model, written once.
//!
//! An [`RunObserver`] is told of the [`Event`]s of a run; a [`Metric`](metric::Metric) says how good outputs are, over batches of any size.

pub mod checkpoint;
mod event;
pub mod metric;

pub use checkpoint::Checkpoints;
pub use event::{Event, Moment, RunObserver, StepReport};
