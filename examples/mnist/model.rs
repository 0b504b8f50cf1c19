//! The networks.

use wengert::prelude::*;

use crate::arguments::Model;

/// A network from `[batch, 784]` pixels to `[batch, 10]` logits.
pub(crate) struct Classifier {
    layers: Sequential,
}

impl Classifier {
    /// A freshly initialised network, its parameters in `p`. Dropout is for methods that take another mask in each
    /// step: one that minimises a function would fit the network to a single mask.
    pub(crate) fn new(model: Model, dropout: bool, p: &mut Params) -> Self {
        let layers = Sequential::builder(p.root());
        let layers = match model {
            Model::Logistic => layers.with(|p| Linear::new(p, 784, 10)),
            Model::Mlp => {
                layers.with(|p| Linear::new(p, 784, 128)).then(Relu).with(|p| Linear::new(p, 128, 10))
            }
            Model::Cnn => layers
                .then(AsImage)
                .with(|p| Conv2d::builder(1, 16, 5).padding(2).build(p))
                .then(Relu)
                .then(MaxPool2d::new(2))
                .with(|p| Conv2d::new(p, 16, 32, 5))
                .then(Relu)
                .then(MaxPool2d::new(2))
                .then(Flatten::default())
                .with(|p| Linear::new(p, 32 * 5 * 5, 128))
                .then(Relu)
                .then(Dropout::new(if dropout { 0.25 } else { 0.0 }))
                .with(|p| Linear::new(p, 128, 10)),
        };
        Classifier { layers: layers.build() }
    }
}

/// `[batch, 784]` pixels as `[batch, 1, 28, 28]` images.
struct AsImage;

impl Layer for AsImage {
    fn forward(&self, _: &Ctx, x: &Var) -> Var {
        x.reshape([-1, 1, 28, 28])
    }
}

impl Layer for Classifier {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.layers.forward(cx, x)
    }
}
