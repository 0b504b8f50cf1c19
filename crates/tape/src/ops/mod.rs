//! The library's own operations, one file per family. Each is a method on [`Var`](crate::Var) with the name that
//! it has on tensors.

mod arithmetic;
mod arrange;
mod broadcast;
mod compare;
mod conv;
mod count;
mod cross_entropy;
mod cumulative;
mod diagonal;
mod distance;
mod dropout;
mod einsum;
mod extremes;
mod index;
mod join;
mod layer_norm;
mod matmul;
mod moments;
mod norm;
mod order;
mod pool;
mod products;
mod quantile;
mod reduce;
mod reshape;
mod round;
mod scatter;
mod select;
mod softmax;
mod sort;
mod statistics;
mod unary;
mod unique;

pub use arithmetic::{Operand, Side};
pub use arrange::Indexing;
pub use pool::Pool2dOptions;
pub use quantile::QuantileMethod;
pub(crate) use reshape::embedded;
pub use scatter::{ScatterReduce, Segments};
pub(crate) use unary::*;

use wengert_tensor::{Element, Tensor};

/// The elements of a tensor that was made contiguous, for a kernel.
fn slice<T: Element>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous before")
}
