//! What the examples share.

pub mod corpus;
pub mod pictures;
pub mod work;
