//! The library's own operations, one file per family. Each is a method on [`Var`](crate::Var) with the name that
//! it has on tensors.

mod arithmetic;
mod broadcast;
mod compare;
mod conv;
mod cross_entropy;
mod diagonal;
mod dropout;
mod embedding;
mod extremes;
mod gates;
mod index;
mod join;
mod layer_norm;
mod lengths;
mod linalg;
mod matmul;
mod moments;
mod norm;
mod pool;
mod reduce;
mod reshape;
mod round;
mod select;
mod softmax;
mod sort;
mod unary;

pub use arithmetic::{Operand, Side};
pub use linalg::{LuFactors, MatrixError, MatrixNorm};
pub use pool::Pool2dOptions;
pub(crate) use reshape::embedded;
pub(crate) use unary::*;

use wengert_tensor::{Element, Tensor};

/// The elements of a tensor that was made contiguous, for a kernel.
fn slice<T: Element>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous before")
}
