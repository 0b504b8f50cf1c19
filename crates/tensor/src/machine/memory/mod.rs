//! What buffers the calling thread holds: for tests that a loop allocates nothing, and for giving memory back.

mod large_pages;
mod pool;
mod returned;

pub(crate) use pool::{Block, acquire, release};
pub use pool::{MemoryStats, reset_peak, stats, trim};

/// Alignment of every buffer, in bytes: a cache line and the widest vector register.
pub const ALIGNMENT: usize = 64;
