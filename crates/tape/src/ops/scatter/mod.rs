//! Writing to the positions that indices name.
//!
//! Of several terms for one position the last one stays where they replace each other, for any number of threads, and it
//! alone gets the derivative.

mod corner;
mod extreme;
mod overwrite;
mod places;
mod positions;
mod product;
mod put;
mod reduce;
mod segments;

pub(super) use corner::{corner, cropped, with_corner};
pub use reduce::ScatterReduce;
pub use segments::Segments;
