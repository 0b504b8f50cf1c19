//! Training a residual block of convolutions with normalisation.

use wengert::nn::{BatchNorm2d, Conv2d};
use wengert::prelude::*;

use super::data::Data;
use super::problem::Problem;
use super::training::adam;
use super::{Floor, Workload};

const IMAGES: usize = 32;
const CHANNELS: usize = 64;
const SIDE: usize = 28;

/// relu(x + norm(conv(relu(norm(conv x))))) with 3×3 convolutions of 64 channels, on 32 images of 28×28; mean squared
/// error against a random target, Adam.
pub(super) fn resnet_block() -> Workload {
    let mut data = Data::seeded(0);
    let [x, target] = [(); 2].map(|()| data.normal_var([IMAGES, CHANNELS, SIDE, SIDE]));
    let mut params = Params::seeded(1);
    let [first, second] = ["first", "second"].map(|name| Normalised::new(params.at(name)));
    let outputs = move |cx: &Ctx, x: &Var| (x + second.forward(cx, &first.forward(cx, x).relu())).relu();
    let floor = Floor::default().products(2 + 3, [IMAGES * SIDE * SIDE, CHANNELS, 9 * CHANNELS]);
    Problem::fitting(params, x, target, outputs).training(adam()).floor(floor)
}

struct Normalised {
    convolution: Conv2d,
    norm: BatchNorm2d,
}

impl Normalised {
    fn new(mut p: Scope<'_>) -> Self {
        let convolution = Conv2d::builder(CHANNELS, CHANNELS, 3).padding(1).no_bias().build(p.at("conv"));
        Normalised { convolution, norm: BatchNorm2d::new(p.at("norm"), CHANNELS) }
    }
}

impl Layer for Normalised {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.norm.forward(cx, &self.convolution.forward(cx, x))
    }
}
