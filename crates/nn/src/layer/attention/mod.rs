//! Multi-head attention.

mod builder;
mod cache;
mod layer;
mod projections;

pub use builder::MultiheadAttentionBuilder;
pub use cache::KeyValueCache;
pub use layer::MultiheadAttention;
