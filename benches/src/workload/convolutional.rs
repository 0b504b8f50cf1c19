//! Training convolutional networks on a batch of 64 images of 1×28×28.

use wengert::nn::SequentialBuilder;
use wengert::prelude::*;
use wengert::tape::Pool2dOptions;
use wengert::tensor::conv::Conv2dOptions;

use super::data::Data;
use super::problem::Problem;
use super::training::adam;
use super::{Floor, Workload};
use wengert::optim::first::SgdConfig;

/// Images in a batch.
const IMAGES: usize = 64;

/// Two convolutions and three fully connected layers, SGD with momentum.
pub(super) fn lenet() -> Workload {
    lenet_problem().training(sgd()).floor(lenet_floor())
}

/// [`lenet`], replayed.
pub(super) fn lenet_replay() -> Workload {
    lenet_problem().replayed_training(sgd()).floor(lenet_floor())
}

fn sgd() -> Sgd {
    let config = SgdConfig { momentum: 0.9, ..SgdConfig::default() };
    Sgd::with_config(0.01, config).expect("0.9 is a momentum")
}

fn lenet_floor() -> Floor {
    Floor::default()
        .products(2, [IMAGES * 28 * 28, 6, 25])
        .products(3, [IMAGES * 10 * 10, 16, 6 * 25])
        .products(3, [IMAGES, 120, 400])
        .products(3, [IMAGES, 84, 120])
        .products(3, [IMAGES, 10, 84])
}

fn lenet_problem() -> Problem {
    problem(|layers| {
        layers
            .with(|p| Convolution::new(p, 1, 6, 5, 2))
            .then(Relu)
            .then(HalvingPool)
            .with(|p| Convolution::new(p, 6, 16, 5, 0))
            .then(Relu)
            .then(HalvingPool)
            .then(Flat)
            .with(|p| Linear::new(p, 400, 120))
            .then(Relu)
            .with(|p| Linear::new(p, 120, 84))
            .then(Relu)
            .with(|p| Linear::new(p, 84, 10))
    })
}

/// Two convolutions of 3×3 with 32 and 64 channels and two fully connected layers, Adam.
pub(super) fn cnn() -> Workload {
    let floor = Floor::default()
        .products(2, [IMAGES * 26 * 26, 32, 9])
        .products(3, [IMAGES * 24 * 24, 64, 32 * 9])
        .products(3, [IMAGES, 128, 9216])
        .products(3, [IMAGES, 10, 128]);
    cnn_problem().training(adam()).floor(floor)
}

/// The model of [`cnn`] and its loss.
pub(super) fn cnn_problem() -> Problem {
    problem(|layers| {
        layers
            .with(|p| Convolution::new(p, 1, 32, 3, 0))
            .then(Relu)
            .with(|p| Convolution::new(p, 32, 64, 3, 0))
            .then(Relu)
            .then(HalvingPool)
            .then(Flat)
            .with(|p| Linear::new(p, 9216, 128))
            .then(Relu)
            .with(|p| Linear::new(p, 128, 10))
    })
}

fn problem(layers: impl FnOnce(SequentialBuilder<'_>) -> SequentialBuilder<'_>) -> Problem {
    let mut data = Data::seeded(0);
    let (x, labels) = (data.normal_var([IMAGES, 1, 28, 28]), data.labels(IMAGES, 10));
    let mut params = Params::seeded(1);
    let model = layers(Sequential::builder(params.root())).build();
    Problem::classifying(params, x, labels, move |cx, x| model.forward(cx, x))
}

/// A convolution of stride 1 with bias.
struct Convolution {
    weight: ParamId,
    bias: ParamId,
    options: Conv2dOptions,
}

impl Convolution {
    fn new(mut p: Scope<'_>, channels: usize, out: usize, kernel: usize, padding: usize) -> Self {
        let fan_in = channels * kernel * kernel;
        Convolution {
            weight: p.param("weight", [out, channels, kernel, kernel], Init::pytorch_weight()),
            bias: p.param("bias", [out], Init::pytorch_bias(fan_in)),
            options: Conv2dOptions { padding: [padding; 2], ..Conv2dOptions::default() },
        }
    }
}

impl Layer for Convolution {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        x.conv2d(&cx.param(self.weight), Some(&cx.param(self.bias)), self.options)
    }
}

/// The maxima of windows of 2×2.
struct HalvingPool;

impl Layer for HalvingPool {
    fn forward(&self, _: &Ctx, x: &Var) -> Var {
        x.max_pool2d(Pool2dOptions::new([2, 2]))
    }
}

/// Every image as a vector.
struct Flat;

impl Layer for Flat {
    fn forward(&self, _: &Ctx, x: &Var) -> Var {
        x.flatten(1, -1)
    }
}
