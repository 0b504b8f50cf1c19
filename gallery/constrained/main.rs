//! Constrained minimisation: classic problems by every method that suits them, their derivatives by the tape.
//!
//! `cargo run --release --example constrained` prints the table and writes it as CSV.

mod lasso;
mod problems;
mod solve;
mod table;

use clap::Parser;
use wengert_gallery::files::write_file;
use wengert_gallery::options::Options;

/// Solves classic constrained problems with several methods each and prints a table.
#[derive(Debug, Parser)]
#[command(name = "constrained")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { options } = Arguments::parse();
    let mut rows = Vec::new();
    let small = |problem: &problems::Classic| !options.quick || problem.start.len() < 100;
    for problem in problems::all()?.iter().filter(|problem| small(problem)) {
        for &solver in problem.methods {
            rows.push(solve::solve(problem, solver)?);
        }
    }
    rows.extend(lasso::solve()?);

    print!("{}", table::text(&rows));
    let file = options.out.join("constrained.csv");
    write_file(&file, table::csv(&rows).as_bytes())?;
    println!("wrote {}", file.display());
    match rows.iter().find(|row| !row.solved()) {
        Some(row) => Err(format!("{} by {}: {}", row.problem, row.method, row.outcome).into()),
        None => Ok(()),
    }
}
