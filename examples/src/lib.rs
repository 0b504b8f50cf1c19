//! What the examples share.

pub mod pictures;
pub mod work;
