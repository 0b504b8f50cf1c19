//! Training where gradients explode.

use wengert::nn::Rnn;
use wengert::optim::clip_by_global_norm;
use wengert::prelude::*;

use crate::normal;

/// The norm of each gradient and the loss before each step.
pub(crate) struct Run {
    pub(crate) norms: Vec<f64>,
    pub(crate) losses: Vec<f64>,
}

/// A network of rectified units learns the mean of what it has read, by plain descent, with gradients clipped to a norm or
/// not. Its recurrent weights start too large.
pub(crate) fn train(limit: Option<f64>, steps: u64, seed: u64) -> wengert::Result<Run> {
    let (length, batch, hidden) = (40, 16, 24);
    let mut params: Params<f64> = Params::seeded(seed);
    let rnn = Rnn::builder(1, hidden).relu().build(params.at("rnn"));
    let out = Linear::new(params.at("out"), hidden, 1);
    let id = params.id("rnn.weight_hh_l0").expect("the layer has it");
    params.slice_mut(id).iter_mut().for_each(|w| *w *= 2.5);
    let mut random = Generator::seeded(seed);
    let mut sgd = Sgd::<f64>::new(0.02);
    let mut run = Run { norms: Vec::new(), losses: Vec::new() };
    for _ in 0..steps {
        let x = normal([length, batch, 1], &mut random);
        let target = x.mean_axes(0, false);
        let (loss, grads) = params.value_and_grad(|cx| {
            let (_, h) = rnn.run(cx, &x, None);
            out.forward(cx, &h.select(0, 0)).mse(&target)
        })?;
        let mut grads = grads.to_vec();
        run.norms.push(clip_by_global_norm(&mut grads, limit.unwrap_or(f64::INFINITY)));
        run.losses.push(loss);
        sgd.step(&mut params.values_mut(), &grads);
    }
    Ok(run)
}
