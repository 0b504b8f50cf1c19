//! The training loop: what every program writes round its model, written once.
//!
//! An [`RunObserver`] is told of the [`Event`]s of a run; a [`Metric`](metric::Metric) says how good outputs are, over batches of any size.

mod event;
mod history;
mod log;
pub mod metric;
mod number;
mod picture;
mod progress;

pub use event::{Event, Moment, RunObserver, StepReport};
pub use history::{History, Row};
pub use log::{Csv, JsonLines, LogError, TensorBoard};
pub use picture::Picture;
pub use progress::PlainLines;
#[cfg(feature = "progress")]
pub use progress::Progress;
