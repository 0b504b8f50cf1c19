//! What the examples share.

pub mod pictures;
