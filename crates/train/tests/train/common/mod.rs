//! A small model with everything that a run has to remember.

use wengert_data::{Dataset, Features, synthetic};
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Layer, Linear, Params};
use wengert_tape::Var;
use wengert_tensor::Tensor;

/// Linear, batch normalisation, dropout, linear.
pub(crate) struct Model {
    hidden: Linear,
    norm: BatchNorm1d,
    dropout: Dropout,
    out: Linear,
}

impl Model {
    pub(crate) fn new() -> (Params, Self) {
        let mut params = Params::seeded(1);
        let model = Model {
            hidden: Linear::new(params.at("hidden"), 784, 8),
            norm: BatchNorm1d::new(params.at("norm"), 8),
            dropout: Dropout::new(0.3),
            out: Linear::new(params.at("out"), 8, 10),
        };
        (params, model)
    }

    pub(crate) fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        let hidden = self.norm.forward(cx, &self.hidden.forward(cx, x)).relu();
        self.out.forward(cx, &self.dropout.forward(cx, &hidden))
    }
}

type Digits = Dataset<(Features, Tensor<u32>)>;

/// 50 digits to learn from, 30 to measure on.
pub(crate) fn data() -> (Digits, Digits) {
    (synthetic::digits(50, 0), synthetic::digits(30, 1))
}
