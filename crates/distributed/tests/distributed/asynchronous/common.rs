//! A small network with everything in it that ranks have to treat rightly.

use wengert_data::Dataset;
use wengert_nn::{BatchNorm1d, Ctx, Dropout, Layer, Linear, Losses, Params};
use wengert_optim::Optimizer;
use wengert_tape::Var;
use wengert_tensor::Tensor;
use wengert_train::{Training, accuracy};

/// Two layers with batch normalisation and dropout between them.
pub(crate) struct Net {
    hidden: Linear,
    norm: BatchNorm1d,
    dropout: Dropout,
    out: Linear,
}

impl Net {
    pub(crate) fn build() -> (Params, Net) {
        let mut params = Params::seeded(3);
        let hidden = Linear::new(params.at("hidden"), 784, 16);
        let norm = BatchNorm1d::new(params.at("norm"), 16);
        let out = Linear::new(params.at("out"), 16, 10);
        (params, Net { hidden, norm, dropout: Dropout::new(0.1), out })
    }

    pub(crate) fn loss(&self, cx: &Ctx, images: &Var, labels: &Tensor<u32>) -> Var {
        self.forward(cx, images).cross_entropy(labels)
    }
}

impl Layer for Net {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        let hidden = self.norm.forward(cx, &self.hidden.forward(cx, x)).relu();
        self.out.forward(cx, &self.dropout.forward(cx, &hidden))
    }
}

/// The bits of all parameters and running statistics.
pub(crate) fn bits(params: &Params) -> Vec<u32> {
    let buffers = params.buffers().into_iter().flat_map(|(_, buffer)| buffer.to_vec());
    let counts = params.counts().into_iter().map(|(_, count)| count as u32);
    params.values().iter().copied().chain(buffers).map(f32::to_bits).chain(counts).collect()
}

/// The accuracy of the network with these parameters and running statistics.
pub(crate) fn reached(trained: &Params, data: &Dataset) -> f64 {
    let (mut params, net) = Net::build();
    params.load_state(&trained.state()).unwrap();
    accuracy(&net, &params, data)
}

/// Training of one process, step after step, with the rate of a schedule if there is one.
pub(crate) fn serial(
    data: &Dataset,
    epochs: u64,
    mut optimizer: Box<dyn Optimizer>,
    rate: Option<&dyn Fn(u64) -> f64>,
) -> Params {
    let (mut params, net) = Net::build();
    let mut step = 0;
    for epoch in 0..epochs {
        for (images, labels) in data.batches(20).shuffled(7).epoch(epoch) {
            if let Some(rate) = rate {
                optimizer.set_learning_rate(rate(step));
            }
            params.train_step(&mut *optimizer, |cx| net.loss(cx, &images, &labels)).unwrap();
            step += 1;
        }
    }
    let mut shown = params.values().to_vec();
    optimizer.write_evaluation(params.values(), &mut shown);
    params.set_values(&shown);
    params
}
