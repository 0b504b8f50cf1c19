//! Optimisers side by side on handwritten digits: the same network, seeds and number of epochs for each.
//!
//! `cargo run --release --example compare_optimizers -- sgd:0.1 adam:1e-3 lion:1e-4` compares what is listed.

mod contender;
mod pictures;
mod train;

use clap::Parser;
use wengert::data::Origin;
use wengert::prelude::*;
use wengert_gallery::files::write_file;
use wengert_gallery::options::Options;

use contender::Contender;

/// Trains one network of 784-128-10 on MNIST with each optimiser of a list, and draws the curves.
#[derive(Debug, Parser)]
#[command(name = "compare_optimizers")]
struct Arguments {
    /// Optimisers as NAME[:RATE][@BATCH], "gd" for gradient_descent: a learning rate other than the method's own,
    /// digits per step other than --batch-size, or "all"
    #[arg(default_values = ["gd:0.1@all", "sgd:0.01@1", "momentum:0.05", "adam:1e-3"])]
    optimizers: Vec<Contender>,
    #[command(flatten)]
    options: Options,
    /// Passes over the training digits
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    epochs: u64,
    /// Learn from the first so many digits only
    #[arg(long, value_name = "COUNT")]
    digits: Option<usize>,
    /// Digits per step
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..))]
    batch_size: u64,
    /// Seed of the initial weights and the shuffling
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let mut data = Mnist::load()?.normalised();
    if arguments.options.quick {
        (data.train, data.test) = (data.train.take(2000)?, data.test.take(1000)?);
    }
    if let Some(count) = arguments.digits {
        data.train = data.train.take(count)?;
    }
    let epochs = arguments.options.steps(arguments.epochs, 2);
    println!("digits {}: {} to train on, {} to test", data.origin, data.train.len(), data.test.len());

    let mut runs = Vec::new();
    println!("{:28} {:>6} {:>10} {:>10} {:>8}", "optimiser", "batch", "train loss", "test acc.", "seconds");
    for contender in &arguments.optimizers {
        let batch = contender.batch.size(arguments.batch_size as usize, data.train.len());
        let run = train::train(contender, batch, epochs, arguments.seed, &data)?;
        if let Some(last) = run.points.last() {
            println!(
                "{:28} {:6} {:10.4} {:8.2} % {:8.2}",
                run.name,
                batch,
                last.loss,
                100.0 * last.accuracy,
                last.seconds
            );
        }
        runs.push(run);
    }

    let synthetic = matches!(data.origin, Origin::Synthetic { .. });
    let digits = format!("{} {} digits", data.train.len(), if synthetic { "synthetic" } else { "MNIST" });
    let out = &arguments.options.out;
    let table = out.join("compare_optimizers.csv");
    write_file(&table, pictures::csv(&runs).as_bytes())?;
    let files = pictures::draw(out, &runs, &digits)?;
    println!("wrote {}, {} and {}", table.display(), files[0].display(), files[1].display());
    Ok(())
}
