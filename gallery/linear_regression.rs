//! A line through 18 points by batch, stochastic and mini-batch descent, compared with the closed form.

use clap::Parser;
use wengert::optim::schedule::{InverseTime, Schedule};
use wengert::prelude::*;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Mark, Panel, Series};

/// The points' y; x is 1, 2, … 18.
const Y: [f64; 18] = [2., 3., 3., 5., 8., 10., 10., 13., 15., 15., 16., 19., 19., 20., 22., 22., 25., 28.];

/// What is added to and what divides x while descending, so that both parameters have the same curvature.
const CENTRE: f64 = 9.5;
const SPREAD: f64 = 5.188;

/// Fits a line to 18 points in three ways and draws it.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Seed of the order in which points are taken
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// One way to descend.
struct Way {
    name: &'static str,
    /// Points per step.
    batch: usize,
    epochs: u64,
    /// The learning rate is `rate` / (1 + epoch / `halving`), or constant without.
    rate: f64,
    halving: Option<u64>,
}

struct Fit {
    slope: f64,
    intercept: f64,
    /// Mean squared error after each epoch.
    losses: Vec<(f64, f64)>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, seed } = Arguments::parse();
    let (slope, intercept) = closed_form();
    let best = loss(slope, intercept);
    println!("closed form: y = {slope:.9} x + {intercept:.9}, mean squared error {best:.6}");

    // With a constant rate only the whole batch comes to rest at the minimum; noise must be averaged out by a falling one.
    let noisy = options.steps(120_000, 3_000);
    let ways = [
        Way { name: "batch", batch: 18, epochs: 300, rate: 0.2, halving: None },
        Way { name: "stochastic", batch: 1, epochs: noisy, rate: 0.03, halving: Some(2) },
        Way { name: "mini-batch of 6", batch: 6, epochs: noisy, rate: 0.1, halving: Some(4) },
    ];
    // A short run is a fortieth as long, and the distance falls at least as fast as 1 / epochs.
    let tolerance = if options.quick { 1e-4 } else { 1e-6 };
    let mut fits = Vec::new();
    for way in &ways {
        let fit = descend(way, seed);
        let distance = (fit.slope - slope).abs().max((fit.intercept - intercept).abs());
        println!(
            "{:16} y = {:.9} x + {:.9}; {:6} epochs; farthest parameter {distance:.1e} off",
            way.name, fit.slope, fit.intercept, way.epochs
        );
        if distance.is_nan() || distance > tolerance {
            return Err(format!("{}: {distance:e} from the closed form", way.name).into());
        }
        fits.push(fit);
    }

    let line = |slope: f64, intercept: f64| [0.0, 19.0].map(|x| (x, slope * x + intercept)).to_vec();
    let points = Y.iter().zip(1..).map(|(&y, x)| (f64::from(x), y)).collect();
    let mut lines = Panel::new(Axis::new("x").range(0.0, 19.0), Axis::new("y").range(0.0, 30.0))
        .titled("Fitted lines, which coincide")
        .with(Series::line("closed form", 3, line(slope, intercept)));
    let mut losses =
        Panel::new(Axis::log("epoch"), Axis::log("mean squared error − minimum").range(1e-14, 1e3))
            .titled("Loss above the minimum");
    for (i, (way, fit)) in ways.iter().zip(fits).enumerate() {
        let look = [0, 1, 2][i];
        lines = lines.with(Series::line(way.name, look, line(fit.slope, fit.intercept)));
        let above = fit.losses.iter().map(|&(epoch, loss)| (epoch, loss - best)).collect();
        losses = losses.with(Series::line(way.name, look, above));
    }
    lines = lines.with(Series::points("points", Mark::Dots, points));
    let files = Figure::new("Linear regression by gradient descent", vec![lines, losses])
        .note(format!("Closed form: y = {slope:.4} x {intercept:+.4}. Learning rates that fall as 1 / epoch quiet the noise of single points."))
        .size(1200, 520)
        .save(&options.out, "linear_regression")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// Slope and intercept of least squares: the covariance over the variance, and the line through the mean.
fn closed_form() -> (f64, f64) {
    let count = Y.len() as f64;
    let (mean_x, mean_y) = (CENTRE, Y.iter().sum::<f64>() / count);
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (x, y) in (1..).map(f64::from).zip(Y) {
        covariance += (x - mean_x) * (y - mean_y);
        variance += (x - mean_x).powi(2);
    }
    let slope = covariance / variance;
    (slope, mean_y - slope * mean_x)
}

/// The mean squared error of a line.
fn loss(slope: f64, intercept: f64) -> f64 {
    let squares = (1..).map(f64::from).zip(Y).map(|(x, y)| (slope * x + intercept - y).powi(2));
    squares.sum::<f64>() / Y.len() as f64
}

fn descend(way: &Way, seed: u64) -> Fit {
    let mut theta = [0.0f64, 0.0];
    let mut descent = Sgd::<f64>::new(way.rate);
    let schedule = InverseTime::new(way.rate, 1.0, way.halving.unwrap_or(u64::MAX));
    let mut generator = Generator::seeded(seed);
    let mut order: Vec<usize> = (0..Y.len()).collect();
    let mut losses = Vec::new();
    for epoch in 0..way.epochs {
        descent.set_learning_rate(schedule.at(epoch));
        generator.shuffle(&mut order);
        for batch in order.chunks(way.batch) {
            let column =
                |f: &dyn Fn(usize) -> f64| Var::constant(batch.iter().map(|&i| f(i)).collect::<Vec<f64>>());
            let (x, y) = (column(&|i| ((i + 1) as f64 - CENTRE) / SPREAD), column(&|i| Y[i]));
            let at = theta.map(|parameter| Var::constant(Tensor::scalar(parameter)));
            let (_, gradient) =
                value_and_grad(|[a, b]: &[Var<f64>; 2]| (a * &x + b - &y).powi(2).mean(), &at);
            descent.step(&mut theta, &gradient.map(|g| g.value().item()));
        }
        let slope = theta[0] / SPREAD;
        losses.push(((epoch + 1) as f64, loss(slope, theta[1] - slope * CENTRE)));
    }
    let slope = theta[0] / SPREAD;
    Fit { slope, intercept: theta[1] - slope * CENTRE, losses }
}
