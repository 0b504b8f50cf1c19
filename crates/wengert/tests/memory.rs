//! A training loop holds no more memory after ten thousand steps than after a hundred.

#[path = "models/common/mod.rs"]
mod common;

use wengert::prelude::*;
use wengert::tensor::memory::stats;

#[test]
fn ten_thousand_steps_allocate_nothing() {
    let mut params: Params = Params::seeded(0);
    let model = common::perceptron(&mut params, &[12, 16, 5], Relu);
    let mut adam = Adam::new(1e-3);
    let x = Var::constant(Tensor::<f32>::linspace(-1.0, 1.0, 8 * 12).reshape([8, 12]));
    let labels = Tensor::<u32>::from([0, 1, 2, 3, 4, 0, 1, 2]);
    let mut steps = |count: usize| {
        for _ in 0..count {
            let loss = |cx: &Ctx| model.forward(cx, &x).cross_entropy(&labels);
            let (_, grads) = params.value_and_grad(loss).unwrap();
            adam.step(&mut params.values_mut(), &grads);
        }
        stats()
    };
    let warm = steps(100);
    assert!(warm.live_buffers > 0 && warm.system_allocations > 0, "the counters count: {warm:?}");
    assert_eq!(steps(10_000), warm);
}

#[test]
fn steps_on_fresh_batches_allocate_nothing() {
    let digits = wengert::data::synthetic::digits(500, 0);
    let mut params: Params = Params::seeded(0);
    let model = common::perceptron(&mut params, &[784, 16, 10], Relu);
    let mut adam = Adam::new(1e-3);
    let mut epoch = |seed: u64| {
        // 64 does not divide 500: the last batch is another size.
        for (images, labels) in digits.batches(64).shuffled(seed) {
            let loss = |cx: &Ctx| model.forward(cx, &images).cross_entropy(&labels);
            let (_, grads) = params.value_and_grad(loss).unwrap();
            adam.step(&mut params.values_mut(), &grads);
        }
        stats()
    };
    let warm = [epoch(0), epoch(1)][1];
    let late = (2..20).map(epoch).last().unwrap();
    assert_eq!(late, warm);
}

#[test]
fn steps_of_a_run_allocate_nothing() {
    let digits = wengert::data::synthetic::digits(500, 0);
    let mut params: Params = Params::seeded(0);
    let model = common::perceptron(&mut params, &[784, 16, 10], Relu);
    let mut run = Trainer::new(&mut params, Adam::new(1e-3)).start().unwrap();
    let mut seen = Vec::new();
    for epoch in run.epochs(20).unwrap() {
        for (images, labels) in epoch.batches(digits.batches(64).shuffled(0)).unwrap() {
            run.step(|cx| model.forward(cx, &images).cross_entropy(&labels)).unwrap();
        }
        seen.push(stats());
    }
    assert_eq!(seen[19], seen[1]);
}
