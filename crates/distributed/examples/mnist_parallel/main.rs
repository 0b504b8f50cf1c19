//! MNIST on several ranks, by threads of this process or under `mpirun`:
//!
//! ```text
//! cargo run --release -p wengert-distributed --example mnist_parallel -- --mode deterministic --ranks 4
//! mpirun -n 4 --bind-to none target/release/examples/mnist_parallel --mode sync
//! ```
//!
//! The second needs the example built with `--features mpi`. Data are found as by the other examples (`WENGERT_DATA`, `--data`);
//! without any, `--synthetic` draws digits.

mod arguments;
mod model;
mod synchronous;
mod table;
mod whole;

use std::rc::Rc;

use clap::Parser;
use wengert_distributed::communicator::Failure;
use wengert_distributed::launch::{self, Launcher};
use wengert_distributed::{Communicator, threads};

use arguments::{Arguments, Mode};
use table::Figures;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if Launcher::of_this_process().is_none() {
        let ranks = threads::run(arguments.ranks, |communicator| rank(&arguments, communicator))?;
        table::print(&arguments, &ranks);
        return Ok(());
    }
    launch::run(|communicator| {
        let figures = rank(&arguments, communicator.clone())?;
        let ranks = table::of_all(&*communicator, figures)?;
        if communicator.rank() == 0 {
            table::print(&arguments, &ranks);
        }
        Ok(())
    })
}

/// What one rank does.
fn rank(arguments: &Arguments, communicator: Rc<dyn Communicator>) -> Result<Figures, Failure> {
    match arguments.mode {
        Mode::Sync | Mode::Deterministic => synchronous::train(arguments, communicator),
        Mode::Lbfgs | Mode::NewtonCg | Mode::TrustRegion | Mode::Kfac => {
            whole::minimise(arguments, communicator)
        }
    }
}
