//! Pooling.

mod adaptive;
mod fractional;
mod norm;
mod regular;
mod unpool;

pub use adaptive::{
    AdaptiveAvgPool, AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool,
    AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d,
};
pub use fractional::{FractionalMaxPool, FractionalMaxPool2d, FractionalMaxPool3d};
pub use norm::{LpPool, LpPool1d, LpPool2d, LpPool3d};
pub use regular::{AvgPool, AvgPool1d, AvgPool2d, AvgPool3d, MaxPool, MaxPool1d, MaxPool2d, MaxPool3d};
pub use unpool::{MaxUnpool, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d};
