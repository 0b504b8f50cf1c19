//! Networks that several tests train.
#![allow(dead_code, reason = "no test uses all of it")]

use wengert::nn::SequentialBuilder;
use wengert::prelude::*;
use wengert::tape::Pool2dOptions;
use wengert::tensor::conv::Conv2dOptions;

/// Fully connected layers of these sizes with `activation` in between.
pub(crate) fn perceptron<T: Float>(
    params: &mut Params<T>,
    sizes: &[usize],
    activation: impl Layer<T> + Copy + 'static,
) -> Sequential<T> {
    connected(Sequential::builder(params.root()), sizes, activation).build()
}

/// LeNet: two convolutions of `channels` with kernels 5×5 and `kernel`, each followed by ReLU and max pooling, then
/// fully connected layers of these sizes.
pub(crate) fn lenet<T: Float>(
    params: &mut Params<T>,
    channels: [usize; 2],
    kernel: usize,
    sizes: &[usize],
) -> Sequential<T> {
    let [first, second] = channels;
    let layers = Sequential::builder(params.root())
        .with(|p| Convolution::new(p, 1, first, 5, 2))
        .then(Relu)
        .then(HalvingPool)
        .with(|p| Convolution::new(p, first, second, kernel, 0))
        .then(Relu)
        .then(HalvingPool)
        .then(Flat);
    connected(layers, sizes, Relu).build()
}

fn connected<'a, T: Float>(
    mut layers: SequentialBuilder<'a, T>,
    sizes: &[usize],
    activation: impl Layer<T> + Copy + 'static,
) -> SequentialBuilder<'a, T> {
    for (i, pair) in sizes.windows(2).enumerate() {
        if i > 0 {
            layers = layers.then(activation);
        }
        layers = layers.with(|p| Linear::new(p, pair[0], pair[1]));
    }
    layers
}

struct Convolution {
    weight: ParamId,
    bias: ParamId,
    options: Conv2dOptions,
}

impl Convolution {
    fn new<T: Float>(
        mut p: Scope<'_, T>,
        channels: usize,
        out: usize,
        kernel: usize,
        padding: usize,
    ) -> Self {
        Convolution {
            weight: p.param("weight", [out, channels, kernel, kernel], Init::pytorch_weight()),
            bias: p.param("bias", [out], Init::pytorch_bias(channels * kernel * kernel)),
            options: Conv2dOptions { padding: [padding; 2], ..Conv2dOptions::default() },
        }
    }
}

impl<T: Float> Layer<T> for Convolution {
    fn forward(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        x.conv2d(&cx.param(self.weight), Some(&cx.param(self.bias)), self.options)
    }
}

struct HalvingPool;

impl<T: Float> Layer<T> for HalvingPool {
    fn forward(&self, _: &Ctx<T>, x: &Var<T>) -> Var<T> {
        x.max_pool2d(Pool2dOptions::new([2, 2]))
    }
}

struct Flat;

impl<T: Float> Layer<T> for Flat {
    fn forward(&self, _: &Ctx<T>, x: &Var<T>) -> Var<T> {
        x.flatten(1, -1)
    }
}
