//! The product with a transposed weight.

use wengert_tape::{Bilinear, Var};
use wengert_tensor::{Float, Shape, Tensor};

/// x·Wᵀ for x of shape `[…, in]` and W of shape `[out, in]`. Unlike a product with a transposed view, its cotangent for W
/// comes in W's own memory layout, so it goes into the flat gradient without a transposition.
#[track_caller]
pub(super) fn linear<T: Float>(x: &Var<T>, weight: &Var<T>) -> Var<T> {
    if x.rank() >= 2 {
        return x.bilinear(Map, weight);
    }
    x.unsqueeze(0).bilinear(Map, weight).squeeze(0)
}

#[derive(Clone)]
struct Map;

impl<T: Float> Bilinear<T> for Map {
    fn name(&self) -> &str {
        "linear"
    }

    #[track_caller]
    fn forward(&self, x: &Tensor<T>, weight: &Tensor<T>) -> Tensor<T> {
        x.matmul(&weight.t())
    }

    fn left(&self, cotangent: &Var<T>, weight: &Var<T>, _: &Shape) -> Var<T> {
        cotangent.matmul(weight)
    }

    fn right(&self, cotangent: &Var<T>, x: &Var<T>, _: &Shape) -> Var<T> {
        rows(cotangent).t().matmul(&rows(x))
    }

    fn add_left(&self, cotangent: &Tensor<T>, weight: &Tensor<T>, into: &mut Tensor<T>) {
        into.add_matmul(1.0, cotangent, weight, 1.0);
    }

    fn add_right(&self, cotangent: &Tensor<T>, x: &Tensor<T>, into: &mut Tensor<T>) {
        let matrix = |t: &Tensor<T>| t.reshape([t.len() / t.dim(-1).max(1), t.dim(-1)]);
        into.add_matmul(1.0, &matrix(cotangent).t(), &matrix(x), 1.0);
    }

    fn output_shape(&self, x: &Shape, weight: &Shape) -> Option<Shape> {
        Some(x[..x.len() - 1].iter().copied().chain([weight[0]]).collect())
    }
}

/// All axes but the last as one.
fn rows<T: Float>(x: &Var<T>) -> Var<T> {
    if x.rank() == 2 {
        return x.clone();
    }
    let features = x.shape()[x.rank() - 1];
    x.reshape([x.len() / features.max(1), features])
}
