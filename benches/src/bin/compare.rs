//! Measures one workload and prints one line of JSON, in the form that the programs for other frameworks print.
//!
//! `cargo run --release -p wengert-benches --bin compare -- mlp_small --threads 1`

use std::process::ExitCode;

use clap::Parser;
use wengert::tensor::parallel::set_threads;
use wengert_benches::memory::peak_tensor_bytes;
use wengert_benches::report::{InGradients, Report};
use wengert_benches::timing::{Effort, measure, measure_in_turn};
use wengert_benches::workload;

#[derive(Parser)]
#[command(about = "Measures one workload and prints one line of JSON")]
struct Arguments {
    /// What to measure: `gemm_N`, `gemm_MxNxK`, `svd_N`, `eigh_N`, `qr_N`, `lu_N`, `cholesky_N`, or one of the names that an
    /// unknown name makes it list.
    workload: String,
    /// How many threads to use.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Only two steps: the numbers mean nothing.
    #[arg(long)]
    quick: bool,
    /// Exactly that many steps after one, for counting instructions.
    #[arg(long, conflicts_with = "quick", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(report) => {
            println!("{}", report.to_json());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Report, Box<dyn std::error::Error>> {
    set_threads(arguments.threads)?;
    let mut workload = workload::by_name(&arguments.workload)?;
    let effort = match arguments.steps {
        Some(steps) => Effort::exactly(steps as usize),
        None if arguments.quick => Effort::QUICK,
        None => Effort::FULL,
    };
    let (most, step) = (workload.most_steps, &mut *workload.step);
    let (times, in_gradients) = match &mut workload.gradient {
        None => (measure(effort, most, step), None),
        Some(gradient) => {
            let [times, gradient_times] = measure_in_turn(effort, most, [step, gradient]);
            let compared = InGradients::new(
                (times, workload.held_bytes + peak_tensor_bytes(step)),
                (gradient_times, peak_tensor_bytes(gradient)),
            );
            (times, Some(compared))
        }
    };
    let quick = if arguments.quick { "QUICK; " } else { "" };
    let note = format!("{quick}{}", (workload.note)());
    let report = Report::new(&arguments.workload, arguments.threads, times, workload.floor, note);
    Ok(Report { gradient: in_gradients, ..report })
}
