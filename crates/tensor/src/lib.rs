//! Strided CPU tensors with vectorised loops and blocked matrix products.

mod arithmetic;
mod create;
mod display;
mod element;
pub mod gemm;
mod layout;
pub mod loops;
pub mod math;
mod matmul;
mod operand;
pub mod parallel;
pub mod random;
pub mod shape;
pub mod simd;
mod storage;
mod sum;
mod tensor;
mod unary;
mod view;

pub use element::{Element, Float};
pub use matmul::matmul_shape;
pub use operand::Operand;
pub use shape::{Axes, Axis, Dims, Shape, Slice};
pub use sum::broadcast_axes;
pub use tensor::{ShapeError, Tensor};
pub use unary::integer_power;
pub use view::{flattened, permutation, resolve_dims};

/// What buffers the calling thread holds: for tests that a loop allocates nothing, and for giving memory back.
pub mod memory {
    pub use crate::storage::{ALIGNMENT, MemoryStats, stats, trim};
}
