//! Strided CPU tensors with vectorised loops and blocked matrix products.

mod element;
pub mod math;
pub mod parallel;
pub mod random;
pub mod simd;

pub use element::{Element, Float};
