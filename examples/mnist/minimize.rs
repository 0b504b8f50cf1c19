//! Training by minimisation of the loss over all digits, with curvature.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use wengert::optim::minimize::Curvature;
use wengert::optim::{HessianFree, Kfac, MinimizeError, Run, Stopping};
use wengert::prelude::*;

use crate::arguments::{Arguments, Model};
use crate::curved::{Curved, trust_region};
use crate::model::Classifier;
use crate::train::Outcome;

/// Digits that are evaluated at once.
const CHUNK: usize = 1000;

/// Minimises the loss with a penalty and prints a line per iteration.
pub(crate) fn minimize(
    method: Curved,
    arguments: &Arguments,
    classifier: &Classifier,
    params: &mut Params,
    data: &ImageSet,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let digits = data.train.len();
    let batch = arguments.batch_size.or(method.batch_size()).map_or(digits, |b| (b as usize).min(digits));
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

    let budget = if arguments.quick { 20 } else { arguments.epochs.unwrap_or(method.epochs()) };
    let stopping =
        Stopping { max_iterations: arguments.iterations.unwrap_or(u64::MAX), ..Stopping::gradient(1e-5) };
    let mut progress = Progress {
        method,
        share: batch as f64 / digits as f64,
        budget: budget as f64,
        clock: Instant::now(),
        evaluating: Duration::ZERO,
        classifier,
        params,
        data,
    };
    let start = progress.params.values().to_vec();
    let found = match method {
        Curved::NewtonCg => {
            progress.drive(&trust_region(Curvature::Hessian).with_stopping(stopping), &objective, &start)
        }
        Curved::GaussNewton => {
            progress.drive(&trust_region(Curvature::GaussNewton).with_stopping(stopping), &objective, &start)
        }
        Curved::Lbfgs => progress.drive(&Lbfgs::default().with_stopping(stopping), &objective, &start),
        Curved::HessianFree => {
            let method =
                HessianFree { curvature_batches: true, max_products: 50, stopping, ..HessianFree::default() };
            progress.drive(&method, &objective, &start)
        }
        Curved::Kfac => progress.drive(&Kfac { steps, stopping, ..Kfac::default() }, &objective, &start),
    }?;
    let train_seconds = (progress.clock.elapsed() - progress.evaluating).as_secs_f64();
    let work = method.work(found.counts, found.iterations, progress.share);
    params.set_values(&found.point);
    let test_accuracy = accuracy(classifier, params, &data.test);
    println!(
        "{found}\nloss {:.4}, train accuracy {:.2} %, test accuracy {:.2} %, the work of {work:.0} gradients in {train_seconds:.1} s",
        found.value,
        100.0 * accuracy(classifier, params, &data.train),
        100.0 * test_accuracy,
    );
    let images_per_second = work * digits as f64 / train_seconds.max(f64::MIN_POSITIVE);
    Ok(Outcome { epochs: work.round() as u64, test_accuracy, train_seconds, images_per_second })
}

/// What is shown while a method runs, and the end of its budget.
struct Progress<'a> {
    method: Curved,
    /// The part of the digits that a mini-batch has.
    share: f64,
    /// In gradients over all digits.
    budget: f64,
    clock: Instant,
    evaluating: Duration,
    classifier: &'a Classifier,
    params: &'a mut Params,
    data: &'a ImageSet,
}

impl Progress<'_> {
    fn drive<M: Method<f32>>(
        &mut self,
        method: &M,
        objective: &dyn Objective<f32>,
        start: &[f32],
    ) -> Result<wengert::optim::Outcome<f32>, MinimizeError> {
        method.minimize_with(objective, start, |run| self.show(run))
    }

    fn show<S>(&mut self, run: &Run<f32, S>) -> ControlFlow<()> {
        let before = Instant::now();
        let seconds = (before - self.clock - self.evaluating).as_secs_f64();
        self.params.set_values(&run.current.point);
        let work = self.method.work(run.counts, run.iterations, self.share);
        println!(
            "iteration {:3}: loss {:.4}, |g| {:.1e}, test accuracy {:.2} %, the work of {work:.0} gradients, {seconds:.1} s",
            run.iterations,
            run.current.value,
            run.trace.last().map_or(f64::NAN, |last| last.gradient_norm),
            100.0 * accuracy(self.classifier, self.params, &self.data.test),
        );
        self.evaluating += before.elapsed();
        if work >= self.budget { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
