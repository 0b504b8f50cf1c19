//! How ranks are started: what a launcher has told this process, and a launcher that starts again what fails.

mod error;
mod job;
mod launcher;
mod watch;
mod world;

pub use error::{JobError, LaunchError};
pub use job::{ATTEMPT, Job, Restart, attempt};
pub use launcher::Launcher;
pub use world::{run, world};
