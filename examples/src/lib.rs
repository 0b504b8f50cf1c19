//! What the examples share.

pub mod corpus;
pub mod files;
pub mod mlp;
pub mod options;
pub mod pictures;
pub mod work;
