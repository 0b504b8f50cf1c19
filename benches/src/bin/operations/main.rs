//! Single operations and their gradients, in `f32`, by the names of `benches/peers/torch_operations.py`:
//!
//! `cargo run --release -p wengert-benches --bin operations -- --threads 1 > ours`
//!
//! A line for each: the name, then the least milliseconds of the value, and of the value with the gradient of its sum.
//! `python benches/peers/torch_operations.py --beside ours` adds PyTorch's, and sorts by the ratio.

mod elementwise;
mod images;
mod matrices;
mod reductions;
mod rows;

use std::hint::black_box;
use std::time::{Duration, Instant};

use clap::Parser;
use wengert::prelude::*;
use wengert::tape::grad;

/// Times single operations and their gradients.
#[derive(Parser)]
struct Arguments {
    /// How many threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Only operations whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// One run of each: the numbers mean nothing.
    #[arg(long)]
    quick: bool,
}

/// The operations are told to it, one after the other.
struct Bench {
    arguments: Arguments,
    generator: Generator,
}

impl Bench {
    /// Normal numbers.
    fn normal(&mut self, shape: impl Into<Shape>) -> Var {
        Var::constant(Tensor::written(shape, |out| self.generator.fill_normal(out, 0.0, 1.0)))
    }

    /// Positions below `end`.
    fn positions(&mut self, shape: impl Into<Shape>, end: u64) -> Tensor<u32> {
        let mut next = || self.generator.below(end) as u32;
        Tensor::written(shape, |out| out.fill_with(&mut next))
    }

    /// Times an operation at x.
    fn time(&self, name: &str, x: &Var, operation: impl Fn(&Var) -> Var) {
        if !name.contains(&self.arguments.only) {
            return;
        }
        let value = self.least(&|| drop(black_box(operation(x))));
        let gradient = self.least(&|| drop(black_box(grad(|x: &Var| operation(x).sum(), x))));
        println!("{name} {value:.4} {gradient:.4}");
    }

    /// The least milliseconds of several runs.
    fn least(&self, work: &dyn Fn()) -> f64 {
        let start = Instant::now();
        let mut least = Duration::MAX;
        for run in 0..200 {
            let enough = run > 5 && start.elapsed() > Duration::from_millis(150);
            if enough || run > 0 && self.arguments.quick {
                break;
            }
            let start = Instant::now();
            work();
            least = least.min(start.elapsed());
        }
        least.as_secs_f64() * 1e3
    }
}

fn main() {
    let arguments = Arguments::parse();
    wengert::tensor::parallel::set_threads(arguments.threads).expect("no thread has been started");
    let mut bench = Bench { arguments, generator: Generator::seeded(0) };
    elementwise::time(&mut bench);
    reductions::time(&mut bench);
    rows::time(&mut bench);
    images::time(&mut bench);
    matrices::time(&mut bench);
}
