//! The training loop.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use wengert::optim::schedule::Cosine;
use wengert::prelude::*;

use crate::arguments::Arguments;
use crate::model::Classifier;

/// What came out.
pub(crate) struct Outcome {
    /// With curvature, the work in gradients over all digits.
    pub(crate) epochs: u64,
    pub(crate) test_accuracy: f64,
    /// Without the evaluations between the epochs.
    pub(crate) train_seconds: f64,
    pub(crate) images_per_second: f64,
}

/// Trains the classifier and prints a line per epoch.
pub(crate) fn train(
    arguments: &Arguments,
    classifier: &Classifier,
    params: &mut Params,
    data: &ImageSet,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let epochs = if arguments.quick { 1 } else { arguments.epochs.unwrap_or(5) };
    let batch_size = arguments.batch_size.unwrap_or(64) as usize;
    let l2 = arguments.l2.unwrap_or(0.0);
    let mut optimizer = optimizer_by_name(&arguments.optimizer, arguments.lr, &params.segments())?;
    let steps = epochs * data.train.len().div_ceil(batch_size) as u64;
    let schedule = Cosine::new(optimizer.learning_rate(), steps);

    let (mut step, mut train_seconds) = (0, 0.0);
    let mut test_accuracy = accuracy(classifier, params, &data.test);
    for epoch in 1..=epochs {
        let progress = progress_bar(data.train.len() as u64, epoch);
        let start = Instant::now();
        let mut total = 0.0;
        let batches = data.train.batches(batch_size).shuffled(arguments.seed).epoch(epoch);
        for (images, labels) in batches {
            let count = labels.len();
            let loss = |cx: &Ctx| {
                let loss = classifier.forward(cx, &images).cross_entropy(&labels);
                if l2 == 0.0 { loss } else { loss + cx.l2(l2) }
            };
            optimizer.set_learning_rate(schedule.at(step));
            let loss = params.train_step(&mut *optimizer, loss)?;
            if !loss.is_finite() {
                return Err(format!("the loss is {loss} in epoch {epoch}: try a smaller --lr").into());
            }
            total += f64::from(loss) * count as f64;
            step += 1;
            progress.inc(count as u64);
        }
        let seconds = start.elapsed().as_secs_f64();
        train_seconds += seconds;
        progress.finish_and_clear();
        let train_accuracy;
        (train_accuracy, test_accuracy) = params.evaluated(&*optimizer, |params| {
            (accuracy(classifier, params, &data.train), accuracy(classifier, params, &data.test))
        });
        println!(
            "epoch {epoch:2}: loss {:.4}, train accuracy {:.2} %, test accuracy {:.2} %, {:.0} images/s",
            total / data.train.len() as f64,
            100.0 * train_accuracy,
            100.0 * test_accuracy,
            data.train.len() as f64 / seconds,
        );
    }
    // What is saved is what was evaluated.
    let point = params.values().to_vec();
    optimizer.write_evaluation(&point, &mut params.values_mut());
    let images = (epochs as usize * data.train.len()) as f64;
    let images_per_second = if epochs == 0 { 0.0 } else { images / train_seconds };
    Ok(Outcome { epochs, test_accuracy, train_seconds, images_per_second })
}

/// A bar on a terminal; nothing where standard error is a file or a pipe.
fn progress_bar(length: u64, epoch: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} images, {per_sec}, {eta} left")
        .expect("a valid template")
        .progress_chars("=> ");
    ProgressBar::new(length).with_style(style).with_message(format!("epoch {epoch:2}"))
}
