//! What comes next in a chaotic series: an LSTM, a linear prediction, and what was there last.

use clap::Parser;
use wengert::data::Windows;
use wengert::nn::Lstm;
use wengert::prelude::*;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Mark, Panel, Series};

/// Values that a forecast is made from.
const PAST: usize = 60;
/// Values that it is made of.
const HORIZON: usize = 50;

/// Forecasts the Mackey–Glass series and draws forecasts and their errors.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Seed of the initial weights and the shuffling
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Reads the past and tells the future in one go.
struct Forecaster {
    lstm: Lstm,
    out: Linear,
}

impl Forecaster {
    fn new(mut p: Scope, hidden: usize) -> Self {
        let lstm = Lstm::builder(1, hidden).batch_first().build(p.at("lstm"));
        Forecaster { lstm, out: Linear::new(p.at("out"), hidden, HORIZON) }
    }
}

impl Layer for Forecaster {
    /// `[batch, past]` to `[batch, horizon]`, as differences from the last value.
    fn forward(&self, cx: &Ctx, past: &Var) -> Var {
        let (_, state) = self.lstm.run(cx, &past.unsqueeze(2), None);
        self.out.forward(cx, &state.h.select(0, 0)) + past.slice_axis(1, -1..)
    }
}

/// One way to forecast, with a row of forecasts for each window.
type Forecasts = (&'static str, Tensor);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, seed } = Arguments::parse();
    let series = mackey_glass(options.steps(6000, 900) as usize);
    let cut = series.len() * 4 / 5;
    let train = Dataset::new(Windows::forecast(&series.slice(..cut), PAST, HORIZON)?)?;
    let test = Dataset::new(Windows::forecast(&series.slice(cut..), PAST, HORIZON)?)?;
    println!("{} windows to learn from, {} to be judged by", train.len(), test.len());

    let (past, future) = test.all();
    let last = past.slice_axis(1, -1..).broadcast_to([past.shape()[0], HORIZON]);
    let forecasts: [Forecasts; 3] = [
        ("last value", last.into_value()),
        ("linear", linear(&train, &past, seed, &options)?),
        ("LSTM", recurrent(&train, &past, seed, &options)?),
    ];

    let steps = [1, 5, 10, 20, 35, HORIZON];
    println!("root mean square error at step{:>10}", steps.map(|s| format!("{s:8}")).concat());
    let mut errors = Panel::new(Axis::new("steps ahead"), Axis::log("root mean square error"));
    for (look, (name, forecast)) in forecasts.iter().enumerate() {
        let error = (Var::constant(forecast.clone()) - &future).square().mean_axes(0, false).sqrt();
        let error = error.value().to_vec();
        println!("{name:30}{}", steps.map(|s| format!("{:8.4}", error[s - 1])).concat());
        let points = error.iter().enumerate().map(|(i, &e)| ((i + 1) as f64, f64::from(e).max(1e-5)));
        errors = errors.with(Series::line(*name, look, points.collect()));
    }
    let files = Figure::new(
        "Forecasts of the Mackey–Glass series",
        vec![examples(&past, &future, &forecasts), errors.titled("Error by distance")],
    )
    .note(format!("From {PAST} values the next {HORIZON}, on a stretch that was not learned from."))
    .size(1300, 520)
    .save(&options.out, "forecast")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// x′ = 0.2·x(t − 17) / (1 + x(t − 17)¹⁰) − 0.1·x (Mackey and Glass, "Oscillation and chaos in physiological control
/// systems", 1977), by steps of a tenth, of which every tenth is taken.
fn mackey_glass(count: usize) -> Tensor {
    let (delay, fine) = (170, 10);
    let mut x = vec![1.2f64; delay + 1];
    // What the start left behind has gone after some hundred steps.
    for _ in 0..(count + 300) * fine {
        let (now, then) = (x[x.len() - 1], x[x.len() - 1 - delay]);
        x.push(now + (0.2 * then / (1.0 + then.powi(10)) - 0.1 * now) / fine as f64);
    }
    let series: Vec<f32> =
        x.iter().rev().step_by(fine).take(count).rev().map(|&x| (x - 0.9) as f32).collect();
    Tensor::from(series)
}

/// Trains a model with Adam and lets it forecast.
fn trained(
    train: &Dataset<Windows<f32>>,
    past: &Var,
    mut params: Params,
    model: &dyn Layer,
    [epochs, seed]: [u64; 2],
) -> wengert::Result<Tensor> {
    let rates = schedule::Cosine::new(5e-3, epochs * train.len().div_ceil(64) as u64);
    Trainer::new(&mut params, Adam::new(5e-3)).schedule(rates).clip_norm(1.0).batch_size(64).seed(seed).fit(
        train,
        epochs,
        |cx, (past, future)| model.forward(cx, past).mse(future),
    )?;
    Ok(params.infer(|cx| model.forward(cx, past)).into_value())
}

fn linear(
    train: &Dataset<Windows<f32>>,
    past: &Var,
    seed: u64,
    options: &Options,
) -> wengert::Result<Tensor> {
    let mut params = Params::seeded(seed);
    let model = Linear::new(params.root(), PAST, HORIZON);
    trained(train, past, params, &model, [options.steps(30, 2), seed])
}

fn recurrent(
    train: &Dataset<Windows<f32>>,
    past: &Var,
    seed: u64,
    options: &Options,
) -> wengert::Result<Tensor> {
    let mut params = Params::seeded(seed);
    let model = Forecaster::new(params.root(), options.steps(64, 12) as usize);
    trained(train, past, params, &model, [options.steps(30, 2), seed])
}

/// The forecasts from one place, and what came.
fn examples(past: &Var, future: &Var, forecasts: &[Forecasts]) -> Panel<'static> {
    let at = (past.shape()[0] / 2) as isize;
    let curve = |values: Vec<f32>, from: usize| {
        values.iter().enumerate().map(|(i, &x)| ((from + i) as f64, f64::from(x))).collect::<Vec<_>>()
    };
    let mut panel = Panel::new(Axis::new("step"), Axis::new("value")).titled("Forecasts from one place");
    for (look, (name, forecast)) in forecasts.iter().enumerate() {
        panel = panel.with(Series::line(*name, look, curve(forecast.select(0, at).to_vec(), PAST)));
    }
    let mut there = curve(past.value().select(0, at).to_vec(), 0);
    there.extend(curve(future.value().select(0, at).to_vec(), PAST));
    panel.with(Series::points("the series", Mark::Dots, there))
}
