//! The methods.

use std::ops::ControlFlow;
use std::time::Instant;

use clap::ValueEnum;
use wengert::optim::first::NesterovConfig;
use wengert::optim::{Counts, HessianFree, Kfac, Nesterov, Stopping};
use wengert::prelude::*;
use wengert_examples::work;

use crate::Point;
use crate::network::Autoencoder;

/// Digits that are evaluated at once, which is also a step's batch for all but Hessian-free optimisation.
const BATCH: usize = 250;
/// Batches in the products of Hessian-free optimisation.
const CURVATURE_BATCHES: usize = 2;
/// Steps of K-FAC between two evaluations of the whole loss.
const STEPS: u64 = 16;
/// The penalty, as Martens had it.
const L2: f64 = 2e-5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    Kfac,
    HessianFree,
    Nesterov,
    Adam,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contender::Kfac => "K-FAC",
            Contender::HessianFree => "Hessian-free",
            Contender::Nesterov => "Nesterov, 0.003, 0.99",
            Contender::Adam => "Adam, 0.001",
        }
    }
}

type Error = Box<dyn std::error::Error>;

/// Trains for some seconds, in which evaluation on test digits does not count.
///
/// # Errors
/// If the minimisation cannot start or the loss has no gradient.
pub(crate) fn train(
    method: Contender,
    network: &Autoencoder,
    params: &mut Params,
    (digits, test): (&Dataset, &Dataset),
    seconds: f64,
    seed: u64,
) -> Result<Vec<Point>, Error> {
    let mut course =
        Course { network, test, budget: seconds, clock: Instant::now(), lost: 0.0, points: Vec::new() };
    match method {
        Contender::Kfac | Contender::HessianFree => {
            with_curvature(method, &mut course, params, digits, seed)?;
        }
        Contender::Nesterov => {
            let config = NesterovConfig { momentum: 0.99, ..NesterovConfig::default() };
            let nesterov = Nesterov::<f32>::with_config(3e-3, config)?;
            first_order(Box::new(nesterov), &mut course, params, digits, seed)?;
        }
        Contender::Adam => first_order(Box::new(Adam::new(1e-3)), &mut course, params, digits, seed)?,
    }
    Ok(course.points)
}

/// The points so far and the clock.
struct Course<'a> {
    network: &'a Autoencoder,
    test: &'a Dataset,
    budget: f64,
    clock: Instant,
    /// Seconds of evaluation.
    lost: f64,
    points: Vec<Point>,
}

impl Course<'_> {
    /// Notes a point; true while there is time.
    fn note(&mut self, params: &Params, epochs: f64) -> bool {
        let before = self.clock.elapsed().as_secs_f64();
        let seconds = before - self.lost;
        self.points.push(Point { seconds, epochs, score: self.network.score(params, self.test) });
        self.lost += self.clock.elapsed().as_secs_f64() - before;
        seconds < self.budget
    }

    /// Seconds since the last point.
    fn since(&self) -> f64 {
        let last = self.points.last().map_or(0.0, |point| point.seconds);
        self.clock.elapsed().as_secs_f64() - self.lost - last
    }
}

fn first_order(
    mut optimizer: Box<dyn Optimizer>,
    course: &mut Course<'_>,
    params: &mut Params,
    digits: &Dataset,
    seed: u64,
) -> Result<(), Error> {
    let (network, mut seen) = (course.network, 0);
    course.note(params, 0.0);
    for epoch in 0.. {
        for (images, labels) in digits.batches(BATCH).shuffled(seed.wrapping_add(epoch)) {
            let loss = |cx: &Ctx| Autoencoder::loss(&network.forward(cx, &images), &images) + cx.l2(L2);
            let (_, grads) = params.value_and_grad(loss)?;
            optimizer.step(&mut params.values_mut(), &grads);
            seen += labels.len();
            // About thirty points in all.
            if course.since() > course.budget / 30.0
                && !course.note(params, seen as f64 / digits.len() as f64)
            {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn with_curvature(
    method: Contender,
    course: &mut Course<'_>,
    params: &mut Params,
    digits: &Dataset,
    seed: u64,
) -> Result<(), Error> {
    let network = course.network;
    let batches: Vec<Batch> = digits.batches(BATCH).collect();
    let objective = params.model_objective_over(
        &batches,
        |cx, (images, _)| network.forward(cx, images),
        |logits, (images, _)| Autoencoder::loss(logits, images),
    );
    let hessian_free = method == Contender::HessianFree;
    let group = if hessian_free { CURVATURE_BATCHES } else { 1 };
    let share = (group * BATCH) as f64 / digits.len() as f64;
    let objective = Ridge::new(objective.grouped(group).shuffled(seed), L2);
    let start = params.values().to_vec();
    let work = |counts: Counts, iterations: u64| {
        if hessian_free {
            work::with_products_on_batches(counts, share)
        } else {
            work::on_batches(counts, share, iterations)
        }
    };
    let mut show = |point: &[f32], counts: Counts, iterations: u64| {
        params.set_values(point);
        if course.note(params, work(counts, iterations)) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let stopping = Stopping { max_iterations: u64::MAX, ..Stopping::gradient(0.0) };
    if hessian_free {
        HessianFree { curvature_batches: true, max_products: 50, stopping, ..HessianFree::default() }
            .minimize_with(&objective, &start, |run| show(&run.current.point, run.counts, run.iterations))?;
    } else {
        // The inverses of thousand-wide layers are dear.
        Kfac { steps: STEPS, inverse_every: 40, stopping, ..Kfac::default() }.minimize_with(
            &objective,
            &start,
            |run| show(&run.current.point, run.counts, run.iterations),
        )?;
    }
    Ok(())
}
