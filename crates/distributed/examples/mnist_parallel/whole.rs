//! Methods on the whole loss.

use std::rc::Rc;
use std::time::Instant;

use wengert_curvature::Objectives;
use wengert_distributed::communicator::Failure;
use wengert_distributed::{Communicator, DataParallel, ShardedObjective};
use wengert_nn::{Layer, Losses};
use wengert_optim::{Kfac, Lbfgs, Minimizer, NewtonCg, Stopping, TrustRegionNewton};
use wengert_train::checkpoint::Checkpoints;
use wengert_train::{Progress, Trainer, accuracy};

use super::arguments::{Arguments, Images, Mode};
use super::model::Net;
use super::table::Outcome;

pub(crate) fn minimise(
    arguments: &Arguments,
    images: &Images,
    communicator: Rc<dyn Communicator>,
) -> Result<Outcome, Failure> {
    let (mut params, net) = Net::build(arguments.seed);
    let net = &net;
    let size = images.train.len().div_ceil(arguments.shards);
    let loss = ShardedObjective::mean(communicator.clone(), arguments.shards, |shard| {
        let batch = Rc::new(images.train.batches(size).nth(shard));
        let examples = batch.as_ref().as_ref().map_or(0, |(_, labels)| labels.len());
        let of = Rc::clone(&batch);
        let part = params.model_objective(
            move |cx| net.forward(cx, &of.as_ref().as_ref().expect("a shard with examples").0),
            move |scores| scores.cross_entropy(&batch.as_ref().as_ref().expect("a shard with examples").1),
        );
        (part, examples)
    })?;
    let stopping = Stopping { max_iterations: arguments.iterations(), ..Stopping::gradient(1e-4) };
    let method: Box<dyn Minimizer<f32>> = match arguments.mode {
        Mode::NewtonCg => Box::new(NewtonCg::default().with_stopping(stopping)),
        Mode::TrustRegion => Box::new(TrustRegionNewton::default().with_stopping(stopping)),
        Mode::Kfac => Box::new(Kfac { stopping, ..Kfac::default() }),
        _ => Box::new(Lbfgs::default().with_stopping(stopping)),
    };
    let group = DataParallel::deterministic(communicator.clone(), arguments.shards)?;
    let mut trainer = Trainer::without_optimizer(&mut params).parallel(group).observe(Progress::new());
    if let Some(folder) = &arguments.checkpoints {
        trainer = trainer.checkpoints(Checkpoints::new(folder)).resume();
    }
    let begun = Instant::now();
    let (_, found) = trainer.minimize(&*method, &loss, |_| Ok(()))?;
    let seconds = begun.elapsed().as_secs_f64();
    // Once for each value, gradient and product.
    let passes = (found.counts.values + found.counts.gradients + found.counts.products) as f64;
    Ok(Outcome {
        seconds,
        examples: passes * images.train.len() as f64 / communicator.size() as f64,
        accuracy: accuracy(net, &params, &images.test),
        ..Outcome::default()
    })
}
