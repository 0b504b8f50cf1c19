//! Training multilayer perceptrons.

use std::hint::black_box;

use wengert::nn::CompiledModel;
use wengert::prelude::*;

use super::data::Data;
use super::problem::Problem;
use super::training::{adam, in_a_run};
use super::{Floor, Workload};

/// 784-128-10, batch 64, Adam.
pub(super) fn small() -> Workload {
    train(&[784, 128, 10], 64)
}

/// 784-1024-1024-10, batch 256, Adam.
pub(super) fn large() -> Workload {
    train(&[784, 1024, 1024, 10], 256)
}

/// The steps of [`small`] in a run of training, in turn with bare ones.
pub(super) fn small_in_a_run() -> Workload {
    let steps = || problem(&[784, 128, 10], 64);
    let (bare, driven) = (steps().training(adam()), in_a_run(steps(), adam()));
    driven.in_gradients(bare.step).note("in place of the gradient: the step without a run")
}

fn train(sizes: &[usize], batch: usize) -> Workload {
    problem(sizes, batch).training(adam()).floor(floor_of(sizes, batch))
}

/// [`small`], replayed.
pub(super) fn small_replay() -> Workload {
    problem(&[784, 128, 10], 64).replayed_training(adam()).floor(floor_of(&[784, 128, 10], 64))
}

/// The products of a train step or, without the optimiser, of a gradient.
pub(super) fn floor_of(sizes: &[usize], batch: usize) -> Floor {
    sizes.windows(2).enumerate().fold(Floor::default(), |floor, (i, pair)| {
        floor.products(if i == 0 { 2 } else { 3 }, [batch, pair[1], pair[0]])
    })
}

/// The scores of one image, 784-128-10.
pub(super) fn infer_image() -> Workload {
    let image = Data::seeded(0).normal_var([1, 784]);
    let mut params = Params::seeded(1);
    let model = perceptron(&mut params, &[784, 128, 10]);
    Workload::new(move || drop(black_box(params.infer(|cx| model.forward(cx, &image)))))
}

/// The same, replayed.
pub(super) fn infer_image_replay() -> Workload {
    let image = Data::seeded(0).normal_var([1, 784]);
    let mut params = Params::seeded(1);
    let model = perceptron(&mut params, &[784, 128, 10]);
    let mut compiled = CompiledModel::new(move |cx: &Ctx, image: &Var| model.forward(cx, image));
    Workload::new(move || drop(black_box(compiled.infer(&params, &image))))
}

/// The mean cross-entropy of 784-128-10 on a batch of 256.
pub(super) fn classifier() -> Problem {
    problem(&[784, 128, 10], 256)
}

fn problem(sizes: &[usize], batch: usize) -> Problem {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([batch, sizes[0]]), data.labels(batch, 10));
    let mut params = Params::seeded(1);
    let model = perceptron(&mut params, sizes);
    Problem::classifying(params, x, labels, move |cx, x| model.forward(cx, x))
}

/// Fully connected layers of these sizes with ReLU in between.
pub(super) fn perceptron(params: &mut Params, sizes: &[usize]) -> Sequential {
    let mut layers = Sequential::builder(params.root());
    for (i, pair) in sizes.windows(2).enumerate() {
        if i > 0 {
            layers = layers.then(Relu);
        }
        layers = layers.with(|p| Linear::new(p, pair[0], pair[1]));
    }
    layers.build()
}
