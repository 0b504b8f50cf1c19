//! Layers in the sizes of a small model: forward, and the gradients of their parameters. `peers/torch_models.py` has the same in
//! PyTorch.

use std::hint::black_box;

use wengert::nn::{BatchNorm2d, Conv2d, Embedding, Gru, Lstm, TransformerBuilder};
use wengert::prelude::*;
use wengert::tensor::Shape;

use super::Workload;
use super::data::Data;

/// A layer's output times fixed numbers, summed up, and the gradient of that.
fn step(
    params: Params,
    shape: impl Into<Shape>,
    output: impl Fn(&Ctx) -> Var + 'static,
    data: &mut Data,
) -> Workload {
    let cotangent = data.normal_var(shape);
    Workload::new(move || {
        let gradient = params.value_and_grad(|cx| (output(cx) * &cotangent).sum());
        black_box(gradient.expect("the output depends on all parameters"));
    })
}

/// 28 steps of 64 sequences of 28 features, 128 units.
pub(super) fn gru() -> Workload {
    let mut data = Data::seeded(0);
    let mut params = Params::seeded(1);
    let layer = Gru::new(params.at("gru"), 28, 128);
    let x = data.normal_var([28, 64, 28]);
    step(params, [28, 64, 128], move |cx| layer.forward(cx, &x), &mut data)
}

/// Two layers of 128 units over 100 steps of 64 sequences of 100 features.
pub(super) fn lstm() -> Workload {
    let mut data = Data::seeded(0);
    let mut params = Params::seeded(1);
    let layer = Lstm::builder(100, 128).layers(2).build(params.at("lstm"));
    let x = data.normal_var([100, 64, 100]);
    step(params, [100, 64, 128], move |cx| layer.forward(cx, &x), &mut data)
}

/// 16 sequences of 64 tokens of width 128, with 4 heads and 512 units between.
pub(super) fn encoder() -> Workload {
    let mut data = Data::seeded(0);
    let mut params = Params::seeded(1);
    let layer =
        TransformerBuilder::new(128, 4).feed_forward(512).dropout(0.0).encoder_layer(params.at("layer"));
    let x = data.normal_var([16, 64, 128]);
    step(params, [16, 64, 128], move |cx| layer.forward(cx, &x), &mut data)
}

/// A 3 × 3 convolution of 64 channels, and its normalisation: 32 images of 28 × 28.
pub(super) fn batch_norm() -> Workload {
    let mut data = Data::seeded(0);
    let mut params = Params::seeded(1);
    let convolution = Conv2d::builder(64, 64, 3).padding(1).no_bias().build(params.at("conv"));
    let norm = BatchNorm2d::new(params.at("norm"), 64);
    let x = data.normal_var([32, 64, 28, 28]);
    step(params, [32, 64, 28, 28], move |cx| norm.forward(cx, &convolution.forward(cx, &x)), &mut data)
}

/// 64 sequences of 128 tokens of 10,000, as vectors of 256 numbers.
pub(super) fn embedding() -> Workload {
    let mut data = Data::seeded(0);
    let mut params = Params::seeded(1);
    let layer = Embedding::new(params.at("embedding"), 10_000, 256);
    let tokens = data.labels(64 * 128, 10_000).reshape([64, 128]);
    step(params, [64, 128, 256], move |cx| layer.forward(cx, &tokens), &mut data)
}
