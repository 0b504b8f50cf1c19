//! Recordings as programs that are run again and again.

mod compiled;
mod feed;
mod groups;
mod mismatch;
mod plan;
mod program;

pub use compiled::{Compiled, Ran, Reason, compile};
pub use feed::{Feed, Inputs};
pub use mismatch::Mismatch;
pub use program::Program;
