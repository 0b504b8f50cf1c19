//! Training gives the same bits for any number of threads.

use wengert::prelude::*;
use wengert::tensor::parallel::with_threads;

const STEPS: usize = 20;

/// Parameters after some steps on `x`, and the loss of each step.
fn trained(build: fn(&mut Params) -> Sequential, image: &[usize]) -> (Vec<u32>, Vec<u32>) {
    let mut params = Params::seeded(0);
    let model = build(&mut params);
    let mut generator = Generator::seeded(1);
    let x: Tensor = Tensor::written(image, |out| generator.fill_normal(out, 0.0, 1.0));
    let (x, labels) = (Var::constant(x), Tensor::from_fn([image[0]], |i| (i[0] % 10) as u32));
    let mut adam = Adam::new(1e-3);
    let step = |_| {
        let loss = |cx: &Ctx| model.forward(cx, &x).cross_entropy(&labels);
        let (value, grads) = params.value_and_grad(loss).unwrap();
        adam.step(&mut params.values_mut(), &grads);
        value.to_bits()
    };
    let losses = (0..STEPS).map(step).collect();
    (losses, params.values().iter().map(|p| p.to_bits()).collect())
}

fn same_for_all_thread_counts(build: fn(&mut Params) -> Sequential, image: &[usize]) {
    let (losses, params) = with_threads(1, || trained(build, image));
    assert!(losses.first() != losses.last(), "nothing was trained");
    for count in [2, 3, 8] {
        let (other_losses, other_params) = with_threads(count, || trained(build, image));
        assert_eq!(losses, other_losses, "losses with {count} threads");
        assert!(params == other_params, "parameters with {count} threads");
    }
}

#[test]
fn perceptron() {
    // Large enough that products, elementwise loops and the update are split.
    same_for_all_thread_counts(
        |params| crate::common::perceptron(params, &[784, 300, 10], Relu),
        &[256, 784],
    );
}

#[test]
fn convolutional_network() {
    let build = |params: &mut Params| crate::common::lenet(params, [6, 16], 5, &[400, 84, 10]);
    same_for_all_thread_counts(build, &[32, 1, 28, 28]);
}
