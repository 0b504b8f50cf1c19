//! Training by minimisation of the loss over all digits, with curvature.

use std::time::{Duration, Instant};

use wengert::optim::minimize::Curvature;
use wengert::optim::{HessianFree, Kfac, Minimizer, Stopping};
use wengert::prelude::*;
use wengert::train::Report;
use wengert::train::metric::{Accuracy, Metrics};

use crate::arguments::{Arguments, Model};
use crate::curved::{Curved, trust_region};
use crate::model::Classifier;
use crate::page;
use crate::train::{Outcome, tell, watched};

/// Digits that are evaluated at once.
const CHUNK: usize = 1000;

/// Minimises the loss with a penalty and prints a line per iteration.
pub(crate) fn minimize(
    curved: Curved,
    arguments: &Arguments,
    classifier: &Classifier,
    params: &mut Params,
    data: &ImageSet,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let digits = data.train.len();
    let batch = arguments.batch_size.or(curved.batch_size()).map_or(digits, |b| (b as usize).min(digits));
    let parts = batch.div_ceil(CHUNK);
    let batches: Vec<Batch> = data.train.batches(batch.div_ceil(parts)).shuffled(arguments.seed).collect();
    let objective = params.model_objective_over(
        &batches,
        |cx, (images, _)| classifier.forward(cx, images),
        |logits, (_, labels)| logits.cross_entropy(labels),
    );
    let objective = objective.grouped(parts).shuffled(arguments.seed);
    let steps = objective.batches() as u64;
    // All recordings of a convolutional network at once are gigabytes.
    let objective = if arguments.model == Model::Cnn { objective.recomputing() } else { objective };
    let objective = Ridge::new(objective, arguments.l2.unwrap_or(1e-4));

    let budget = if arguments.quick { 20 } else { arguments.epochs.unwrap_or(curved.epochs()) };
    let stopping =
        Stopping { max_iterations: arguments.iterations.unwrap_or(u64::MAX), ..Stopping::gradient(1e-5) };
    let method: Box<dyn Minimizer<f32>> = match curved {
        Curved::NewtonCg => Box::new(trust_region(Curvature::Hessian).with_stopping(stopping)),
        Curved::GaussNewton => Box::new(trust_region(Curvature::GaussNewton).with_stopping(stopping)),
        Curved::Lbfgs => Box::new(Lbfgs::default().with_stopping(stopping)),
        Curved::HessianFree => Box::new(HessianFree {
            curvature_batches: true,
            max_products: 50,
            stopping,
            ..HessianFree::default()
        }),
        Curved::Kfac => Box::new(Kfac { steps, stopping, ..Kfac::default() }),
    };
    let share = batch as f64 / digits as f64;
    let (clock, mut evaluating) = (Instant::now(), Duration::ZERO);
    let mut report = Report::new("Handwritten digits");
    let trainer = Trainer::without_optimizer(params)
        .setting("model", arguments.model.name())
        .setting("method", curved.name())
        .setting("seed", arguments.seed);
    let mut quality = Metrics::new().with(Accuracy::new());
    let (finished, found) =
        watched(trainer, arguments, &mut report)?.minimize(&*method, &objective, |run| {
            let before = Instant::now();
            run.validate("test", data.test.batches(CHUNK), &mut quality, |cx, (images, labels)| {
                (classifier.forward(cx, &images), labels)
            })?;
            let work = curved.work(run.counts(), run.now().step, share);
            run.record("train", &[("work in gradients".to_owned(), work)])?;
            if work >= budget as f64 {
                run.stop("the budget is used up");
            }
            evaluating += before.elapsed();
            Ok(())
        })?;
    tell(&finished);
    let train_seconds = (clock.elapsed() - evaluating).as_secs_f64();
    let work = curved.work(found.counts, found.iterations, share);
    let test_accuracy = accuracy(classifier, params, &data.test);
    println!(
        "{found}\nloss {:.4}, train accuracy {:.2} %, test accuracy {:.2} %, the work of {work:.0} gradients in {train_seconds:.1} s",
        found.value,
        100.0 * accuracy(classifier, params, &data.train),
        100.0 * test_accuracy,
    );
    page::write(report, arguments, classifier, params, data)?;
    let images_per_second = work * digits as f64 / train_seconds.max(f64::MIN_POSITIVE);
    Ok(Outcome { epochs: work.round() as u64, test_accuracy, train_seconds, images_per_second })
}
