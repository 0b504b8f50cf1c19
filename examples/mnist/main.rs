//! Trains a classifier of handwritten digits.
//!
//! `cargo run --release --example mnist -- --help` lists the options.

mod arguments;
mod curved;
mod digits;
mod minimize;
mod model;
mod page;
mod report;
mod train;

use clap::Parser;
use wengert::data::Origin;
use wengert::prelude::*;
use wengert::tensor::parallel::set_threads;

use arguments::Arguments;
use curved::Curved;
use model::Classifier;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let curved = Curved::named(&arguments.optimizer);
    match curved {
        Some(method) => method.check(&arguments)?,
        None if arguments.iterations.is_some() => {
            return Err(format!(
                "--iterations is for methods with curvature, {} takes --epochs",
                arguments.optimizer
            )
            .into());
        }
        None => {}
    }
    if let Some(threads) = arguments.threads {
        set_threads(threads)?;
    }
    let data = digits::load(&arguments)?;
    match &data.origin {
        Origin::Synthetic { reason } => {
            println!("data: synthetic digits, drawn by this program, not MNIST");
            eprintln!("MNIST is not to be had: {reason}");
        }
        origin => println!("data: MNIST {origin}"),
    }

    let mut params = Params::seeded(arguments.seed);
    let classifier = Classifier::new(arguments.model, curved.is_none(), &mut params);
    if let Some(file) = &arguments.load {
        params.load(file)?;
        println!("loaded {}", file.display());
    }
    println!("{}", params.summary(&classifier, [1, 784]));

    let outcome = match curved {
        Some(method) => minimize::minimize(method, &arguments, &classifier, &mut params, &data)?,
        None => train::train(&arguments, &classifier, &mut params, &data)?,
    };
    if let Some(file) = &arguments.save {
        params.save(file)?;
        println!("saved {}", file.display());
    }
    print!("{}", report::predictions(&classifier, &params, &data));
    if arguments.json {
        println!("{}", report::json(&arguments, &data, &outcome));
    }
    Ok(())
}
