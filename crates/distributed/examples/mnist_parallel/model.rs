//! 784-128-10.

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
}

impl Layer for Net {
    fn forward(&self, cx: &Ctx, images: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, images).relu())
    }
}
