//! The two affine maps of a layer, with an activation between them.

use wengert_tape::Var;
use wengert_tensor::Float;

use crate::ctx::Ctx;
use crate::layer::{Activations, Dropout, Layer, Linear};
use crate::params::Scope;

/// What stands between the two affine maps of a transformer's layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeedForward {
    /// max(x, 0), the default, as in PyTorch.
    #[default]
    Relu,
    /// x · Φ(x): BERT's.
    Gelu,
    /// Its approximation by a hyperbolic tangent: GPT-2's.
    GeluTanh,
    /// x · σ(x).
    Silu,
    /// silu(a) · b of the two halves a and b of what `linear1` gives, which is twice as wide (Shazeer, "GLU variants
    /// improve transformer", 2020): Llama's.
    SwiGlu,
}

impl FeedForward {
    fn apply<T: Float>(self, x: &Var<T>) -> Var<T> {
        match self {
            FeedForward::Relu => x.relu(),
            FeedForward::Gelu => x.gelu(),
            FeedForward::GeluTanh => x.gelu_tanh(),
            FeedForward::Silu => x.silu(),
            FeedForward::SwiGlu => {
                let halves = x.chunk(2, -1);
                halves[0].silu() * &halves[1]
            }
        }
    }
}

/// `linear1`, the activation, dropout and `linear2`.
#[derive(Clone, Debug)]
pub(super) struct FeedForwardNet {
    linear1: Linear,
    linear2: Linear,
    activation: FeedForward,
    dropout: Dropout,
}

impl FeedForwardNet {
    #[track_caller]
    pub(super) fn new<T: Float>(p: &mut Scope<'_, T>, options: &super::TransformerBuilder) -> Self {
        let activation = options.activation;
        let wide =
            if activation == FeedForward::SwiGlu { 2 * options.feed_forward } else { options.feed_forward };
        FeedForwardNet {
            linear1: options.linear(options.width, wide).build(p.at("linear1")),
            linear2: options.linear(options.feed_forward, options.width).build(p.at("linear2")),
            activation,
            dropout: Dropout::new(options.dropout),
        }
    }

    #[track_caller]
    pub(super) fn forward<T: Float>(&self, cx: &Ctx<T>, x: &Var<T>) -> Var<T> {
        let hidden = self.activation.apply(&self.linear1.forward(cx, x));
        self.linear2.forward(cx, &self.dropout.forward(cx, &hidden))
    }
}
