//! The computations that are more than a loop with a formula: functions of slices and of the geometry that says what lies
//! where in them. They know no tensors but for scratch memory, so another kind of device would have others in their place.
//!
//! Each is compiled here, for each type of elements. What stands outside, in `methods`, are the formulas of elementwise
//! operations and of reductions: their loops walk tensors of any strides, and so are no functions of slices.

pub mod along_axis;
pub mod attention;
pub mod conv;
pub(crate) mod cross_entropy;
pub mod ctc;
pub(crate) mod distance;
#[cfg(feature = "fft")]
pub mod fourier;
pub mod gates;
pub mod gemm;
pub mod kronecker;
pub mod linalg;
pub mod normalise;
pub(crate) mod order;
pub mod pool;
pub(crate) mod product_gradient;
pub(crate) mod products;
pub(crate) mod scan;
pub(crate) mod scatter;
mod scratch;
pub(crate) mod softmax;
pub(crate) mod softmax_columns;
pub(crate) mod sort;
pub mod taps;
