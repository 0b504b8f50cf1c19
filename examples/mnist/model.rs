//! The networks.

use wengert::prelude::*;

use crate::arguments::Model;

/// A network from `[batch, 784]` pixels to `[batch, 10]` logits.
pub struct Classifier {
    layers: Sequential,
}

impl Classifier {
    /// A freshly initialised network, its parameters in `p`.
    pub fn new(model: Model, p: &mut Params) -> Self {
        let layers = match model {
            Model::Logistic => Sequential::new(p.root()).add(|p| Linear::new(p, 784, 10)),
            Model::Mlp => Sequential::new(p.root())
                .add(|p| Linear::new(p, 784, 128))
                .add(|_| Relu)
                .add(|p| Linear::new(p, 128, 10)),
            Model::Cnn => Sequential::new(p.root())
                .add(|_| Reshape::new([1, 28, 28]))
                .add(|p| Conv2d::new(p, 1, 16, 5).padding(2))
                .add(|_| Relu)
                .add(|_| MaxPool2d::new(2))
                .add(|p| Conv2d::new(p, 16, 32, 5))
                .add(|_| Relu)
                .add(|_| MaxPool2d::new(2))
                .add(|_| Flatten)
                .add(|p| Linear::new(p, 32 * 5 * 5, 128))
                .add(|_| Relu)
                .add(|_| Dropout::new(0.25))
                .add(|p| Linear::new(p, 128, 10)),
        };
        Classifier { layers: layers.build() }
    }

    /// A table of the layers.
    pub fn summary(&self, params: &Params) -> String {
        self.layers.summary(params, &[1, 784]).to_string()
    }

    /// The share of a data set that is classified correctly.
    pub fn accuracy(&self, params: &Params, data: &Dataset) -> f64 {
        let correct: f64 = data
            .batches(1000)
            .map(|batch| {
                let logits = params.infer(|cx| self.forward(cx, &batch.images));
                accuracy(&logits, &batch.labels) * batch.labels.len() as f64
            })
            .sum();
        correct / data.len() as f64
    }
}

impl Layer for Classifier {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.layers.forward(cx, x)
    }
}
