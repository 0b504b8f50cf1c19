//! Other shapes and orders of the same elements.

use wengert_tensor::{Axes, Axis, Dims, Float, Shape, Slice, Tensor};
use wengert_tensor::{flattened, permutation, resolve_dims};

use crate::class::Linear;
use crate::var::Var;

#[derive(Clone)]
struct Reshape(Shape);

impl<T: Float> Linear<T> for Reshape {
    fn name(&self) -> &str {
        "reshape"
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.reshape(&self.0)
    }
    fn transpose(&self, cotangent: &Var<T>, input: &Shape) -> Var<T> {
        cotangent.reshape(input)
    }
    fn output_shape(&self, _: &Shape) -> Option<Shape> {
        Some(self.0.clone())
    }
}

#[derive(Clone)]
struct Permute(Vec<usize>);

impl<T: Float> Linear<T> for Permute {
    fn name(&self) -> &str {
        "permute"
    }
    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.permute(&self.0[..])
    }
    fn transpose(&self, cotangent: &Var<T>, _: &Shape) -> Var<T> {
        let mut inverse = vec![0; self.0.len()];
        for (i, &axis) in self.0.iter().enumerate() {
            inverse[axis] = i;
        }
        cotangent.linear(Permute(inverse))
    }
    fn output_shape(&self, input: &Shape) -> Option<Shape> {
        Some(self.0.iter().map(|&a| input[a]).collect())
    }
}
