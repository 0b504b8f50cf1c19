//! Strided CPU tensors with vectorised loops and blocked matrix products.

mod element;
pub mod conv;
pub mod gemm;
pub mod math;
pub mod parallel;
pub mod pool;
pub mod simd;

pub use element::{Element, Float};
