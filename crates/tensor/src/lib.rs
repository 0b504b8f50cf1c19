//! Strided CPU tensors with vectorised loops and blocked matrix products.
//!
//! The modules stand in rooms: `machine` (instruction sets, threads, memory), `array` (elements, shapes, storage, and how
//! tensors are made and shown), `math` (functions of numbers), `random`, `loops` (over the elements and rows of tensors),
//! `kernels` (larger computations) and `methods` (of [`Tensor`]: they check, find a shape, and call a loop or a kernel).
//! `messages` and `file` serve the other crates too.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod array;
pub mod file;
mod kernels;
pub mod loops;
mod machine;
pub mod math;
mod messages;
mod methods;
pub mod random;

pub use array::cast::Cast;
pub use array::convert::Iter;
pub use array::element::{Element, ElementKind, Float};
pub use array::operand::Operand;
pub use array::shape::{Axes, Axis, Dims, Shape, Slice};
pub use array::tensor::{ShapeError, Tensor};
pub use array::{shape, size};
pub use kernels::along_axis as axis_map;
pub use kernels::distance::Distance;
#[cfg(feature = "fft")]
pub use kernels::fourier;
pub use kernels::order::OrderStatistic;
pub use kernels::scatter::Combine;
pub use kernels::{attention, conv, ctc, gates, gemm, kronecker, linalg, normalise, pool, taps};
#[doc(hidden)]
pub use machine::compiled_here::of_signature;
pub use machine::{memory, parallel, simd};
pub use messages::{names, text};
pub use methods::distance::{own_pair_distances, pair_distances, pair_dots, pair_sums};
pub use methods::matmul::matmul_shape;
pub use methods::scatter::{combine_elements, combine_slices};
pub use methods::sum::broadcast_axes;
pub use methods::unary::integer_power;
pub use methods::view::{flattened, permutation, resolve_dims};

/// The program of the README is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// Tests of what is public, in the one program that a sanitizer has to build.
#[cfg(test)]
extern crate self as wengert_tensor;
#[cfg(test)]
#[path = "../tests/extreme_sizes/mod.rs"]
mod extreme_sizes;
#[cfg(test)]
#[path = "../tests/public/mod.rs"]
mod public;
