//! Training, its checkpoints, logs and metrics, in one program.

mod broken_off;
mod checkpoints;
mod common;
mod errors;
mod kill;
mod logs;
mod loops;
mod metrics;
mod metrics_golden;
#[path = "../../../tensor/tests/extreme_sizes/panics.rs"]
mod panics;
mod resume;
mod search;
mod settings;
mod watch;
