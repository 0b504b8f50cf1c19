//! The methods of tensors: each checks what it is given, finds the shape of its result, and calls a loop or a kernel.

mod arithmetic;
mod compare;
mod cross_entropy;
mod diagonal;
pub(crate) mod distance;
mod extremes;
pub(crate) mod index;
mod join;
pub(crate) mod logic;
pub(crate) mod matmul;
mod moments;
mod norm;
mod order;
mod prod;
mod sample;
mod scan;
pub(crate) mod scatter;
mod select;
mod softmax;
mod sort;
pub(crate) mod sum;
pub(crate) mod unary;
pub(crate) mod view;

use crate::array::element::Element;
use crate::array::tensor::Tensor;

#[track_caller]
fn assert_same_shape<T: Element>(operation: &str, a: &Tensor<T>, b: &Tensor<T>) {
    assert!(a.shape() == b.shape(), "{operation}: shapes {} and {} differ", a.shape(), b.shape());
}
