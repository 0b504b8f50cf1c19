//! Training a convolutional network of sequences.

use wengert::nn::Conv1d;
use wengert::prelude::*;

use super::data::Data;
use super::problem::Problem;
use super::training::adam;
use super::{Floor, Workload};

const BATCH: usize = 32;
const LENGTH: usize = 512;
const CHANNELS: [usize; 3] = [32, 64, 64];
const KERNEL: usize = 5;

/// Convolutions of five taps, 32 to 64 to 64 channels, with ReLU, the mean over time classified; 32 sequences of 512, Adam.
pub(super) fn conv1d() -> Workload {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([BATCH, CHANNELS[0], LENGTH]), data.labels(BATCH, 10));
    let mut params = Params::seeded(1);
    let [first, second] = [0, 1].map(|i| {
        let name = ["first", "second"][i];
        Conv1d::builder(CHANNELS[i], CHANNELS[i + 1], KERNEL).padding(KERNEL / 2).build(params.at(name))
    });
    let out = Linear::new(params.at("out"), CHANNELS[2], 10);
    let outputs = move |cx: &Ctx, x: &Var| {
        let hidden = second.forward(cx, &first.forward(cx, x).relu()).relu();
        out.forward(cx, &hidden.mean_axes(-1, false))
    };
    let layer = |floor: Floor, count, i: usize| {
        floor.products(count, [BATCH * LENGTH, CHANNELS[i + 1], KERNEL * CHANNELS[i]])
    };
    let floor = layer(layer(Floor::default(), 2, 0), 3, 1).products(3, [BATCH, 10, CHANNELS[2]]);
    Problem::classifying(params, x, labels, outputs).training(adam()).floor(floor)
}
