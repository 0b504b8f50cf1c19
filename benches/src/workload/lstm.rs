//! Training a long short-term memory.

use wengert::nn::Lstm;
use wengert::prelude::*;

use super::data::Data;
use super::problem::Problem;
use super::training::adam;
use super::{Floor, Workload};

const STEPS: usize = 100;
const BATCH: usize = 64;
const WIDTH: usize = 128;

/// Two layers of 128 units over 100 steps of 64 sequences of 128 features, the last state classified; Adam.
pub(super) fn lstm() -> Workload {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([STEPS, BATCH, WIDTH]), data.labels(BATCH, 10));
    let mut params = Params::seeded(1);
    let layers = Lstm::builder(WIDTH, WIDTH).layers(2).build(params.at("lstm"));
    let out = Linear::new(params.at("out"), WIDTH, 10);
    let outputs = move |cx: &Ctx, x: &Var| out.forward(cx, &layers.forward(cx, x).select(0, -1));
    // The first layer's input is data; the first states are zero.
    let of_inputs = |count| Floor::default().products(count, [STEPS * BATCH, 4 * WIDTH, WIDTH]).operations;
    let floor = Floor::default()
        .arithmetic(of_inputs(2) + of_inputs(3))
        .products(3 * 2 * (STEPS - 1), [BATCH, 4 * WIDTH, WIDTH])
        .products(3, [BATCH, 10, WIDTH]);
    Problem::classifying(params, x, labels, outputs).training(adam()).floor(floor)
}
