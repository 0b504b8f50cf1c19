//! Softmax regression on handwritten digits to a gradient of 1e-6: Newton's method beside L-BFGS and Adam.
//!
//! In `f64`: towards the end the values differ by less than an `f32` can hold, and the fast tail of Newton's method is
//! all below that.

mod first_order;
mod pictures;
mod problem;
mod run;

use clap::Parser;
use wengert::optim::minimize::KrylovModel;
use wengert::optim::{Counts, Minimizer, Preconditioning, Stopping};
use wengert::prelude::*;
use wengert_gallery::files::write_file;
use wengert_gallery::options::Options;

use problem::Regression;
use run::Run;

/// Minimises mean cross-entropy + ½·1e-3·‖θ‖² over all digits with several methods, and draws how they come down.
#[derive(Debug, Parser)]
#[command(name = "newton_cg")]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Learn from the first so many digits only
    #[arg(long, value_name = "COUNT")]
    digits: Option<usize>,
    /// The largest element of the gradient at which a method has converged
    #[arg(long, default_value_t = 1e-6)]
    tolerance: f64,
    /// Passes over the digits with Adam
    #[arg(long, default_value_t = 60)]
    epochs: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options, digits, tolerance, epochs } = Arguments::parse();
    let mut train = Mnist::load()?.train;
    if let Some(count) = digits.or(options.quick.then_some(1000)) {
        train = train.take(count)?;
    }
    let regression = Regression::new(&train);
    let objective = regression.objective();
    let start = vec![0.0; objective.dimension()];
    let stopping = Stopping { max_iterations: 2000, ..Stopping::gradient(tolerance) };

    let newton_cg = NewtonCg::default().with_stopping(stopping.clone());
    let trust_region = TrustRegionNewton::default().with_stopping(stopping.clone());
    let preconditioned =
        KrylovModel { preconditioning: Preconditioning::Lbfgs(20), ..KrylovModel::default() };
    let preconditioned = TrustRegionNewton::new(preconditioned).with_stopping(stopping.clone());
    let lbfgs = Lbfgs::default().with_stopping(stopping);
    // The third is a trust region preconditioned by L-BFGS.
    let methods: [(&str, &dyn Minimizer<f64>); 4] = [
        ("Newton-CG", &newton_cg),
        ("trust-region Newton", &trust_region),
        ("trust region, L-BFGS", &preconditioned),
        ("L-BFGS", &lbfgs),
    ];
    println!("{} digits, {} parameters", train.len(), start.len());
    println!("{}", Run::HEAD);
    let mut runs = Vec::new();
    let mut best = (f64::INFINITY, start.clone());
    for (name, method) in methods {
        let outcome = method.run(&objective, &start)?;
        if outcome.value < best.0 {
            best = (outcome.value, outcome.point.clone());
        }
        let run = Run::of(name, outcome);
        println!("{run}");
        runs.push(run);
    }
    // The least value, for the curves: a thousand times as exact.
    let exact = TrustRegionNewton::default().with_stopping(Stopping::gradient(1e-3 * tolerance));
    let best = exact.minimize(&objective, &best.1)?.value;
    let epochs = options.steps(epochs, 3);
    let adam = first_order::adam(&regression, &objective, epochs, &start);
    println!("{adam}");
    runs.push(adam);

    println!("least value {best:.15}");
    for run in &runs {
        println!("{:32} value − least {:.1e}", run.name, run.value() - best);
    }
    let table = options.out.join("newton_cg.csv");
    write_file(&table, run::csv(&runs, best).as_bytes())?;
    let files = pictures::draw(&options.out, &runs, best, train.len())?;
    println!("wrote {}, {} and {}", table.display(), files[0].display(), files[1].display());
    match runs.iter().find(|run| run.converged == Some(false)) {
        Some(run) => Err(format!("{} did not come to a gradient of {tolerance:e}", run.name).into()),
        None => Ok(()),
    }
}

/// What counts cost in gradients. The model is one matrix product forwards and one backwards, so a value is half a
/// gradient; a product with the Hessian is one forwards and one backwards too.
fn gradients(counts: Counts) -> f64 {
    0.5 * (counts.values + counts.gradients) as f64 + counts.products as f64
}
