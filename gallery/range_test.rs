//! A learning rate for an optimiser: the range test trains for some hundred steps with a rate that grows, and looks
//! where the loss falls fastest.

use clap::Parser;
use wengert::optim::schedule::RangeTest;
use wengert::prelude::*;
use wengert::train::search::range_test;
use wengert_gallery::mlp::Mlp;
use wengert_gallery::options::Options;
use wengert_plot::{Axis, Figure, Mark, Panel, Series};

/// Suggests a learning rate for training a network of 784-128-10 on MNIST, and draws the curve.
#[derive(Parser)]
struct Arguments {
    /// Optimisers by name
    #[arg(default_values = ["sgd", "momentum", "adam"])]
    optimizers: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Rate of the first step
    #[arg(long, default_value_t = 1e-6)]
    smallest: f64,
    /// Rate of the last step, if the loss has not exploded before
    #[arg(long, default_value_t = 10.0)]
    largest: f64,
    /// Digits per step
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,
    /// Seed of the initial weights and the shuffling
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let data = Mnist::load()?.normalised();
    println!("digits {}", data.origin);
    let mut panel = Panel::new(Axis::log("learning rate"), Axis::log("training loss, averaged (nats)"));
    let mut suggestions = Vec::new();
    for (look, name) in arguments.optimizers.iter().enumerate() {
        let test = run(name, &arguments, &data.train)?;
        let points = test.points().iter().map(|p| (p.rate, p.smooth)).collect();
        panel = panel.with(Series::path(name, look, points));
        match test.suggestion() {
            Some(rate) => {
                println!("{name:20} {:4} steps, suggested rate {rate:.1e}", test.points().len());
                suggestions.extend(test.points().iter().find(|p| p.rate == rate).map(|p| (rate, p.smooth)));
            }
            None => println!("{name:20} {:4} steps, the loss never fell", test.points().len()),
        }
    }
    let panel = panel.with(Series::points("suggested", Mark::Crosses, suggestions));
    let files = Figure::new("Range test of learning rates, 784-128-10 network", vec![panel])
        .note("The rate grows from step to step; curves end where the loss is four times its least.")
        .save(&arguments.options.out, "range_test")?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}

/// Trains with growing rates until they are used up or the loss explodes.
fn run(name: &str, arguments: &Arguments, digits: &Dataset) -> Result<RangeTest, Box<dyn std::error::Error>> {
    let mut params: Params = Params::seeded(arguments.seed);
    let model = Mlp::new(&mut params);
    let mut optimizer = optimizer_by_name::<f32>(name, None, &params.segments())?;
    let steps = arguments.options.steps(800, 100);
    RangeTest::check(arguments.smallest, arguments.largest, steps as usize)?;
    let test = RangeTest::new(arguments.smallest, arguments.largest, steps as usize);
    let batches = |epoch| digits.batches(arguments.batch_size as usize).shuffled(arguments.seed + epoch);
    let loss = |cx: &Ctx, (images, labels): &Batch| model.forward(cx, images).cross_entropy(labels);
    Ok(range_test(test, &mut params, &mut *optimizer, batches, loss)?)
}
