//! Strided CPU tensors with vectorised loops and blocked matrix products.

mod arithmetic;
mod cast;
mod compare;
mod compiled_here;
pub mod conv;
mod convert;
mod create;
mod cross_entropy;
mod diagonal;
mod display;
mod element;
mod extremes;
pub mod file;
pub mod gemm;
mod index;
#[cfg(feature = "ndarray")]
mod interop;
mod join;
mod layer_norm;
mod layout;
mod logic;
pub mod loops;
pub mod math;
mod matmul;
mod moments;
pub mod names;
mod norm;
mod operand;
pub mod parallel;
pub mod pool;
mod prod;
pub mod random;
mod sample;
mod scan;
mod scatter;
mod select;
pub mod shape;
pub mod simd;
pub mod size;
mod softmax;
mod sort;
mod storage;
mod sum;
mod tensor;
pub mod text;
mod unary;
mod view;

pub use cast::Cast;
#[doc(hidden)]
pub use compiled_here::of_signature;
pub use convert::Iter;
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
    pub use crate::storage::{ALIGNMENT, MemoryStats, reset_peak, stats, trim};
}
