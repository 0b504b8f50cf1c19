//! What the loops run on: instruction sets, threads, memory, and code that is compiled in this crate.

pub(crate) mod compiled_here;
pub mod memory;
pub mod parallel;
pub(crate) mod precision;
pub(crate) mod prefetch;
pub mod simd;
