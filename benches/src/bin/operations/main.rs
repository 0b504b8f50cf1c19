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
use std::time::Duration;

use clap::Parser;
use wengert::prelude::*;
use wengert::tape::grad;
use wengert_benches::timing::{Effort, measure};
use wengert_benches::workload::data::Data;

/// One run to warm up; then six and 0.15 s, or 200.
const EFFORT: Effort = Effort {
    enough: 6,
    enough_time: Duration::from_millis(150),
    longest: Duration::from_secs(3),
    ..Effort::QUICK
};
const MOST: usize = 200;

/// Times single operations and their gradients.
#[derive(Parser)]
struct Arguments {
    /// How many threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Only operations whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
    /// Two runs of each: the numbers mean nothing.
    #[arg(long)]
    quick: bool,
}

/// The operations are told to it, one after the other.
struct Bench {
    arguments: Arguments,
    data: Data,
}

impl Bench {
    /// Normal numbers.
    fn normal(&mut self, shape: impl Into<Shape>) -> Var {
        self.data.normal_var(shape)
    }

    /// Positions below `end`.
    fn positions(&mut self, shape: impl Into<Shape>, end: u64) -> Tensor<u32> {
        let shape = shape.into();
        self.data.labels(shape.count(), end).reshape(shape)
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
        let effort = if self.arguments.quick { Effort::QUICK } else { EFFORT };
        measure(effort, MOST, work).min_us / 1e3
    }
}

fn main() {
    let arguments = Arguments::parse();
    wengert::tensor::parallel::set_threads(arguments.threads).expect("no thread has been started");
    let mut bench = Bench { arguments, data: Data::seeded(0) };
    elementwise::time(&mut bench);
    reductions::time(&mut bench);
    rows::time(&mut bench);
    images::time(&mut bench);
    matrices::time(&mut bench);
}
