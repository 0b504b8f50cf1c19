//! Synchronous training.

use std::rc::Rc;
use std::time::Instant;

use wengert_distributed::communicator::Failure;
use wengert_distributed::{Communicator, DataParallel};
use wengert_nn::Layer;
use wengert_optim::Adam;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::metric::{Accuracy, Metrics};
use wengert_train::{Progress, Trainer};

use super::arguments::{Arguments, Images, Mode, Recipe};
use super::model::{Net, batches, schedule};
use super::table::Outcome;

pub(crate) fn train(
    arguments: &Arguments,
    images: &Images,
    communicator: Rc<dyn Communicator>,
) -> Result<Outcome, Failure> {
    let (mut params, net) = Net::build(arguments.seed);
    let group = match arguments.mode {
        Mode::Deterministic => DataParallel::deterministic(communicator.clone(), arguments.shards)?,
        _ => DataParallel::new(communicator.clone()),
    };
    let Recipe { batch, rate, .. } = arguments.recipe();
    let mut metrics = Metrics::new().with(Accuracy::new());
    let mut trainer = Trainer::new(&mut params, Adam::new(rate))
        .schedule(schedule(rate, arguments.epochs * batches(&images.train, batch, 1)))
        .batch_size(batch)
        .seed(arguments.seed)
        .parallel(group)
        .measures("test", &metrics)
        .observe(Progress::new())
        .on_interrupt();
    if let Some(folder) = &arguments.checkpoints {
        trainer = trainer.checkpoints(Checkpoints::new(folder)).resume();
    }
    let mut outcome = Outcome::default();
    let mut begun = Instant::now();
    trainer.fit_with(
        &images.train,
        arguments.epochs,
        |cx, (images, labels)| net.loss(cx, images, labels),
        |run| {
            outcome.seconds += begun.elapsed().as_secs_f64();
            // Ranks have equal shares of every batch.
            outcome.examples += images.train.len() as f64 / communicator.size() as f64;
            let test = images.test.batches(1000);
            let measured = run.validate("test", test, &mut metrics, |cx, (images, labels)| {
                (net.forward(cx, &images), labels)
            })?;
            outcome.accuracy = measured.get("accuracy");
            begun = Instant::now();
            Ok(())
        },
    )?;
    Ok(outcome)
}
