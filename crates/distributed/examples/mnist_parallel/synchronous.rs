//! Synchronous training.

use std::rc::Rc;
use std::time::Instant;

use wengert_distributed::communicator::Failure;
use wengert_distributed::{Communicator, DataParallel};
use wengert_nn::{Layer, Losses, Params};
use wengert_optim::Adam;
use wengert_train::checkpoint::Checkpoints;
use wengert_train::metric::{Accuracy, Metrics};
use wengert_train::{Progress, Trainer};

use crate::arguments::{Arguments, Mode};
use crate::model::Net;
use crate::table::Figures;

pub(crate) fn train(arguments: &Arguments, communicator: Rc<dyn Communicator>) -> Result<Figures, Failure> {
    let images = arguments.images()?;
    let mut params: Params = Params::seeded(arguments.seed);
    let net = Net::new(&mut params);
    let group = match arguments.mode {
        Mode::Deterministic => DataParallel::deterministic(communicator.clone(), arguments.shards)?,
        _ => DataParallel::new(communicator.clone()),
    };
    let mut metrics = Metrics::new().with(Accuracy::new());
    let mut trainer = Trainer::new(&mut params, Adam::new(1e-3))
        .batch_size(arguments.batch)
        .seed(arguments.seed)
        .parallel(group)
        .measures("test", &metrics)
        .observe(Progress::new())
        .on_interrupt();
    if let Some(folder) = &arguments.checkpoints {
        trainer = trainer.checkpoints(Checkpoints::new(folder)).resume();
    }
    let (start, mut accuracy, mut examples) = (Instant::now(), f64::NAN, 0);
    trainer.fit_with(
        &images.train,
        arguments.epochs,
        |cx, (images, labels)| net.forward(cx, images).cross_entropy(labels),
        |run| {
            let test = images.test.batches(1000);
            let measured = run.validate("test", test, &mut metrics, |cx, (images, labels)| {
                (net.forward(cx, &images), labels)
            })?;
            accuracy = measured.get("accuracy");
            examples = run.now().examples;
            Ok(())
        },
    )?;
    Ok(Figures {
        seconds: start.elapsed().as_secs_f64(),
        // Ranks have equal shares of every batch.
        examples: examples as f64 / communicator.size() as f64,
        accuracy,
        staleness: None,
        bytes: communicator.bytes_sent(),
    })
}
