//! The computations that are more than a loop with a formula.

pub mod conv;
pub(crate) mod cross_entropy;
pub mod gemm;
pub mod linalg;
pub mod normalise;
pub mod pool;
mod scan;
pub(crate) mod softmax;
mod sort;
