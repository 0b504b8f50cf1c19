//! What the examples share.

pub mod files;
pub mod options;
pub mod pictures;
pub mod plot;
