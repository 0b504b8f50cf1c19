//! Layers that move elements to images of other sizes.

mod patches;
mod shuffle;
mod upsample;

pub use patches::{Fold, Unfold};
pub use shuffle::{ChannelShuffle, PixelShuffle, PixelUnshuffle};
pub use upsample::{Upsample, UpsamplingBilinear2d, UpsamplingNearest2d};
