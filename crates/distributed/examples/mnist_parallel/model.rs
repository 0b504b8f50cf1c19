//! 784-128-10, and how its rate changes.

use wengert_data::Dataset;
use wengert_nn::{Ctx, Layer, Linear, Losses, Params};
use wengert_optim::schedule::{Cosine, Warmup};
use wengert_tape::Var;
use wengert_tensor::Tensor;

/// A network with one hidden layer.
pub(crate) struct Net {
    hidden: Linear,
    out: Linear,
}

impl Net {
    pub(crate) fn build(seed: u64) -> (Params, Net) {
        let mut params = Params::seeded(seed);
        let hidden = Linear::new(params.at("hidden"), 784, 128);
        let out = Linear::new(params.at("out"), 128, 10);
        (params, Net { hidden, out })
    }

    pub(crate) fn loss(&self, cx: &Ctx, images: &Var, labels: &Tensor<u32>) -> Var {
        self.forward(cx, images).cross_entropy(labels)
    }
}

impl Layer for Net {
    fn forward(&self, cx: &Ctx, images: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, images).relu())
    }
}

/// A warm-up over a twentieth of the steps, and a cosine to 0 over the rest.
pub(crate) fn schedule(rate: f64, steps: u64) -> Warmup<Cosine> {
    let warm = steps / 20;
    Warmup::new(warm, Cosine::new(rate, (steps - warm).max(1)))
}

/// The batches of an epoch that `worker` of `workers` computes with.
pub(crate) fn batches(data: &Dataset, size: usize, workers: usize) -> u64 {
    (data.len().div_ceil(size) as u64).div_ceil(workers as u64)
}
