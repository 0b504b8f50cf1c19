//! MNIST on several ranks, in every way in which they can train together: threads of this process, or processes.
//!
//! ```text
//! cargo run --release -p wengert-distributed --example mnist_parallel -- --mode all
//! mpirun -n 4 --bind-to none target/release/examples/mnist_parallel --mode deterministic
//! target/release/examples/mnist_parallel --mode local --processes --restarts 3 --checkpoints /tmp/run
//! target/release/examples/mnist_parallel --mode all --processes --least 97.5
//! ```
//!
//! All but the first need the example built with `--features mpi`. Data are found as by the other examples (`WENGERT_DATA`, `--data`);
//! `--quick` draws a few digits instead.

mod arguments;
mod bar;
mod hogwild;
mod local;
mod model;
mod saved;
mod server;
mod synchronous;
mod table;
mod whole;

use std::rc::Rc;

use clap::Parser;
use wengert_distributed::communicator::Failure;
use wengert_distributed::launch::{self, Job, Launcher};
use wengert_distributed::{Communicator, agree_on_data, threads};

pub(crate) use arguments::Arguments;
use arguments::{Images, Mode};
use table::{Outcome, Table};

fn main() -> Result<(), Failure> {
    start(&Arguments::parse())
}

/// All that is asked for, as a rank or as what starts them.
pub(crate) fn start(arguments: &Arguments) -> Result<(), Failure> {
    arguments.check()?;
    if Launcher::of_this_process().is_some() {
        let images = arguments.images()?;
        launch::run(|communicator| program(arguments, &images, communicator))
    } else if arguments.processes {
        let options = arguments.launcher_options.split_whitespace().map(Into::into).collect();
        let job = Job { options, restarts: arguments.restarts, ..Job::of_this_program(arguments.ranks)? };
        Ok(job.run(|restart| eprintln!("{restart}"))?)
    } else {
        let images = arguments.images()?;
        as_threads(arguments, &images)
    }
}

/// Ranks that are threads, all started again when one fails.
fn as_threads(arguments: &Arguments, images: &Images) -> Result<(), Failure> {
    let mut left = arguments.restarts;
    loop {
        match threads::run(arguments.ranks, |communicator| program(arguments, images, communicator)) {
            Err(failed) if left > 0 => {
                eprintln!("{failed}; all are started again, {left} of their restarts left");
                left -= 1;
            }
            outcome => return Ok(outcome.map(drop)?),
        }
    }
}

/// What one rank does: every mode that is asked for. The first prints.
fn program(
    arguments: &Arguments,
    images: &Images,
    communicator: Rc<dyn Communicator>,
) -> Result<(), Failure> {
    agree_on_data(&*communicator, "images to learn from", &images.train)?;
    agree_on_data(&*communicator, "images to measure on", &images.test)?;
    let mut table = Table::default();
    for mode in arguments.mode.each() {
        let arguments = arguments.of(mode);
        let first = communicator.rank() == 0;
        if first {
            println!("\n{} on {} ranks over {}", mode.name(), communicator.size(), communicator.transport());
        }
        let before = communicator.bytes_sent();
        let outcome = run(&arguments, images, communicator.clone())?;
        let found = table::gather(&*communicator, outcome, before)?;
        if first {
            table.add(&arguments, &found);
        }
    }
    table.print();
    arguments.least.map_or(Ok(()), |least| table.check(least))
}

/// One mode.
fn run(
    arguments: &Arguments,
    images: &Images,
    communicator: Rc<dyn Communicator>,
) -> Result<Outcome, Failure> {
    match arguments.mode {
        Mode::Sync | Mode::Deterministic => synchronous::train(arguments, images, communicator),
        Mode::Server | Mode::Async | Mode::Ssp | Mode::TopK | Mode::Bf16 => {
            server::train(arguments, images, &*communicator)
        }
        Mode::Local | Mode::Diloco | Mode::Elastic | Mode::Gossip => {
            local::train(arguments, images, &*communicator)
        }
        Mode::Hogwild => hogwild::train(arguments, images, &*communicator),
        Mode::Lbfgs | Mode::NewtonCg | Mode::TrustRegion | Mode::Kfac => {
            whole::minimise(arguments, images, communicator)
        }
        Mode::All => Err("all modes are run one by one".into()),
    }
}
