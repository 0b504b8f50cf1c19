//! Layers of transformers, and stacks of them.

mod builder;
mod decoder;
mod encoder;
mod feed_forward;
mod model;

pub use builder::TransformerBuilder;
pub use decoder::{TransformerDecoder, TransformerDecoderLayer};
pub use encoder::{TransformerEncoder, TransformerEncoderLayer};
pub use feed_forward::FeedForward;
pub use model::Transformer;
