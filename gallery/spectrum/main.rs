//! The eigenvalues of the Hessian and of the Gauss–Newton matrix of a network's loss, before and after training.

mod network;
mod pictures;
mod report;

use clap::Parser;
use wengert::optim::estimate::{DensitySettings, EigenSettings};
use wengert::prelude::*;
use wengert_gallery::options::Options;

use network::Problem;
use report::Spectrum;

/// Trains a 784-32-10 network on digits and draws the spectral density of its curvature matrices.
#[derive(Debug, Parser)]
#[command(name = "spectrum")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Learn from the first so many digits only
    #[arg(long, value_name = "COUNT", default_value_t = 4000)]
    digits: usize,
    /// Passes over the digits with Adam
    #[arg(long, default_value_t = 20)]
    epochs: u64,
    /// Seed of the initial weights and of the random vectors
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, digits, epochs, seed } = Arguments::parse();
    let train = Mnist::load()?.train.take(if options.quick { digits.min(500) } else { digits })?;
    let mut problem = Problem::new(&train, seed);
    let (steps, probes) = if options.quick { (20, 2) } else { (80, 6) };
    let density = DensitySettings { probes, steps, seed };
    let ends = EigenSettings {
        largest: 15,
        smallest: 5,
        tolerance: 1e-5,
        max_steps: if options.quick { 60 } else { 250 },
        seed,
    };

    let mut spectra = Vec::new();
    for trained in [false, true] {
        if trained {
            problem.train(options.steps(epochs, 2), seed)?;
        }
        let objective = problem.objective();
        let x = problem.params.values();
        let when = if trained { "after training" } else { "before training" };
        println!(
            "{when}: loss {:.4} on {} digits, {} parameters",
            objective.value(x),
            train.len(),
            objective.dimension()
        );
        let found = [("Hessian", objective.hessian(x)), ("Gauss–Newton", objective.gauss_newton(x))];
        for (matrix, operator) in found {
            let operator = operator.ok_or("the model has no such matrix")?;
            let spectrum = Spectrum::of(matrix, when, &*operator, &density, &ends);
            print!("{spectrum}");
            spectra.push(spectrum);
        }
    }
    let files = pictures::draw(&options.out, &spectra, &format!("{} digits, {epochs} epochs", train.len()))?;
    println!("wrote {} and {}", files[0].display(), files[1].display());
    Ok(())
}
