//! Texts of messages, and names that were not found.

pub mod names;
pub mod text;
