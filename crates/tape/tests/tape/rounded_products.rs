//! Derivatives of products whose operands are rounded to bfloat16.

use wengert_tape::{Ran, Var, compile, grad, hvp};
use wengert_tensor::Tensor;
use wengert_tensor::gemm::with_bf16_products;
use wengert_tensor::random::Generator;

fn loss(x: &Var<f32>, weight: &Var<f32>) -> Var<f32> {
    x.matmul(weight).tanh().matmul(&weight.t()).square().mean()
}

#[test]
fn of_first_and_second_order_are_near_those_of_full_precision() {
    let mut rng = Generator::seeded(5);
    let x = Var::constant(Tensor::normal([48, 40], 0.0, 1.0, &mut rng));
    let weight = Var::constant(Tensor::normal([40, 64], 0.0, 0.2, &mut rng));
    let along = Var::constant(Tensor::normal([40, 64], 0.0, 1.0, &mut rng));
    let f = |w: &Var<f32>| loss(&x, w);
    for (full, rounded) in [
        (grad(f, &weight), with_bf16_products(|| grad(f, &weight))),
        (hvp(f, &weight, &along), with_bf16_products(|| hvp(f, &weight, &along))),
    ] {
        let error = (&full - &rounded).square().sum().sqrt() / full.square().sum().sqrt();
        assert!(error.item() < 0.02 && error.item() > 0.0, "{error:?}");
    }
}

/// A recording is run as it is asked for: what is rounded is no part of it.
#[test]
fn of_recordings_have_the_bits_of_what_is_recorded_anew() {
    let mut rng = Generator::seeded(6);
    let mut tensor = |shape| Tensor::<f32>::normal(shape, 0.0, 0.3, &mut rng);
    let (x, weight) = (tensor([32, 24]), tensor([24, 48]));
    let (x, weight) = (Var::constant(x), Var::constant(weight));
    let slope = |(x, weight): &(Var<f32>, Var<f32>)| grad(|w: &Var<f32>| loss(x, w), weight);
    let inputs = (x, weight);
    let (full, rounded) = (slope(&inputs), with_bf16_products(|| slope(&inputs)));
    assert_ne!(full.value(), rounded.value());
    let mut recorded = compile(slope);
    assert_eq!(recorded.call(&inputs).value(), full.value());
    assert_eq!(with_bf16_products(|| recorded.call(&inputs)).value(), rounded.value());
    assert_eq!(*recorded.ran(), Ran::Replayed);
    assert_eq!(recorded.call(&inputs).value(), full.value());
}
