//! Training by first-order methods.

use std::time::Instant;

use wengert::optim::schedule::Cosine;
use wengert::prelude::*;
use wengert::train::checkpoint::Checkpoints;
use wengert::train::metric::{Accuracy, Metrics};
use wengert::train::{Finished, JsonLines, LogError, Progress, Report, StopReason};

use crate::arguments::Arguments;
use crate::model::Classifier;
use crate::page;

/// Digits that are evaluated at once.
const CHUNK: usize = 1000;

/// What came out.
pub(crate) struct Outcome {
    /// With curvature, the work in gradients over all digits.
    pub(crate) epochs: u64,
    pub(crate) test_accuracy: f64,
    /// Without the evaluations between the epochs.
    pub(crate) train_seconds: f64,
    pub(crate) images_per_second: f64,
}

/// Trains the classifier and shows how it gets on.
pub(crate) fn train(
    arguments: &Arguments,
    classifier: &Classifier,
    params: &mut Params,
    data: &ImageSet,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let epochs = if arguments.quick { 1 } else { arguments.epochs.unwrap_or(5) };
    let batch_size = arguments.batch_size.unwrap_or(64) as usize;
    let l2 = arguments.l2.unwrap_or(0.0);
    let (mut train_seconds, mut images) = (0.0, 0);
    let mut report = Report::new("Handwritten digits");
    if epochs > 0 {
        let optimizer = optimizer_by_name(&arguments.optimizer, arguments.lr, &params.segments())?;
        let steps = epochs * data.train.len().div_ceil(batch_size) as u64;
        let schedule = Cosine::new(optimizer.learning_rate(), steps);
        let trainer = Trainer::new(params, optimizer)
            .schedule(schedule)
            .setting("model", arguments.model.name())
            .setting("batch size", batch_size)
            .setting("seed", arguments.seed);
        let mut quality = Metrics::new().with(Accuracy::new());
        let mut run = watched(trainer, arguments, &mut report)?.start()?;
        for epoch in run.epochs(epochs)? {
            let (start, seen) = (Instant::now(), run.now().examples);
            for (images, labels) in epoch.batches(data.train.batches(batch_size).shuffled(arguments.seed))? {
                run.step(|cx| {
                    let loss = classifier.forward(cx, &images).cross_entropy(&labels);
                    if l2 == 0.0 { loss } else { loss + cx.l2(l2) }
                })?;
            }
            train_seconds += start.elapsed().as_secs_f64();
            images += run.now().examples - seen;
            for (name, set) in [("train", &data.train), ("test", &data.test)] {
                run.validate(name, set.batches(CHUNK), &mut quality, |cx, (images, labels)| {
                    (classifier.forward(cx, &images), labels)
                })?;
            }
        }
        tell(&run.finish()?);
    }
    page::write(report, arguments, classifier, params, data)?;
    let test_accuracy = accuracy(classifier, params, &data.test);
    let images_per_second = if images == 0 { 0.0 } else { images as f64 / train_seconds };
    Ok(Outcome { epochs, test_accuracy, train_seconds, images_per_second })
}

/// With what the command line asks for: logs, checkpoints, a report.
pub(crate) fn watched<'p>(
    mut trainer: Trainer<'p>,
    arguments: &Arguments,
    report: &'p mut Report,
) -> Result<Trainer<'p>, LogError> {
    trainer = trainer.observe(Progress::new()).observe(report);
    if let Some(file) = &arguments.log {
        trainer = trainer.observe(JsonLines::create(file)?.every_steps(100));
    }
    if let Some(folder) = &arguments.checkpoints {
        trainer = trainer.checkpoints(Checkpoints::new(folder).every_epochs(1)).on_interrupt();
    }
    Ok(if arguments.resume { trainer.resume() } else { trainer })
}

/// Says what to do if the user pressed Ctrl-C.
pub(crate) fn tell(finished: &Finished) {
    if finished.reason == StopReason::Interrupted {
        println!("interrupted: go on with --resume");
    }
}
