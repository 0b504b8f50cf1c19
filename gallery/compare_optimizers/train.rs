//! Training with one optimiser.

use std::time::Instant;

use wengert::prelude::*;
use wengert_gallery::mlp::Mlp;

use crate::contender::Contender;

/// How many points of a curve there are in an epoch, if it has so many steps.
const POINTS_PER_EPOCH: usize = 4;

/// How far training is.
pub(crate) struct Progress {
    /// Passes over the training digits.
    pub epoch: f64,
    /// Of training, without the evaluations.
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

fn progress(model: &Mlp, params: &Params, data: &ImageSet, epoch: f64, seconds: f64) -> Progress {
    let loss = mean_loss(model, params, &data.train);
    Progress { epoch, seconds, loss, accuracy: accuracy(model, params, &data.test) }
}

fn mean_loss(model: &Mlp, params: &Params, data: &Dataset) -> f64 {
    let total: f64 = data
        .batches(1000)
        .map(|(images, labels)| {
            let logits = params.infer(|cx| model.forward(cx, &images));
            labels.len() as f64 * f64::from(logits.cross_entropy(&labels).value().item())
        })
        .sum();
    total / data.len() as f64
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
    let mut points = vec![progress(&model, &params, data, 0.0, 0.0)];
    let mut seconds = 0.0;
    let steps = data.train.len().div_ceil(batch);
    let evaluated_each = steps.div_ceil(POINTS_PER_EPOCH);
    for epoch in 0..epochs {
        let mut start = Instant::now();
        let batches = data.train.batches(batch).shuffled(seed.wrapping_add(epoch + 1));
        for (step, (images, labels)) in (1..).zip(batches) {
            let loss =
                params.train_step(&mut *optimizer, |cx| model.forward(cx, &images).cross_entropy(&labels))?;
            if !loss.is_finite() {
                return Err(format!("{name}: the loss is {loss} in epoch {}", epoch + 1).into());
            }
            if step % evaluated_each == 0 || step == steps {
                seconds += start.elapsed().as_secs_f64();
                let passes = epoch as f64 + step as f64 / steps as f64;
                let progress = |params: &Params| progress(&model, params, data, passes, seconds);
                points.push(params.evaluated(&*optimizer, progress));
                start = Instant::now();
            }
        }
    }
    Ok(Run { name, points })
}
