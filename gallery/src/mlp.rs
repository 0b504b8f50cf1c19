//! The network that optimisers are compared on.

use wengert::prelude::*;

/// 784-128-10 with rectified units.
pub struct Mlp {
    hidden: Linear,
    out: Linear,
}

impl Mlp {
    /// With PyTorch's initial values.
    pub fn new(p: &mut Params) -> Self {
        Mlp { hidden: Linear::new(p.at("hidden"), 784, 128), out: Linear::new(p.at("out"), 128, 10) }
    }
}

impl Layer for Mlp {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, x).relu())
    }
}
