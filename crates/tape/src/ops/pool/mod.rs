//! Pooling: maxima, means and norms of windows. The windows of sequences are those of images of height 1; of volumes first
//! each slice is pooled, and then the results along the depth, since a maximum of maxima and a mean of means are what is
//! wanted.

mod adaptive;
mod average;
mod fractional;
mod max;
mod norm;
mod planes;
mod unpool;

pub use planes::PoolOptions;

/// Of sequences.
pub type Pool1dOptions = PoolOptions<1>;
/// Of images.
pub type Pool2dOptions = PoolOptions<2>;
/// Of volumes.
pub type Pool3dOptions = PoolOptions<3>;
