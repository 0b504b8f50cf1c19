//! Classes of operations whose rules follow from one formula.

mod bilinear;
mod elementwise;
mod linear;
mod loops;
mod slope;

pub use bilinear::Bilinear;
pub use elementwise::{Elementwise, Reads};
pub use linear::Linear;
pub use loops::Loops;
