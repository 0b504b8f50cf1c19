//! The product with a transposed weight, with and without a bias.

use wengert_tape::{BilinearMap, Cotangents, Op, Point, Saves, Var, apply};
use wengert_tensor::{Float, Shape, Tensor};

/// x·Wᵀ for x of shape `[…, in]` and W of shape `[out, in]`. Unlike a product with a transposed view, its cotangent for W
/// comes in W's own memory layout, so it goes into the flat gradient without a transposition.
#[track_caller]
pub(in crate::layer) fn linear<T: Float>(x: &Var<T>, weight: &Var<T>, bias: Option<&Var<T>>) -> Var<T> {
    if x.rank() < 2 {
        return linear(&x.unsqueeze(0), weight, bias).squeeze(0);
    }
    match bias {
        Some(bias) => apply(Biased, &[x, weight, bias]),
        None => x.bilinear(Map, weight),
    }
}

#[derive(Clone)]
struct Map;

impl<T: Float> BilinearMap<T> for Map {
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
        let [left, right] = factors(cotangent, x);
        into.add_matmul(1.0, &left, &right, 1.0);
    }

    fn right_factors(&self, cotangent: &Tensor<T>, x: &Tensor<T>) -> Option<[Tensor<T>; 2]> {
        Some(factors(cotangent, x))
    }

    fn tangent(&self, [x, weight]: [&Tensor<T>; 2], [t_x, t_weight]: [&Tensor<T>; 2]) -> Tensor<T> {
        let mut sum = t_x.matmul(&weight.t());
        sum.add_matmul(1.0, x, &t_weight.t(), 1.0);
        sum
    }

    fn output_shape(&self, x: &Shape, weight: &Shape) -> Option<Shape> {
        Some(x[..x.len() - 1].iter().copied().chain([weight[0]]).collect())
    }
}

/// x·Wᵀ + b, with b added where the product was written.
struct Biased;

impl<T: Float> Op<T> for Biased {
    fn name(&self) -> &str {
        "linear"
    }

    #[track_caller]
    fn forward(&self, x: &[&Tensor<T>]) -> Tensor<T> {
        Map.forward(x[0], x[1]) + x[2]
    }

    fn vjp(&self, at: &Point<T>, cotangent: &Var<T>, into: &mut Cotangents<T>) {
        // Behind the weight in the flat gradient, and so before it.
        into.add_all(2, || cotangent.clone());
        Map.vjp(at, cotangent, into);
    }

    fn jvp(&self, at: &Point<T>, tangents: &[Option<Var<T>>]) -> Option<Var<T>> {
        let product = Map.jvp(at, tangents);
        Some(match (product, &tangents[2]) {
            (Some(product), Some(t)) => [product, t.clone()].into_iter().sum(),
            (None, Some(t)) => t.broadcast_to(at.output().shape()),
            (product, None) => return product,
        })
    }

    fn saves(&self) -> Saves {
        Saves::INPUTS
    }

    fn output_shape(&self, inputs: &[&Shape]) -> Option<Shape> {
        BilinearMap::<T>::output_shape(&Map, inputs[0], inputs[1])
    }
}

/// Matrices whose product is the cotangent of the weight.
fn factors<T: Float>(cotangent: &Tensor<T>, x: &Tensor<T>) -> [Tensor<T>; 2] {
    let matrix = |t: &Tensor<T>| t.reshape([t.len() / t.dim(-1).max(1), t.dim(-1)]);
    [matrix(cotangent).t(), matrix(x)]
}

/// All axes but the last as one.
fn rows<T: Float>(x: &Var<T>) -> Var<T> {
    if x.rank() == 2 {
        return x.clone();
    }
    let features = x.shape()[x.rank() - 1];
    x.reshape([x.len() / features.max(1), features])
}
