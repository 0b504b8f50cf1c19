//! The library's own operations, one file per family. Each is a method on [`Var`](crate::Var) with the name that
//! it has on tensors.

mod arithmetic;
mod broadcast;
mod compare;
mod complex;
mod conv;
mod corner;
mod cross_entropy;
mod diagonal;
mod dropout;
mod extremes;
#[cfg(feature = "fft")]
mod fft;
mod index;
mod join;
mod layer_norm;
mod logarithmic;
mod matmul;
mod moments;
mod norm;
mod polar;
mod pool;
mod power;
mod reduce;
mod remainder;
mod replace;
mod reshape;
mod round;
mod sample;
mod select;
mod softmax;
mod sort;
mod unary;

pub use arithmetic::{Operand, Side};
#[cfg(feature = "fft")]
pub use fft::{FftNorm, FftOptions};
pub use pool::Pool2dOptions;
pub(crate) use reshape::embedded;
pub(crate) use unary::*;

use wengert_tensor::{Element, Tensor};

/// The elements of a tensor that was made contiguous, for a kernel.
fn slice<T: Element>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous before")
}
