//! K-FAC on real digits: a measurement, which prints what it finds.

use std::ops::ControlFlow;
use std::time::Instant;

use wengert::curvature::FlatLoss;
use wengert::optim::{Kfac, Stopping};
use wengert::prelude::*;

/// The batches' losses; the first is reported as the whole.
struct Batches<'a>(Vec<FlatLoss<'a>>);

impl Objective<f32> for Batches<'_> {
    fn dimension(&self) -> usize {
        self.0[0].dimension()
    }
    fn value(&self, x: &[f32]) -> f64 {
        self.0[0].value(x)
    }
    fn value_and_gradient(&self, x: &[f32], gradient: &mut [f32]) -> f64 {
        self.0[0].value_and_gradient(x, gradient)
    }
    fn batch(&self, index: u64) -> Option<Box<dyn Objective<f32> + '_>> {
        Some(Box::new(&self.0[index as usize % self.0.len()]))
    }
}

fn variable<F: std::str::FromStr>(name: &str, default: F) -> F {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
#[ignore = "a measurement: it needs MNIST, and a minute in a release build"]
fn loss_and_accuracy_by_steps() {
    let data = Mnist::load().unwrap();
    let mut params = Params::seeded(0);
    let model = crate::common::perceptron(&mut params, &[784, 128, 10], Relu);
    let batches: Vec<Batch> = data.train.batches(variable("BATCH", 512)).shuffled(1).drop_last().collect();
    let model = &model;
    let objective = |batch: &'_ Batch| {
        let (images, labels) = batch.clone();
        params.model_objective(move |cx| model.forward(cx, &images), move |z| z.cross_entropy(&labels))
    };
    let objectives = Batches(batches.iter().map(objective).collect());
    let mut gradient = vec![0.0; params.len()];
    let clock = Instant::now();
    for i in 0..50 {
        objectives.0[i].value_and_gradient(params.values(), &mut gradient);
    }
    let per_gradient = clock.elapsed().as_secs_f64() / 50.0;
    let default = Kfac::default();
    let method = Kfac {
        initial: variable("INITIAL", default.initial),
        factors_every: variable("FACTORS", default.factors_every),
        inverse_every: variable("INVERSE", default.inverse_every),
        steps: 25,
        stopping: Stopping { max_iterations: variable("STEPS", 300) / 25, ..Stopping::default() },
        ..default
    };
    let report = |steps: u64, loss: f64, point: &[f32], seconds: f64, damping: f64| {
        let mut params = params.clone();
        params.set_values(point);
        let accuracy = 100.0 * accuracy(model, &params, &data.test);
        println!(
            "{steps:4} steps: loss {loss:.4}, test {accuracy:.2} %, {seconds:.2} s, damping {damping:.2e}"
        );
    };
    let outcome = method.minimize_with(&objectives, params.values(), |run| {
        report(run.iterations * 25, run.current.value, &run.current.point, run.seconds, run.state.damping());
        ControlFlow::Continue(())
    });
    let outcome = outcome.unwrap();
    let per_step = outcome.seconds / (25 * outcome.iterations) as f64;
    println!(
        "a step {:.2} ms, a gradient {:.2} ms: {:.1}",
        1e3 * per_step,
        1e3 * per_gradient,
        per_step / per_gradient
    );

    let (mut point, mut adam) = (params.values().to_vec(), Adam::new(1e-3));
    let clock = Instant::now();
    for step in 0..=1000 {
        if step % 200 == 0 {
            report(step as u64, objectives.value(&point), &point, clock.elapsed().as_secs_f64(), 0.0);
        }
        objectives.0[step % objectives.0.len()].value_and_gradient(&point, &mut gradient);
        adam.step(&mut point, &gradient);
    }
}
