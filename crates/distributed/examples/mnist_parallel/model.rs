//! 784-128-10.

use wengert_data::Batches;
use wengert_nn::{Ctx, Layer, Linear, Params};
use wengert_tape::Var;

/// A network with one hidden layer.
pub(crate) struct Net {
    hidden: Linear,
    out: Linear,
}

impl Net {
    pub(crate) fn new(params: &mut Params) -> Self {
        Net {
            hidden: Linear::new(params.at("hidden"), 784, 128),
            out: Linear::new(params.at("out"), 128, 10),
        }
    }

    pub(crate) fn scores(&self, cx: &Ctx, images: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, images).relu())
    }
}

/// The share of examples whose class is the one with the highest score.
pub(crate) fn accuracy(net: &Net, params: &Params, batches: Batches) -> f64 {
    let (mut right, mut all) = (0.0, 0.0);
    for (images, labels) in batches {
        let scores = params.infer(|cx| net.scores(cx, &images));
        right += wengert_nn::accuracy(&scores, &labels) * labels.len() as f64;
        all += labels.len() as f64;
    }
    right / all
}
