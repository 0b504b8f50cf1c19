//! Classes of operations whose rules follow from one formula.

mod bilinear;
mod code;
mod elementwise;
mod linear;
mod piecewise;
mod slope;

pub use bilinear::BilinearMap;
pub(crate) use bilinear::BilinearOp;
pub use code::Code;
pub use elementwise::{Elementwise, Reads};
pub use linear::LinearMap;
pub(crate) use linear::LinearOp;
pub(crate) use piecewise::{Piecewise, PiecewiseOp, piecewise};
