//! The transforms along the last axis, as linear maps. With complex numbers as pairs, the transpose of a transform is the
//! one with the other sign.

use wengert_tensor::{Float, Shape, Tensor, fourier};

use crate::class::LinearMap;
use crate::describe::Attributes;
use crate::op::rules_compiled_here;
use crate::ops::slice;
use crate::var::Var;

/// Pairs to pairs, of shape `[…, n, 2]`.
#[derive(Clone)]
pub(super) struct ComplexTransform {
    pub(super) inverse: bool,
    pub(super) scale: f64,
}

impl<T: Float> LinearMap<T> for ComplexTransform {
    fn name(&self) -> &str {
        if self.inverse { "ifft" } else { "fft" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("scale", self.scale);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let (x, n) = (x.contiguous(), x.shape()[x.rank() - 2]);
        Tensor::written(x.shape(), |out| fourier::complex(slice(&x), out, n, self.inverse, self.scale))
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(ComplexTransform { inverse: !self.inverse, scale: self.scale })
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(input.clone())
    }
    rules_compiled_here!(ComplexTransform in LinearOp);
}

/// Numbers `[…, n]` to the first half of their transform, `[…, ⌊n/2⌋ + 1, 2]`, or by the transpose of that. Pairs that have a
/// mirror image in the other half count `interior` times.
#[derive(Clone)]
pub(super) struct HalfTransform {
    pub(super) n: usize,
    /// Towards numbers.
    pub(super) inverse: bool,
    pub(super) interior: f64,
    pub(super) scale: f64,
}

impl HalfTransform {
    fn shape(&self, input: &Shape) -> Vec<usize> {
        let mut shape = input.to_vec();
        if self.inverse {
            shape.pop();
            *shape.last_mut().expect("an axis before the pairs") = self.n;
        } else {
            *shape.last_mut().expect("an axis to transform") = self.n / 2 + 1;
            shape.push(2);
        }
        shape
    }
}

impl<T: Float> LinearMap<T> for HalfTransform {
    fn name(&self) -> &str {
        if self.inverse { "irfft" } else { "rfft" }
    }
    fn describe(&self, attributes: &mut Attributes) {
        attributes.set("n", self.n);
        attributes.set("interior", self.interior);
        attributes.set("scale", self.scale);
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        let kernel = if self.inverse { fourier::half_to_real } else { fourier::real_to_half };
        let x = x.contiguous();
        Tensor::written(self.shape(x.shape()), |out| {
            kernel(slice(&x), out, self.n, self.interior, self.scale)
        })
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.linear(HalfTransform { inverse: !self.inverse, ..self.clone() })
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(Shape::from(self.shape(input)))
    }
    rules_compiled_here!(HalfTransform in LinearOp);
}
