//! The deep autoencoder of Hinton and Salakhutdinov (2006), 784-1000-500-250-30 and back, which Martens (2010) made the
//! test of Hessian-free optimisation: methods side by side for equal times.

mod contenders;
mod network;
mod pictures;
mod report;

use clap::Parser;
use wengert::prelude::*;
use wengert_gallery::files::write_file;
use wengert_gallery::options::Options;

use contenders::Contender;
use network::{Autoencoder, Score};

/// Trains a deep autoencoder of digits by K-FAC, Hessian-free optimisation, Nesterov momentum and Adam.
#[derive(Debug, Parser)]
#[command(name = "autoencoder")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Seconds for each method, without evaluation
    #[arg(long, default_value_t = 40.0)]
    seconds: f64,
    /// Learn from the first so many digits only
    #[arg(long, value_name = "COUNT", default_value_t = 5000)]
    digits: usize,
    /// What to compare
    #[arg(value_enum, default_values_t = [Contender::Kfac, Contender::HessianFree, Contender::Nesterov, Contender::Adam])]
    methods: Vec<Contender>,
    /// Seed of the initial weights and the shuffling
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// One method's course.
struct Run {
    name: &'static str,
    points: Vec<Point>,
    network: Autoencoder,
    params: Params,
}

/// How far it was.
struct Point {
    seconds: f64,
    /// The work in gradients over all digits.
    epochs: f64,
    /// On test digits.
    score: Score,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, seconds, digits, methods, seed } = Arguments::parse();
    if !(seconds > 0.0 && seconds.is_finite()) {
        return Err(format!("--seconds {seconds} must be above 0").into());
    }
    let data = Mnist::load()?;
    let (digits, seconds) =
        if options.quick { (digits.min(250), seconds.min(0.5)) } else { (digits, seconds) };
    let (train, test) = (data.train.take(digits)?, data.test.take(if options.quick { 100 } else { 1000 })?);
    println!("digits {}: {} to train on, {} to test, {seconds} s each", data.origin, train.len(), test.len());

    println!("{}", report::HEAD);
    let mut runs = Vec::new();
    for method in methods {
        let (network, mut params) = Autoencoder::new(seed);
        let points = contenders::train(method, &network, &mut params, (&train, &test), seconds, seed)?;
        let run = Run { name: method.name(), points, network, params };
        println!("{}", report::line(&run));
        runs.push(run);
    }
    if let Some(best) = runs.iter().min_by(|a, b| report::error(a).total_cmp(&report::error(b))) {
        println!("\ndigits and what {} made of them:", best.name);
        print!("{}", report::reconstructions(best, &test));
    }
    let table = options.out.join("autoencoder.csv");
    write_file(&table, report::csv(&runs).as_bytes())?;
    let files = pictures::draw(&options.out, &runs, &format!("{} digits, {seconds} s each", train.len()))?;
    println!("wrote {}, {} and {}", table.display(), files[0].display(), files[1].display());
    Ok(())
}
