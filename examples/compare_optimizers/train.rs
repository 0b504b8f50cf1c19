//! Training with one optimiser.

use std::time::Instant;

use wengert::prelude::*;

use crate::contender::Contender;

/// How far training is after an epoch.
pub(crate) struct Progress {
    pub epoch: u64,
    /// Of training, without the evaluations between the epochs.
    pub seconds: f64,
    /// Mean cross entropy over the training digits, in nats.
    pub loss: f64,
    /// Share of the test digits that are classified correctly.
    pub accuracy: f64,
}

/// The progress with one optimiser, from epoch 0, the initial weights.
pub(crate) struct Run {
    /// With learning rate and batch size.
    pub name: String,
    pub points: Vec<Progress>,
}

struct Mlp {
    hidden: Linear,
    out: Linear,
}

impl Mlp {
    fn new(p: &mut Params) -> Self {
        Mlp { hidden: Linear::new(p.at("hidden"), 784, 128), out: Linear::new(p.at("out"), 128, 10) }
    }

    /// Mean loss and share of right answers.
    fn evaluate(&self, params: &Params, data: &Dataset) -> (f64, f64) {
        let (mut loss, mut right) = (0.0, 0.0);
        for batch in data.batches(1000) {
            let count = batch.labels.len() as f64;
            let logits = params.infer(|cx| self.forward(cx, &batch.images));
            loss += count * f64::from(logits.cross_entropy(&batch.labels).value().item());
            right += count * wengert::nn::accuracy(&logits, &batch.labels);
        }
        (loss / data.len() as f64, right / data.len() as f64)
    }
}

impl Layer for Mlp {
    fn forward(&self, cx: &Ctx, x: &Var) -> Var {
        self.out.forward(cx, &self.hidden.forward(cx, x).relu())
    }
}

/// Trains with batches of `batch` digits.
///
/// # Errors
/// If there is no such optimiser, its learning rate makes no sense, or the loss is no longer finite.
pub(crate) fn train(
    contender: &Contender,
    batch: usize,
    epochs: u64,
    seed: u64,
    data: &ImageSet,
) -> Result<Run, Box<dyn std::error::Error>> {
    let mut params: Params = Params::seeded(seed);
    let model = Mlp::new(&mut params);
    let mut optimizer = optimizer_by_name::<f32>(&contender.name, contender.rate, &params.segments())?;
    let name = match batch == data.train.len() {
        true => format!("{} {}, all", contender.name, optimizer.learning_rate()),
        false => format!("{} {}, {batch}", contender.name, optimizer.learning_rate()),
    };
    let mut point = params.values().to_vec();
    let mut scratch = vec![0.0; point.len()];
    let mut points = Vec::new();
    let mut seconds = 0.0;
    for epoch in 0..=epochs {
        if epoch > 0 {
            let start = Instant::now();
            for batch in data.train.batches(batch).shuffled(seed.wrapping_add(epoch)) {
                let mut failure = None;
                let loss = optimizer.step_with(&mut point, &mut scratch, &mut |at, grads| {
                    params.values_mut().copy_from_slice(at);
                    let loss = |cx: &Ctx| model.forward(cx, &batch.images).cross_entropy(&batch.labels);
                    match params.value_and_grad(loss) {
                        Ok((loss, gradient)) => {
                            grads.copy_from_slice(&gradient);
                            loss
                        }
                        Err(error) => {
                            failure = Some(error);
                            f32::NAN
                        }
                    }
                });
                if let Some(error) = failure {
                    return Err(error.into());
                }
                if !loss.is_finite() {
                    return Err(format!("{name}: the loss is {loss} in epoch {epoch}").into());
                }
            }
            seconds += start.elapsed().as_secs_f64();
        }
        if epoch > 0 {
            // Some methods are evaluated elsewhere than where they take gradients.
            optimizer.write_evaluation(&point, params.values_mut());
        }
        let (loss, _) = model.evaluate(&params, &data.train);
        let (_, accuracy) = model.evaluate(&params, &data.test);
        points.push(Progress { epoch, seconds, loss, accuracy });
    }
    Ok(Run { name, points })
}
