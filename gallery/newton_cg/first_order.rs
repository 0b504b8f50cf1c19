//! Adam on mini-batches, for comparison.

use std::time::Instant;

use wengert::optim::schedule::Cosine;
use wengert::optim::vector;
use wengert::prelude::*;

use crate::problem::Regression;
use crate::run::{Point, Run};

/// The first learning rate; it falls along a cosine.
const RATE: f64 = 1e-3;
/// Digits a step.
const BATCH: usize = 100;

/// Trains for some epochs; value and gradient over all digits after each of them take no time of Adam's.
pub(crate) fn adam(
    regression: &Regression,
    objective: &dyn Objective<f64>,
    epochs: u64,
    start: &[f64],
) -> Run {
    let mut x = start.to_vec();
    let mut gradient = vec![0.0; x.len()];
    let mut point = |work: u64, seconds: f64, x: &[f64]| {
        let value = objective.value_and_gradient(x, &mut gradient);
        Point { work: work as f64, seconds, value, norm: vector::norm_inf(&gradient) }
    };
    let mut points = vec![point(0, 0.0, &x)];
    let batches = regression.batches(BATCH);
    let schedule = Cosine::new(RATE, epochs * batches.len() as u64);
    let mut adam = Adam::<f64>::new(RATE);
    let mut found = vec![0.0; x.len()];
    let (mut seconds, mut step) = (0.0, 0);
    for epoch in 1..=epochs {
        let clock = Instant::now();
        for batch in Generator::seeded(epoch).permutation(batches.len()) {
            regression.value_and_gradient(batches[batch as usize].clone(), &x, &mut found);
            adam.set_learning_rate(schedule.at(step));
            adam.step(&mut x, &found);
            step += 1;
        }
        seconds += clock.elapsed().as_secs_f64();
        points.push(point(epoch, seconds, &x));
    }
    Run::first_order("Adam, 100 digits a step", points)
}
