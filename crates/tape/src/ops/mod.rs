//! The library's own operations, one file per family. Each is a method on [`Var`](crate::Var) with the name that
//! it has on tensors.

mod along_axis;
mod arithmetic;
mod arrange;
mod attention;
mod broadcast;
mod calculus;
mod compare;
mod complex;
mod conv;
mod corner;
mod count;
mod cross_entropy;
mod ctc;
mod cumulative;
mod diagonal;
mod distance;
mod dropout;
mod einsum;
mod embedding;
mod extremes;
#[cfg(feature = "fft")]
mod fft;
mod fixed_power;
mod gates;
mod grid;
mod index;
mod join;
mod kronecker;
mod labels;
mod lengths;
mod linalg;
mod logarithmic;
mod matmul;
mod moments;
mod norm;
mod polar;

mod normalise;
mod order;
mod orders;
mod pool;
mod power;
mod products;
mod quantile;
mod recurrence;
mod reduce;
mod remainder;
mod replace;
mod reshape;
mod round;
mod rrelu;
mod sample;
mod scatter;
mod select;
mod shuffle;
mod softmax;
mod sort;
mod stacks;
mod statistics;
mod unary;
mod unique;
mod window;

pub use along_axis::{PadMode, Resize};
pub use arithmetic::{Operand, Side};
pub use arrange::Indexing;
pub use attention::{AttentionMask, AttentionOptions};
#[cfg(feature = "fft")]
pub use fft::{FftNorm, FftOptions, StftOptions};
pub(crate) use fixed_power::{Powf, Powi};
pub use grid::{GridMode, GridPadding, GridSampleOptions};
pub use linalg::{LuFactors, MatrixError, MatrixNorm, SvdFactors};
pub(crate) use orders::{BesselI, ErfcxDerivative, Polygamma, SincDerivative};
pub use pool::{Pool1dOptions, Pool2dOptions, Pool3dOptions, PoolOptions};
pub use quantile::QuantileMethod;
pub(crate) use reshape::embedded;
pub use scatter::{ScatterReduce, Segments};
pub(crate) use unary::*;

use wengert_tensor::{Element, Float, Shape, Tensor};

/// The elements of a tensor that was made contiguous, for a kernel.
fn slice<T: Element>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous before")
}

/// What a kernel makes of the elements of some tensors, of that shape.
#[track_caller]
fn written<T: Float, const N: usize>(
    operation: &str,
    shape: &Shape,
    inputs: [&Tensor<T>; N],
    kernel: impl FnOnce([&[T]; N], &mut [T]),
) -> Tensor<T> {
    let inputs = inputs.map(Tensor::contiguous);
    Tensor::written_for(operation, shape, |out| kernel(inputs.each_ref().map(slice), out))
}
