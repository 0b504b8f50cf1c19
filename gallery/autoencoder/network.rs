//! The autoencoder.

use wengert::nn::BceWithLogits;
use wengert::prelude::*;

const WIDTHS: [usize; 9] = [784, 1000, 500, 250, 30, 250, 500, 1000, 784];
/// The layer whose outputs are the code: linear, where the others are logistic.
const CODE: usize = 3;
/// Connections into each unit that are not 0 at the start.
const CONNECTIONS: usize = 15;

pub(crate) struct Autoencoder {
    layers: Vec<Linear>,
}

/// How well images are reconstructed: means over images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Score {
    /// Σ (pixel − reconstruction)².
    pub squares: f64,
    /// Σ cross-entropy of the pixels, in nats.
    pub cross_entropy: f64,
}

impl Autoencoder {
    /// With Martens' sparse start: each unit has 15 incoming weights, drawn from the standard normal distribution, the
    /// others and the biases are 0. ("Deep learning via Hessian-free optimization", 2010, §5.)
    pub(crate) fn new(seed: u64) -> (Self, Params) {
        let mut params = Params::seeded(seed);
        let mut generator = Generator::seeded(seed);
        let mut layers = Vec::new();
        for (i, pair) in WIDTHS.windows(2).enumerate() {
            let layer = Linear::builder(pair[0], pair[1])
                .weight(Init::Zeros)
                .bias(Init::Zeros)
                .build(params.at(format!("layer{i}")));
            for unit in params.slice_mut(layer.weight()).chunks_exact_mut(pair[0]) {
                let mut weights = [0.0; CONNECTIONS];
                generator.fill_normal(&mut weights, 0.0, 1.0);
                let inputs = generator.permutation(pair[0]);
                for (input, weight) in inputs.into_iter().zip(weights) {
                    unit[input as usize] = weight;
                }
            }
            layers.push(layer);
        }
        (Autoencoder { layers }, params)
    }

    /// The logits of the pixels.
    pub(crate) fn forward(&self, cx: &Ctx, images: &Var) -> Var {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(images.clone(), |x, (i, layer)| {
            let x = layer.forward(cx, &x);
            if i == CODE || i == last { x } else { x.sigmoid() }
        })
    }

    /// The cross-entropy of the pixels, summed over an image, mean over images.
    pub(crate) fn loss(logits: &Var, images: &Var) -> Var {
        BceWithLogits::default().loss(logits, images) * images.shape()[1] as f64
    }

    pub(crate) fn score(&self, params: &Params, data: &Dataset) -> Score {
        let (images, _) = data.all();
        let (squares, cross_entropy) = params.infer(|cx| {
            let logits = self.forward(cx, &images);
            let squares = (logits.sigmoid() - &images).square().sum() / data.len() as f64;
            (squares.item(), Self::loss(&logits, &images).item())
        });
        Score { squares: squares.into(), cross_entropy: cross_entropy.into() }
    }
}
