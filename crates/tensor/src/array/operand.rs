//! What may stand on the other side of a binary operation.

use crate::array::element::{Element, Float};
use crate::array::tensor::Tensor;

/// A tensor or a number, for methods such as [`Tensor::maximum`] and [`Tensor::gt`] that take either.
///
/// ```
/// use wengert_tensor::Tensor;
/// let x = Tensor::from([1.0f64, 3.0]);
/// // A number or a tensor.
/// assert_eq!(x.maximum(2.0).to_vec(), [2.0, 3.0]);
/// assert_eq!(x.maximum(&Tensor::from([5.0, 0.0])).to_vec(), [5.0, 3.0]);
/// ```
pub trait Operand<T: Element> {
    /// The operand as a tensor; a number becomes one without axes, which broadcasts to any shape.
    fn to_tensor(&self) -> Tensor<T>;
}

impl<T: Element> Operand<T> for Tensor<T> {
    fn to_tensor(&self) -> Tensor<T> {
        self.clone()
    }
}

impl<T: Element> Operand<T> for &Tensor<T> {
    fn to_tensor(&self) -> Tensor<T> {
        (*self).clone()
    }
}

// With two number types, a literal such as `2.0` falls back to `f64`, whatever the tensor's type.
impl<T: Float> Operand<T> for f64 {
    fn to_tensor(&self) -> Tensor<T> {
        Tensor::scalar(T::from_f64(*self))
    }
}

impl<T: Float> Operand<T> for f32 {
    fn to_tensor(&self) -> Tensor<T> {
        Tensor::scalar(T::from_f64(f64::from(*self)))
    }
}

impl Operand<u32> for u32 {
    fn to_tensor(&self) -> Tensor<u32> {
        Tensor::scalar(*self)
    }
}

impl Operand<u8> for u8 {
    fn to_tensor(&self) -> Tensor<u8> {
        Tensor::scalar(*self)
    }
}
